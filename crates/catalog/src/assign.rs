//! Which of a slot's targets a caller gets.
//!
//! In this order: an override that names one of the targets, a segment that the
//! slot routes apart, the caller's version key, a draw. The hash of the key
//! depends on neither the slot nor the versions, so a target placed first only
//! ever gains callers while its weight grows, a ramp that is stopped and started
//! again keeps its callers, and those of 5 % are among those of 25 %.
//!
//! The hash is part of the record format and never changes; the golden vectors in
//! `tests/vectors/assignment.json` pin it for other languages.

use serde::Serialize;

use crate::name::ComponentName;
use crate::record::{Arm, FULL_WEIGHT, SlotRecord, Target};
use crate::version::Version;

/// Who asks, as far as a split depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// A version that the caller wants, if it is one of the slot's targets.
    pub wanted: Option<Wanted>,
    /// The groups that the caller says it belongs to; the first that the slot
    /// routes apart counts.
    pub segments: Vec<String>,
    /// What identifies the caller: the same key gets the same target.
    pub key: Option<String>,
}

/// What an override asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This version.
    Version(Version),
    /// Something that is no version, so no slot has it.
    Nothing,
}

/// The rule that chose among a slot's targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Assignment {
    /// The caller named one of the targets' versions.
    Override,
    /// The caller is of a group that the slot routes apart.
    Segment,
    /// The caller's version key.
    Key,
    /// A draw for this request alone.
    Random,
    /// One target has all the traffic.
    Sole,
}

impl Assignment {
    /// As `Component-Assignment` says it.
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

/// What was decided, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The version that the caller gets.
    pub arm: &'a Arm,
    /// The rule.
    pub assignment: Assignment,
    /// Where the caller stands, of [`FULL_WEIGHT`], where that decided.
    pub point: Option<u32>,
    /// The caller asked for a version that is none of the slot's targets.
    pub override_ignored: bool,
}

/// A draw's or a hash's place among the weights: `(value × 100,000) >> 32`.
pub fn point_of(value: u32) -> u32 {
    let scaled = (u64::from(value) * u64::from(FULL_WEIGHT)) >> 32;
    u32::try_from(scaled).unwrap_or(FULL_WEIGHT - 1)
}

/// Where a caller of a component stands: the place of the 32-bit MurmurHash3 (x86,
/// seed 0) of `<type>/<name>`, a NUL byte and the key.
pub fn point(name: &ComponentName, key: &str) -> u32 {
    let text = [name.as_str().as_bytes(), b"\0", key.as_bytes()].concat();
    // Reading from memory does not fail.
    point_of(murmur3::murmur3_32(&mut text.as_slice(), 0).unwrap_or_default())
}

/// The first target whose cumulative weight exceeds the point.
fn at_point(targets: &[Target], point: u32) -> Option<&Target> {
    let mut upper = 0;
    targets.iter().find(|target| {
        upper += target.weight;
        point < upper
    })
}

/// Decides which version of a slot of the component `name` a caller gets; `random` gives
/// 32 random bits and is called where nothing about the caller decides. `None` for a
/// record without a target at that point, which [`crate::record::parse`] refuses.
pub fn decide<'a>(
    record: &'a SlotRecord,
    name: &ComponentName,
    caller: &Caller,
    random: &dyn Fn() -> u32,
) -> Option<Decision<'a>> {
    let wanted = caller.wanted.as_ref().map(|wanted| arm_of(record, wanted));
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

/// The arm that an override names.
fn arm_of<'a>(record: &'a SlotRecord, wanted: &Wanted) -> Option<&'a Arm> {
    let Wanted::Version(version) = wanted else { return None };
    record.arms().find(|arm| arm.snapshot.version == *version)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
#[path = "assign_tests.rs"]
mod tests;
