//! References, which name a version of a component, and addresses.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::grammar::{Grammar, GrammarError};
use crate::name::{ComponentName, decode_url_path};
use crate::range::Range;
use crate::slot::Slot;
use crate::version::{NUMBER_TOO_LARGE, Version};

/// The part of an address after the last `@`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// An exact version: `v1.2.3`, `1.2.3`, or a full commit id.
    Version(Version),
    /// The highest version in a range: `^1.2`.
    Range(Range),
    /// The version with this content: `sha256:<64 hex digits>`.
    Digest(Digest),
    /// A slot: `production`.
    Slot(Slot),
}

impl FromStr for Reference {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        if let Some(hex) = text.strip_prefix(Digest::SCHEME) {
            let shift =
                |error: GrammarError| GrammarError { at: error.at + Digest::SCHEME.len(), ..error };
            return hex.parse().map(Self::Digest).map_err(shift);
        }
        match text.parse() {
            Ok(version) => return Ok(Self::Version(version)),
            Err(GrammarError { why: NUMBER_TOO_LARGE, at, .. }) => {
                return Err(GrammarError {
                    grammar: Grammar::Reference,
                    at,
                    why: NUMBER_TOO_LARGE,
                });
            }
            Err(_) => {}
        }
        // A slot begins with a letter. The only ranges that do have the form `v1` or `x`, and
        // these are not slots.
        let slot = match text.parse() {
            Ok(slot) => return Ok(Self::Slot(slot)),
            Err(error) => error,
        };
        // npm reads an empty range as "anything". Here an empty reference is a mistake.
        if text.trim().is_empty() {
            return Err(GrammarError { grammar: Grammar::Reference, at: 0, why: "it is empty" });
        }
        let range: Range = text.parse().map_err(|range| Self::explain(text, slot, range))?;
        // npm allows white space around a range. An exact version remains exact with white
        // space around it.
        Ok(range.to_string().parse().map_or(Self::Range(range), Self::Version))
    }
}

impl Reference {
    /// Chooses between two errors: that of the grammar that the text was probably meant for.
    fn explain(text: &str, slot: GrammarError, range: GrammarError) -> GrammarError {
        let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let meant = if named { slot } else { range };
        GrammarError { grammar: Grammar::Reference, ..meant }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Range(range) => range.fmt(f),
            Self::Digest(digest) => write!(f, "{}{digest}", Digest::SCHEME),
            Self::Slot(slot) => slot.fmt(f),
        }
    }
}

/// A component with an optional reference: `<type>/<name>[@<ref>]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The component.
    pub name: ComponentName,
    /// The reference; without one, the host of the request decides.
    pub reference: Option<Reference>,
}

impl Address {
    /// Parses the percent-encoded part of a URL path after `/components/`.
    ///
    /// # Errors
    ///
    /// [`GrammarError`] if the decoded text is not an address.
    pub fn from_url_path(raw: &str) -> Result<Self, GrammarError> {
        decode_url_path(raw)?.parse()
    }

    /// Returns the URL path of `version` of the component `name`: its canonical address.
    pub fn canonical_path(name: &ComponentName, version: &Version) -> String {
        // '+' is the only character of a version that some URL parsers interpret differently.
        let version = version.to_string();
        let encoded = match version.contains('+') {
            true => Cow::Owned(version.replace('+', "%2B")),
            false => Cow::Borrowed(version.as_str()),
        };
        format!("/components/{name}@{encoded}")
    }
}

impl FromStr for Address {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let Some((name, reference)) = text.rsplit_once('@') else {
            return Ok(Self { name: text.parse()?, reference: None });
        };
        let parsed: ComponentName = name.parse()?;
        let shift = |error: GrammarError| GrammarError { at: error.at + name.len() + 1, ..error };
        Ok(Self { name: parsed, reference: Some(reference.parse().map_err(shift)?) })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        match &self.reference {
            Some(reference) => write!(f, "@{reference}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_url_path_decodes_once() {
        for (raw, canonical) in [
            ("prompts/extraction@production", "prompts/extraction@production"),
            ("prompts%2Fextraction%40production", "prompts/extraction@production"),
            ("prompts/extraction@1.1.0", "prompts/extraction@v1.1.0"),
            ("prompts/extraction@%201.1.0%20", "prompts/extraction@v1.1.0"),
            ("prompts/extraction@v1.0.0+b", "prompts/extraction@v1.0.0+b"),
            ("prompts/extraction@v1.0.0%2Bb", "prompts/extraction@v1.0.0+b"),
            ("prompts/extraction", "prompts/extraction"),
            ("prompts/extraction@%3E%3D1.2%20%20%3C2", "prompts/extraction@>=1.2 <2"),
            ("prompts/extraction@v1.0", "prompts/extraction@v1.0"),
        ] {
            assert_eq!(Address::from_url_path(raw).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn errors_have_the_grammar_and_the_position() {
        for (raw, grammar, at) in [
            ("prompts/extraction@", Grammar::Reference, 19),
            ("prompts/extraction@v01.0", Grammar::Reference, 19),
            ("prompts/extraction@v9007199254740993.0.0", Grammar::Reference, 19),
            ("prompts/extraction@^1 || z", Grammar::Reference, 24),
            ("prompts/extraction@sha256:0", Grammar::Digest, 27),
            ("prompts/extraction@a b", Grammar::Reference, 20),
            ("prompts/a@b@production", Grammar::Name, 9),
            ("prompts%252Fextraction", Grammar::Name, 7),
            ("prompts/%ff", Grammar::Name, 8),
            ("prompts/extraction/@production", Grammar::Name, 19),
            ("prompts/%c0%af", Grammar::Name, 8),
            ("@production", Grammar::Name, 0),
        ] {
            let error = Address::from_url_path(raw).unwrap_err();
            assert_eq!((error.grammar, error.at), (grammar, at), "{raw}: {error}");
        }
    }

    #[test]
    fn canonical_paths_round_trip() {
        let name: ComponentName = "prompts/a".parse().unwrap();
        let version: Version = "v1.0.0-rc.1+b.2".parse().unwrap();
        let path = Address::canonical_path(&name, &version);
        assert_eq!(path, "/components/prompts/a@v1.0.0-rc.1%2Bb.2");
        let address = Address::from_url_path(path.strip_prefix("/components/").unwrap()).unwrap();
        assert_eq!(address.reference, Some(Reference::Version(version)));
    }
}
