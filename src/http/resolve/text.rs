//! Texts that a client may also write as numbers.

use std::fmt;

use catalog::version::MAX_NUMBER;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A text, or a whole number as its digits: an id of a user is often a number. A number that
/// JavaScript does not represent exactly is refused, because two callers could get one key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string or a whole number up to {MAX_NUMBER}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Text, E> {
        match number <= MAX_NUMBER {
            true => Ok(Text(number.to_string())),
            false => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
        match number.unsigned_abs() <= MAX_NUMBER {
            true => Ok(Text(number.to_string())),
            false => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Text, E> {
        // `42.0` and `4.2e1` are the number 42 in JSON. Programming languages write the digits of
        // a fraction differently, so it identifies nobody.
        match number.fract() == 0.0 && number.abs() <= MAX_NUMBER as f64 {
            true => Ok(Text((number as i64).to_string())),
            false => Err(E::invalid_type(Unexpected::Float(number), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Text, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn text_and_whole_numbers_are_read() {
        for (json, text) in [
            (r#""user-42""#, "user-42"),
            (r#""\u0034\u0032""#, "42"),
            ("42", "42"),
            ("0", "0"),
            ("-7", "-7"),
            ("4437.0", "4437"),
            ("1e3", "1000"),
            ("-0.0", "0"),
            ("9007199254740991", "9007199254740991"),
            ("-9007199254740991", "-9007199254740991"),
        ] {
            assert_eq!(read(json), Ok(Text(text.to_owned())), "{json}");
        }
        let too_large = ["9007199254740992", "-9007199254740992", "99999999999999999999"];
        for json in ["1.5", "1e300", "true", "[\"a\"]", "{}", "null"].into_iter().chain(too_large) {
            let error = read(json).unwrap_err();
            assert!(error.contains("expected a string or a whole number"), "{error}");
        }
    }
}
