//! The last segment of a tag's name: a version or a slot.

use std::fmt;
use std::str::FromStr;

use catalog::slot::Slot;
use catalog::version::{CommitId, Version};
use notice::printable;

use super::misspelt::{flaw, meant};

/// The target of a tag: the version or slot that its last segment names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagTarget {
    /// A version: `v1.1.0`.
    Version(Version),
    /// A slot: `production`.
    Slot(Slot),
}

impl fmt::Display for TagTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Slot(slot) => slot.fmt(f),
        }
    }
}

/// The reason why a text is neither a version nor a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    pub(super) why: String,
    pub(super) meant: Option<Version>,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        match &self.meant {
            Some(version) => write!(f, "; did you mean {version}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TargetError {}

impl FromStr for TagTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        parse(text)
    }
}

fn parse(leaf: &str) -> Result<TagTarget, TargetError> {
    let version = leaf.parse::<Version>();
    if let (Ok(version @ Version::Release(_)), true) = (&version, leaf.starts_with('v')) {
        return Ok(TagTarget::Version(version.clone()));
    }
    if leaf.parse::<CommitId>().is_ok() {
        let why = "a full commit id is neither a version nor a slot".to_owned();
        return Err(TargetError { why, meant: None });
    }
    let slot_error = match leaf.parse::<Slot>() {
        Ok(slot) => return Ok(TagTarget::Slot(slot)),
        Err(error) => error,
    };
    let shown = printable(leaf.as_bytes());
    if let Some(meant) = meant(leaf) {
        let why = format!("{shown} is not 'v' and a SemVer 2.0 version: {}", flaw(leaf));
        return Err(TargetError { why, meant: Some(meant) });
    }
    let numbered = leaf.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let error = version.err().filter(|_| numbered).unwrap_or(slot_error);
    Err(TargetError { why: format!("{shown} is {error}"), meant: None })
}
