//! Paths from outside of this software: from a trailer or a registry.

use std::fmt;

use notice::printable;

/// A path inside a commit: relative, with `/` between its segments. No segment is `.`, `..` or
/// empty, and it has no control characters and no backslash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

/// The error for a path that is not inside a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The path, safe to print.
    pub shown: String,
    /// The rule that the path breaks.
    pub why: &'static str,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the path '{}' is refused: {}", self.shown, self.why)
    }
}

impl std::error::Error for PathError {}

impl RepoPath {
    /// The longest path, in bytes: `PATH_MAX` of Linux. A checkout can't hold a file with a
    /// longer path.
    pub const MAX_LEN: usize = 4096;

    /// Parses a path as a person or edgit wrote it; `.` segments are dropped.
    ///
    /// # Errors
    ///
    /// [`PathError`] if it is not a relative path inside the repository.
    pub fn parse(bytes: &[u8]) -> Result<Self, PathError> {
        let refuse = |why| Err(PathError { shown: printable(bytes), why });
        let Ok(text) = std::str::from_utf8(bytes) else {
            return refuse("it is not UTF-8");
        };
        if let Some(why) = flaw(text) {
            return refuse(why);
        }
        let segments: Vec<&str> = text.split('/').filter(|segment| *segment != ".").collect();
        match segments.as_slice() {
            [] => refuse("it names a folder"),
            [.., ""] => refuse("it names a folder"),
            all if all.contains(&"") => refuse("a segment is empty"),
            all if all.contains(&"..") => refuse("'..' leads out of its folder"),
            // `./C:/a` is as absolute as `C:/a`.
            [first, ..] if has_drive(first) => refuse(ABSOLUTE),
            all => Ok(Self(all.join("/"))),
        }
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the file's folder (empty for the root) and the file's name.
    pub fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

const ABSOLUTE: &str = "it is absolute; write it from the root of the repository";

/// Tells if Windows reads the first segment of a path as a drive.
fn has_drive(first: &str) -> bool {
    let mut chars = first.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':')
}

/// Returns the rule that the whole text breaks, if any.
fn flaw(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > RepoPath::MAX_LEN {
        return Some("it is longer than 4096 bytes");
    }
    if text.chars().any(char::is_control) {
        return Some("it holds a control character");
    }
    if text.contains('\\') {
        return Some("it holds a backslash; write it with '/'");
    }
    if text.starts_with('/') {
        return Some(ABSOLUTE);
    }
    None
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parse_accepts_and_normalizes_relative_paths() {
        for (text, path, split) in [
            ("prompts/a.md", "prompts/a.md", ("prompts", "a.md")),
            ("./prompts/a.md", "prompts/a.md", ("prompts", "a.md")),
            ("././a", "a", ("", "a")),
            ("a/./b", "a/b", ("a", "b")),
            ("a b/\u{fc}.md", "a b/\u{fc}.md", ("a b", "\u{fc}.md")),
            ("...", "...", ("", "...")),
            ("--help", "--help", ("", "--help")),
        ] {
            let parsed = RepoPath::parse(text.as_bytes()).unwrap();
            assert_eq!((parsed.as_str(), parsed.split()), (path, split));
        }
    }

    #[test]
    fn parse_refuses_invalid_paths_with_the_rule() {
        for (bytes, why) in [
            (&b""[..], "empty"),
            (b".", "folder"),
            (b"./", "folder"),
            (b"prompts/", "folder"),
            (b"/etc/passwd", "absolute"),
            (b"C:/a", "absolute"),
            (b"./C:/a", "absolute"),
            (b"../a", "'..'"),
            (b"a/../../b", "'..'"),
            (b"a/..", "'..'"),
            (b"a//b", "segment is empty"),
            (b".//a", "segment is empty"),
            (b"a\\b", "backslash"),
            (b"a\0b", "control"),
            (b"a\nb", "control"),
            (b"\xff", "UTF-8"),
        ] {
            let error = RepoPath::parse(bytes).unwrap_err();
            assert!(error.why.contains(why), "{error}");
            assert!(!error.to_string().contains(char::is_control));
        }
        assert!(RepoPath::parse(&[b'a'; RepoPath::MAX_LEN + 1]).is_err());
    }

    proptest! {
        #[test]
        fn accepted_paths_stay_inside_the_repository(bytes in "[./a\\\\:\\x00-\\x1f]{0,12}") {
            if let Ok(path) = RepoPath::parse(bytes.as_bytes()) {
                prop_assert!(path.as_str().split('/').all(|s| !matches!(s, "" | "." | "..")));
                prop_assert_eq!(RepoPath::parse(path.as_str().as_bytes()), Ok(path));
            }
        }
    }
}
