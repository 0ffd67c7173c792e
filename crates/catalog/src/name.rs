//! Component names: `<type>/<name>`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::grammar::{Grammar, GrammarError, segment};

/// The name of a component, `<type>/<name>`, such as `prompts/extraction`. The name may have
/// further segments (`templates/emails/welcome`).
///
/// A name that parses is already canonical, so a component has exactly one key. It has at most
/// 200 bytes. With `@` and a slot (64) or a version (128), it stays under the 300 bytes of a
/// `SLOTS` key and the 512 bytes of any Workers KV key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComponentName(String);

/// Reserved types: a component of such a type could be confused with another key or path.
const RESERVED_TYPES: [&str; 3] = ["sha256", "components", "logic"];

impl ComponentName {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 200;

    /// Parses a percent-encoded name in a URL path.
    ///
    /// # Errors
    ///
    /// [`GrammarError`] if the decoded text is not a name.
    pub fn from_url_path(raw: &str) -> Result<Self, GrammarError> {
        decode_url_path(raw)?.parse()
    }

    /// Returns the whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the type, such as `prompts`.
    pub fn type_name(&self) -> &str {
        self.0.split_once('/').map_or("", |(kind, _)| kind)
    }

    /// Returns the part after the type, such as `emails/welcome`.
    pub fn path(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, path)| path)
    }
}

/// Decodes a part of a URL path (RFC 3986, section 2.1) once. Text that was encoded twice
/// keeps its `%`, which no grammar allows.
pub(crate) fn decode_url_path(raw: &str) -> Result<Cow<'_, str>, GrammarError> {
    percent_decode_str(raw).decode_utf8().map_err(|error| GrammarError {
        grammar: Grammar::Name,
        at: error.valid_up_to(),
        why: "the percent-decoded path is not UTF-8",
    })
}

impl FromStr for ComponentName {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let fail = |at, why| Err(GrammarError { grammar: Grammar::Name, at, why });
        if text.len() > Self::MAX_LEN {
            return fail(Self::MAX_LEN, "longer than 200 bytes");
        }
        let mut start = 0;
        for part in text.split('/') {
            segment(part, start, Grammar::Name)?;
            start += part.len() + 1;
        }
        let Some((kind, _)) = text.split_once('/') else {
            return fail(text.len(), "a type and a name, with '/' between them, are needed");
        };
        if !kind.starts_with(|c: char| c.is_ascii_lowercase()) {
            return fail(0, "the type begins with a lower-case letter");
        }
        if RESERVED_TYPES.contains(&kind) {
            return fail(0, "this type is reserved");
        }
        Ok(Self(text.to_owned()))
    }
}

crate::text::stored_as_text!(ComponentName, GrammarError);

impl fmt::Display for ComponentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, at: usize) {
        let error = text.parse::<ComponentName>().unwrap_err();
        assert_eq!(error.at, at, "{text}: {error}");
    }

    #[test]
    fn names_have_a_type_and_a_path() {
        for (text, kind, path) in [
            ("prompts/extraction", "prompts", "extraction"),
            ("templates/emails/welcome", "templates", "emails/welcome"),
            ("a/0", "a", "0"),
            ("prompts/v1.2", "prompts", "v1.2"),
        ] {
            let name: ComponentName = text.parse().unwrap();
            assert_eq!((name.type_name(), name.path()), (kind, path));
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn errors_have_the_position_of_the_mistake() {
        refused("", 0);
        refused("prompts", 7);
        refused("prompts/", 8);
        refused("/prompts", 0);
        refused("prompts//a", 8);
        refused("prompts/a@b", 9);
        refused("prompts/.a", 8);
        refused("prompts/a..b", 9);
        refused("prompts/a.", 9);
        refused("prompts/a.lock", 9);
        refused("prompts/--help", 8);
        refused("prompts/gr\u{fc}n", 10);
        refused("Prompts/a", 0);
        refused("1/a", 0);
        refused("sha256/abc", 0);
        refused("components/prompts/a", 0);
        refused(&format!("p/{}", "a".repeat(199)), 200);
    }
}
