//! Versions: immutable snapshots of a component.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::grammar::{Grammar, GrammarError};

/// A version of a component.
///
/// It is written `v1.1.0` (`v` and [SemVer 2.0](https://semver.org), with optional pre-release
/// and build metadata), or as a full commit id if a slot was set to a commit without a version
/// tag. The parser also accepts `1.1.0` and upper-case hex. Each version is written in one
/// spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Version {
    /// The `SemVer` version of a version tag.
    Release(semver::Version),
    /// A commit without a version tag.
    Commit(CommitId),
}

impl Version {
    /// The longest spelling, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Returns the `SemVer` version, or `None` for a commit id.
    pub fn semver(&self) -> Option<&semver::Version> {
        match self {
            Self::Release(version) => Some(version),
            Self::Commit(_) => None,
        }
    }

    /// Tells if this is a `SemVer` version without a pre-release part.
    pub fn is_stable(&self) -> bool {
        self.semver().is_some_and(|version| version.pre.is_empty())
    }
}

/// The largest number of a version: `Number.MAX_SAFE_INTEGER` of JavaScript, the largest that
/// npm accepts. A pre-release may have larger numbers.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The error of a version with a larger number.
pub(crate) const NUMBER_TOO_LARGE: &str = "a number is larger than 9007199254740991";

/// A number of a version that `bump` increments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first number: a feature was removed or changed incompatibly.
    Major,
    /// The second number: a feature was added.
    Minor,
    /// The third number: a defect was fixed.
    Patch,
}

/// Returns the next version, with npm's meaning: a pre-release that leads up to such a version
/// becomes it (`v2.0.0-rc.1` becomes `v2.0.0` with any of the three). The first version is
/// counted from zero. Returns `None` if a number would be too large.
pub fn next_version(highest: Option<&Version>, part: Part) -> Option<Version> {
    let none = semver::Version::new(0, 0, 0);
    let highest = highest.and_then(Version::semver).unwrap_or(&none);
    let semver::Version { major, minor, patch, pre, .. } = highest;
    let next = |number: &u64| (*number < MAX_NUMBER).then_some(number + 1);
    let (major, minor, patch) = match part {
        Part::Patch if !pre.is_empty() => (*major, *minor, *patch),
        Part::Minor if !pre.is_empty() && *patch == 0 => (*major, *minor, 0),
        Part::Major if !pre.is_empty() && *minor == 0 && *patch == 0 => (*major, 0, 0),
        Part::Patch => (*major, *minor, next(patch)?),
        Part::Minor => (*major, next(minor)?, 0),
        Part::Major => (next(major)?, 0, 0),
    };
    Some(Version::Release(semver::Version::new(major, minor, patch)))
}

/// Orders by `SemVer` precedence, then by build metadata. Commits come before all releases.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Release(a), Self::Release(b)) => a.cmp(b),
            (Self::Commit(a), Self::Commit(b)) => a.cmp(b),
            (Self::Commit(_), Self::Release(_)) => Ordering::Less,
            (Self::Release(_), Self::Commit(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Version {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let fail = |why| GrammarError { grammar: Grammar::Version, at: 0, why };
        let number = text.strip_prefix('v').unwrap_or(text);
        // The limit includes the leading `v`.
        if number.len() >= Self::MAX_LEN {
            let at = Self::MAX_LEN.min(text.len());
            return Err(GrammarError { at, ..fail("longer than 128 bytes") });
        }
        if let Ok(commit) = text.parse() {
            return Ok(Self::Commit(commit));
        }
        match semver::Version::parse(number) {
            Ok(semver::Version { major, minor, patch, .. })
                if major.max(minor).max(patch) > MAX_NUMBER =>
            {
                Err(fail(NUMBER_TOO_LARGE))
            }
            Ok(version) => Ok(Self::Release(version)),
            Err(_) => Err(fail("neither a SemVer version nor a full commit id")),
        }
    }
}

crate::text::stored_as_text!(Version, GrammarError);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(version) => write!(f, "v{version}"),
            Self::Commit(commit) => commit.fmt(f),
        }
    }
}

/// A full Git commit id, 40 lower-case hex digits (64 in a SHA-256 repository).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

impl CommitId {
    /// Returns the hex digits of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommitId {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex || !matches!(text.len(), 40 | 64) {
            let why = "a commit id is 40 or 64 hexadecimal digits";
            return Err(GrammarError { grammar: Grammar::Version, at: 0, why });
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

crate::text::stored_as_text!(CommitId, GrammarError);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "947e4e2247da185c97ee358273a064bc3e3e0fed";

    #[test]
    fn the_longest_version_includes_its_v() {
        let number = format!("1.0.0-{}", "a".repeat(Version::MAX_LEN - 7));
        let longest: Version = number.parse().unwrap();
        assert_eq!(longest.to_string().len(), Version::MAX_LEN);
        assert_eq!(longest.to_string().parse(), Ok(longest));
        for text in [format!("{number}a"), format!("v{number}a")] {
            assert_eq!(text.parse::<Version>().unwrap_err().at, Version::MAX_LEN, "{text}");
        }
    }

    #[test]
    fn next_versions_agree_with_npm() {
        for (version, major, minor, patch) in [
            ("0.0.0", "v1.0.0", "v0.1.0", "v0.0.1"),
            ("1.2.3+b", "v2.0.0", "v1.3.0", "v1.2.4"),
            ("2.0.0-rc.1", "v2.0.0", "v2.0.0", "v2.0.0"),
            ("1.2.0-rc.1", "v2.0.0", "v1.2.0", "v1.2.0"),
            ("1.2.3-0", "v2.0.0", "v1.3.0", "v1.2.3"),
        ] {
            let version = version.parse().unwrap();
            let bumped = |part| next_version(Some(&version), part).unwrap().to_string();
            let all = [bumped(Part::Major), bumped(Part::Minor), bumped(Part::Patch)];
            assert_eq!(all, [major, minor, patch], "{version}");
        }
        let last = Version::Release(semver::Version::new(0, 0, MAX_NUMBER));
        assert_eq!(next_version(Some(&last), Part::Patch), None);
        assert_eq!(next_version(None, Part::Minor), "v0.1.0".parse().ok());
    }

    #[test]
    fn versions_are_written_in_one_spelling() {
        for (read, written) in [
            ("v1.1.0", "v1.1.0"),
            ("1.1.0", "v1.1.0"),
            ("v2.0.0-beta.1+build.5", "v2.0.0-beta.1+build.5"),
            ("v9007199254740991.0.0", "v9007199254740991.0.0"),
            ("v1.0.0-9007199254740993", "v1.0.0-9007199254740993"),
            (COMMIT, COMMIT),
            (&COMMIT.to_uppercase(), COMMIT),
        ] {
            assert_eq!(read.parse::<Version>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn parse_refuses_versions_that_edgit_accepts() {
        for text in [
            "",
            "v",
            "v1",
            "v1.0",
            "v01.02.03",
            "v1.0.0-rc_1",
            "vv1.0.0",
            "V1.0.0",
            "1.0.0 ",
            "v1.0.0-01",
            "v99999999999999999999.0.0",
            "v9007199254740992.0.0",
            "v0.9007199254740992.0",
            "v0.0.18446744073709551615",
            "947e4e2",
            "latest",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        assert!(format!("v1.0.0-{}", "a".repeat(122)).parse::<Version>().is_err());
    }

    #[test]
    fn versions_are_ordered_by_precedence() {
        let sorted = [COMMIT, "v1.0.0-rc.2", "v1.0.0-rc.10", "v1.0.0", "v1.2.0", "v1.10.0"];
        let parsed: Vec<Version> = sorted.iter().map(|text| text.parse().unwrap()).collect();
        assert!(parsed.is_sorted());
        assert!(parsed[3].is_stable() && !parsed[2].is_stable() && !parsed[0].is_stable());
    }
}
