//! Parses JSON from outside with `serde_json`, with errors that never quote a value.

use serde::de::DeserializeOwned;

/// Parses a JSON object.
///
/// # Errors
///
/// A message that says what was wrong and at which position. It does not quote a value, which
/// may be secret or long.
pub fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    // `serde_json` would accept a list for a struct.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err("expected a JSON object".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|error| without_value(error.to_string()))
}

/// Removes the value from a message of serde: `invalid type: string "a", expected u32 at line 1
/// column 3`.
fn without_value(message: String) -> String {
    for kind in ["invalid type", "invalid value"] {
        let rest = message.strip_prefix(kind).and_then(|rest| rest.strip_prefix(": "));
        if let Some((_, expected)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) {
            return format!("{kind}, expected {expected}");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn errors_say_what_is_wrong_and_where_without_the_value() {
        type Object = BTreeMap<String, u32>;
        for (text, expected) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{\"a\":1,\n \"b\"}", "expected `:` at line 2 column 5"),
            ("{\"a\":1}x", "trailing characters at line 1 column 8"),
            ("[]", "expected a JSON object"),
            (" [[\"a\",1]]", "expected a JSON object"),
            ("null", "invalid type, expected a map at line 1 column 4"),
            ("{\"a\":\"secret\"}", "invalid type, expected u32 at line 1 column 13"),
            ("{\"a\":\"x, expected y\"}", "invalid type, expected u32 at line 1 column 20"),
            ("{\"a\":-1}", "invalid value, expected u32 at line 1 column 7"),
            ("{\"a\":1e2}", "invalid type, expected u32 at line 1 column 8"),
        ] {
            assert_eq!(object::<Object>(text.as_bytes()), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn nesting_is_limited() {
        for (depth, fine) in [(100, true), (1_000_000, false)] {
            let text = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
            assert_eq!(object::<serde_json::Value>(text.as_bytes()).is_ok(), fine, "{depth}");
        }
    }
}
