//! Parse errors: the grammar, the position and the rule that was broken.

use std::fmt;

/// The grammars of the texts that users write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `<type>/<name>`.
    Name,
    /// A movable name for a version.
    Slot,
    /// `v` and a `SemVer` version, or a full commit id.
    Version,
    /// A `SemVer` range in npm's grammar.
    Range,
    /// `sha256:` and 64 hex digits.
    Digest,
    /// The part of an address after the last `@`.
    Reference,
}

impl Grammar {
    /// Returns the name of the grammar.
    pub fn title(self) -> &'static str {
        match self {
            Self::Name => "component name",
            Self::Slot => "slot",
            Self::Version => "version",
            Self::Range => "range",
            Self::Digest => "digest",
            Self::Reference => "reference",
        }
    }

    /// Returns the grammar in one line.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Name => {
                "<type>/<name>: segments of ASCII letters, digits, '_', '-' and single inner '.', \
                 each beginning with a letter or digit, the type with a lower-case letter; \
                 200 bytes at most"
            }
            Self::Slot => {
                "a letter, then ASCII letters, digits, '_', '-' and single inner '.'; \
                 nothing that reads as a version, a range or a commit id; 64 bytes at most"
            }
            Self::Version => {
                "'v' and a SemVer 2.0 version (v1.2.3, v1.0.0-rc.1), or a full commit id; \
                 128 bytes at most"
            }
            Self::Range => {
                "a SemVer range in npm's grammar (^1.2, ~1.2.3, 1.x, >=1.2 <2, ^1 || ^2); \
                 256 bytes and 16 comparators at most"
            }
            Self::Digest => "'sha256:' and 64 hexadecimal digits",
            Self::Reference => {
                "a version (v1.2.3), a range (^1.2), a full commit id, a digest (sha256:...) \
                 or a slot (production)"
            }
        }
    }
}

/// A parse error: the grammar, the byte offset and the reason.
///
/// It never contains the text, so it can be shown anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrammarError {
    /// The grammar.
    pub grammar: Grammar,
    /// The byte offset at which the rule is broken.
    pub at: usize,
    /// The rule that is broken.
    pub why: &'static str,
}

impl fmt::Display for GrammarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grammar, at, why } = self;
        write!(f, "not a {} at byte {at}: {why} (a {0} is {1})", grammar.title(), grammar.rule())
    }
}

impl std::error::Error for GrammarError {}

/// Checks one segment of a path-like name: the part of Git's ref names
/// (`git check-ref-format`) that is also plain in a URL and in a shell.
///
/// `start` is the segment's offset in the whole text.
pub(crate) fn segment(text: &str, start: usize, grammar: Grammar) -> Result<(), GrammarError> {
    let fail = |at: usize, why| Err(GrammarError { grammar, at: start + at, why });
    if text.is_empty() {
        return fail(0, "a segment is empty");
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return fail(0, "a segment begins with a letter or a digit");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(at) = text.find(|c| !plain(c)) {
        return fail(at, "a character outside of letters, digits, '.', '_' and '-'");
    }
    if let Some(at) = text.as_bytes().windows(2).position(|pair| pair == b"..") {
        return fail(at, "two dots in a row");
    }
    if text.ends_with('.') {
        return fail(text.len() - 1, "a segment ends with a dot");
    }
    if text.ends_with(".lock") {
        return fail(text.len() - 5, "Git keeps names that end with .lock for itself");
    }
    Ok(())
}
