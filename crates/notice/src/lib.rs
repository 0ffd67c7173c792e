//! What users are told, in words that are safe to print.
//!
//! In scope: a [`Notice`], the error that carries one ([`Refused`]), and texts of
//! others without the characters that change what a terminal shows.
//!
//! Out of scope: when something is worth a notice, which each crate decides for
//! itself, and how it looks on a terminal (`crates/slotctl`).

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// Something about a tag or a component that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Notice {
    /// The tag or component it is about, decoded lossily, control characters escaped.
    pub subject: String,
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// An error with the way out.
#[derive(Debug)]
pub struct Refused(pub Notice);

impl Refused {
    /// What is refused, why, and what to do.
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

/// Characters that change how the text around them is shown without being seen:
/// Unicode's bidirectional controls (UAX #9) can make a name read as another.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bytes from a repository as text that a terminal or a log can show: what is not
/// UTF-8 as U+FFFD, control characters escaped (`\u{1b}`).
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

/// The first line of `bytes` that has something in it, without control characters
/// and the space around it, at most `max` bytes long.
///
/// It goes into records, where a name or a subject of any size would otherwise
/// decide how large they are.
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
    fn nothing_reaches_the_terminal_raw() {
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
    fn one_line_of_bounded_length() {
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
