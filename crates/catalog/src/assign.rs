//! The assignment of a caller to a target of a slot.
//!
//! The rules apply in this order: an override that names a version of the slot, a segment
//! that the slot routes separately, the version key of the caller, a random number. The hash
//! of the key depends on neither the slot nor the versions. So the first target only gains
//! callers while its weight grows, a ramp that is stopped and started again keeps its
//! callers, and the callers at 5 % are among those at 25 %.
//!
//! The hash is part of the record format and never changes. The golden vectors in
//! `tests/vectors/assignment.json` pin it for other languages.

use std::fmt;

use serde::Serialize;

use crate::name::ComponentName;
use crate::record::{Arm, FULL_WEIGHT, SlotRecord, Target};
use crate::version::Version;

/// The caller, as far as an assignment depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The override: a version that the caller wants instead of the assigned one.
    pub version_override: Option<VersionOverride>,
    /// The groups to which the caller says that it belongs. The first one that the slot
    /// routes separately counts.
    pub segments: Vec<String>,
    /// The version key: the same key gets the same target.
    pub key: Option<String>,
}

/// Reads the version key of a caller. Spaces and tabs around it do not count, as around the
/// value of a header (RFC 9110, section 5.5). A key of only these counts as absent.
///
/// One rule for every way in: header, query parameter, body, service binding and `slotctl`.
pub fn version_key(text: &str) -> Option<String> {
    trimmed(text)
}

/// Reads the segments that a caller declares, each like a version key.
pub fn segments<'a>(list: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let segments = list.into_iter().filter_map(trimmed);
    // One more than is accepted is enough to refuse the caller.
    segments.take(Caller::MAX_SEGMENTS + 1).collect()
}

fn trimmed(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// The reason why a caller is refused: a slot would need more of it than is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerError {
    /// The version key is too long.
    Key,
    /// There are too many segments, or one is too long.
    Segments,
}

impl Caller {
    /// The longest version key, in bytes.
    pub const MAX_KEY: usize = 256;

    /// The maximum number of segments.
    pub const MAX_SEGMENTS: usize = 32;

    /// The longest segment, in bytes.
    pub const MAX_SEGMENT: usize = 64;

    /// Checks the sizes of everything that the caller has sent.
    ///
    /// # Errors
    ///
    /// The first part that is too large.
    pub fn check(&self) -> Result<(), CallerError> {
        self.check_key()?;
        self.check_segments()
    }

    /// Checks the sizes of what the assignment in a slot depends on.
    ///
    /// # Errors
    ///
    /// The first part that is too large.
    pub fn check_for(&self, slot: &SlotRecord) -> Result<(), CallerError> {
        if slot.targets.len() > 1 {
            self.check_key()?;
        }
        if slot.segments.is_empty() { Ok(()) } else { self.check_segments() }
    }

    fn check_key(&self) -> Result<(), CallerError> {
        let too_long = self.key.as_ref().is_some_and(|key| key.len() > Self::MAX_KEY);
        if too_long { Err(CallerError::Key) } else { Ok(()) }
    }

    fn check_segments(&self) -> Result<(), CallerError> {
        let too_long = self.segments.iter().any(|segment| segment.len() > Self::MAX_SEGMENT);
        match too_long || self.segments.len() > Self::MAX_SEGMENTS {
            true => Err(CallerError::Segments),
            false => Ok(()),
        }
    }
}

impl fmt::Display for CallerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => write!(f, "a version key has at most {} bytes", Caller::MAX_KEY),
            Self::Segments => write!(
                f,
                "a caller has at most {} segments of at most {} bytes",
                Caller::MAX_SEGMENTS,
                Caller::MAX_SEGMENT
            ),
        }
    }
}

impl std::error::Error for CallerError {}

/// The value of an override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionOverride {
    /// This version.
    Version(Version),
    /// Text that is not a version, so no slot has it.
    Invalid,
}

/// The rule that chose a version of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Assignment {
    /// The override names a version of the slot.
    Override,
    /// The slot routes a group of the caller separately.
    Segment,
    /// The version key of the caller.
    Key,
    /// A random number for this request alone.
    Random,
    /// One target has all of the traffic.
    Sole,
}

impl Assignment {
    /// Returns the value of `Component-Assignment`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Segment => "segment",
            Self::Key => "key",
            Self::Random => "random",
            Self::Sole => "sole",
        }
    }
}

/// A decision and the rule that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The version that the caller gets.
    pub arm: &'a Arm,
    /// The rule.
    pub assignment: Assignment,
    /// The point of the caller, below [`FULL_WEIGHT`], if it decided.
    pub point: Option<u32>,
    /// The override names a version that is not in the slot.
    pub override_ignored: bool,
}

/// Converts a random number or a hash to a point: `(value × 100,000) >> 32`.
pub fn point_of(value: u32) -> u32 {
    let scaled = (u64::from(value) * u64::from(FULL_WEIGHT)) >> 32;
    u32::try_from(scaled).unwrap_or(FULL_WEIGHT - 1)
}

/// Computes the point of a version key for a component from the 32-bit `MurmurHash3` (x86, seed
/// 0) of `<type>/<name>`, a NUL byte and the key.
pub fn point(name: &ComponentName, key: &str) -> u32 {
    let text = [name.as_str().as_bytes(), b"\0", key.as_bytes()].concat();
    // Reading from memory does not fail.
    point_of(murmur3::murmur3_32(&mut text.as_slice(), 0).unwrap_or_default())
}

/// Returns the first target whose cumulative weight exceeds the point.
fn at_point(targets: &[Target], point: u32) -> Option<&Target> {
    let mut upper = 0;
    targets.iter().find(|target| {
        upper += target.weight;
        point < upper
    })
}

/// Decides which version of a slot of the component `name` a caller gets. `random` returns 32
/// random bits and is called if no property of the caller decides. Returns `None` for a record
/// without a target at that point, which [`crate::record::parse`] refuses.
pub fn decide<'a>(
    record: &'a SlotRecord,
    name: &ComponentName,
    caller: &Caller,
    random: &dyn Fn() -> u32,
) -> Option<Decision<'a>> {
    let wanted = caller.version_override.as_ref().map(|wanted| arm_of(record, wanted));
    let override_ignored = matches!(wanted, Some(None));
    let decided = |arm, assignment, point| Decision { arm, assignment, point, override_ignored };
    if let Some(Some(arm)) = wanted {
        return Some(decided(arm, Assignment::Override, None));
    }
    if let Some(arm) = caller.segments.iter().find_map(|group| record.segments.get(group)) {
        return Some(decided(arm, Assignment::Segment, None));
    }
    if let Some(target) = record.targets.iter().find(|target| target.weight == FULL_WEIGHT) {
        return Some(decided(&target.arm, Assignment::Sole, None));
    }
    let (point, assignment) = match &caller.key {
        Some(key) => (point(name, key), Assignment::Key),
        None => (point_of(random()), Assignment::Random),
    };
    let target = at_point(&record.targets, point)?;
    Some(decided(&target.arm, assignment, Some(point)))
}

/// Returns the arm that an override names.
fn arm_of<'a>(record: &'a SlotRecord, wanted: &VersionOverride) -> Option<&'a Arm> {
    let VersionOverride::Version(version) = wanted else { return None };
    record.arms().find(|arm| arm.snapshot.version == *version)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
#[path = "assign_tests.rs"]
mod tests;
