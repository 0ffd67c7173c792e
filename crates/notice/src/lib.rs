//! Notices to users, in text that is safe to print.
//!
//! In scope: a [`Notice`], the error that carries one ([`Refused`]), and escaping of characters
//! in foreign text that change what a terminal shows.
//!
//! Out of scope: the decision when to give a notice, which each crate makes itself, and its
//! appearance on a terminal (`crates/slotctl`).

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// A message about a tag or a component for its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Notice {
    /// The tag or component it is about, decoded lossily, control characters escaped.
    pub subject: String,
    /// The finding.
    pub what: String,
    /// Advice for the user.
    pub help: Option<String>,
}

/// An error with a [`Notice`].
#[derive(Debug)]
pub struct Refused(pub Notice);

impl Refused {
    /// Creates an error from its subject, its reason and its advice.
    pub fn new(
        subject: impl Into<String>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self(Notice { subject: subject.into(), what: what.into(), help: Some(help.into()) })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.subject, self.0.what)
    }
}

impl std::error::Error for Refused {}

/// Tells if a character invisibly changes how the text around it is shown: one of Unicode's
/// bidirectional controls (UAX #9), which can make a name look like another.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Turns bytes from a repository into text that is safe to print: bytes that are not UTF-8
/// become U+FFFD, control characters are escaped (`\u{1b}`).
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for c in String::from_utf8_lossy(bytes).chars() {
        match c.is_control() || reorders(c) {
            true => text.extend(c.escape_default()),
            false => text.push(c),
        }
    }
    text
}

/// Returns the first line of `bytes` that is not blank, without control characters and
/// surrounding space, at most `max` bytes long.
///
/// The result is stored in records. The limit keeps long names and subjects from making them
/// large.
pub fn one_line(bytes: &[u8], max: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    let plain = |c: char| !c.is_control() && !reorders(c);
    let line: Cow<'_, str> = match line.chars().all(plain) {
        true => Cow::Borrowed(line),
        false => Cow::Owned(line.chars().filter(|c| plain(*c)).collect()),
    };
    let end = line.floor_char_boundary(max);
    line.get(..end).unwrap_or("").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_escapes_control_characters() {
        for (bytes, shown) in [
            (&b"components/prompts/a"[..], "components/prompts/a"),
            (b"a\x1b[31mred", "a\\u{1b}[31mred"),
            (b"gr\xfcn", "gr\u{fffd}n"),
            ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            ("a\u{202e}b".as_bytes(), "a\\u{202e}b"),
            (b"a\nb\0", "a\\nb\\u{0}"),
        ] {
            assert_eq!(printable(bytes), shown);
        }
    }

    #[test]
    fn one_line_returns_the_first_line_within_the_limit() {
        for (bytes, max, line) in [
            (&b""[..], 9, ""),
            (b"\n \n  Release 1.0  \n\nbody", 99, "Release 1.0"),
            (b"a\x1b[0mb", 99, "a[0mb"),
            ("\u{e9}\u{e9}".as_bytes(), 3, "\u{e9}"),
            (b"ab cd", 3, "ab"),
            (b"\xff", 1, ""),
        ] {
            assert_eq!(one_line(bytes, max), line);
        }
    }
}
