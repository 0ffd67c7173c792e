//! Slots: movable names for a version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::grammar::{Grammar, GrammarError, segment};

/// A movable name for a version: `production`, `canary`, `ring-0`, `latest`.
///
/// It begins with a letter and can never be parsed as a version, a `SemVer` range in npm's
/// grammar, or a commit id: `v1`, `x`, `vX.1` and forty hex digits are not slots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slot(String);

impl Slot {
    /// The longest slot, in bytes.
    pub const MAX_LEN: usize = 64;

    /// The slot that names a component's highest release.
    pub const LATEST: &str = "latest";

    /// Returns the slot's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the slot `latest`.
    pub fn latest() -> Self {
        Self(Self::LATEST.to_owned())
    }
}

/// Tells if npm would parse `text` as a range: it skips any number of leading `v`s before a
/// number or an `x` (node-semver's `XRANGEPLAIN`).
fn reads_as_range(text: &str) -> bool {
    // npm accepts only a lower-case `v`, but people who write `V` mean a version.
    let rest = text.trim_start_matches(['v', 'V']);
    let after_x = rest.strip_prefix(['x', 'X']);
    rest.starts_with(|c: char| c.is_ascii_digit())
        || after_x.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn reads_as_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl FromStr for Slot {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let fail = |at, why| Err(GrammarError { grammar: Grammar::Slot, at, why });
        if text.len() > Self::MAX_LEN {
            return fail(Self::MAX_LEN, "longer than 64 bytes");
        }
        segment(text, 0, Grammar::Slot)?;
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return fail(0, "a slot begins with a letter");
        }
        if reads_as_range(text) {
            return fail(0, "this reads as a version or a range");
        }
        if reads_as_commit(text) {
            return fail(0, "this reads as a commit id");
        }
        Ok(Self(text.to_owned()))
    }
}

crate::text::stored_as_text!(Slot, GrammarError);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_the_slots_of_the_guide() {
        for text in [
            "production",
            "staging",
            "canary",
            "canary-5",
            "blue",
            "green",
            "control",
            "treatment",
            "ring-0",
            "rollout-10pct",
            "latest",
            "vip",
            "xl",
            "v",
            "release-1.2",
            "X-ray",
        ] {
            assert_eq!(text.parse::<Slot>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn parse_refuses_versions_ranges_and_commits() {
        for text in [
            "",
            "v1",
            "v1.0",
            "1.0.0",
            "v01.02.03",
            "v1.0.0-rc_1",
            "vv2",
            "x",
            "X",
            "vx",
            "x.1",
            "vX.2",
            "_a",
            "-a",
            "a b",
            "a@b",
            "a/b",
            "a..b",
            "a.",
            "a.lock",
            "sha256:00",
            "abcdefabcdefabcdefabcdefabcdefabcdefabcd",
            "gr\u{fc}n",
        ] {
            assert!(text.parse::<Slot>().is_err(), "{text}");
        }
        assert!("a".repeat(65).parse::<Slot>().is_err());
    }
}
