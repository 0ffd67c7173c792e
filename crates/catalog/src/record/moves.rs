//! The moves of a slot: the changes of its version or of how it shares out its traffic.

use serde::{Deserialize, Serialize};
use vecmap::VecMap;

use super::hold::Gone;
use super::slot::{Arm, SlotRecord, Target};
use crate::slot::Slot;
use crate::timestamp::Timestamp;
use crate::version::{CommitId, Version};

/// A change of a slot's version or traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The version before; missing for a new slot.
    pub from: Option<Version>,
    /// The version after. It equals `from` if only the traffic was shared out differently.
    pub to: Version,
    /// The commit of `to`.
    pub commit: CommitId,
    /// The person who moved the slot.
    pub author: String,
    /// The time of the move.
    pub time: Timestamp,
    /// The reason, from the message of the slot's tag.
    pub why: String,
    /// The traffic before and after; missing if the slot sent all traffic to its own version
    /// both times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Box<TrafficMove>>,
    /// True if the move put the slot on hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// The traffic of a slot before and after a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficMove {
    /// The traffic before; missing for a new slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PastTraffic>,
    /// The traffic after.
    pub to: PastTraffic,
}

/// The versions that shared the traffic of a slot at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastTraffic {
    /// The targets, in the order of assignment.
    pub targets: Vec<PastTarget>,
    /// The groups of callers that were routed separately.
    #[serde(default, skip_serializing_if = "VecMap::is_empty")]
    pub segments: VecMap<String, PastArm>,
    /// The reason why the slot served no caller, if it served none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
}

/// A version with its share of a slot's traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastTarget {
    /// The slot that the version belongs to.
    pub slot: Slot,
    /// The version.
    pub version: Version,
    /// Its share, in thousandths of a percent.
    pub weight: u32,
}

/// A version that a segment got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastArm {
    /// The slot that the version belongs to.
    pub slot: Slot,
    /// The version.
    pub version: Version,
}

impl PastTraffic {
    /// Tells if every caller got the version of `slot` itself.
    pub fn is_sole(&self, slot: &Slot) -> bool {
        let own = matches!(self.targets.as_slice(), [target] if target.slot == *slot);
        own && self.segments.is_empty()
    }
}

impl From<&SlotRecord> for PastTraffic {
    fn from(record: &SlotRecord) -> Self {
        let target = |Target { arm: Arm { slot, snapshot }, weight }: &Target| PastTarget {
            slot: slot.clone(),
            version: snapshot.version.clone(),
            weight: *weight,
        };
        let segment = |(group, Arm { slot, snapshot }): (&String, &Arm)| {
            let (slot, version) = (slot.clone(), snapshot.version.clone());
            (group.clone(), PastArm { slot, version })
        };
        Self {
            targets: record.targets.iter().map(target).collect(),
            segments: record.segments.iter().map(segment).collect(),
            gone: record.gone.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_of_all_releases_are_written_and_read_back() {
        let sha = "947e4e2247da185c97ee358273a064bc3e3e0fed";
        let head = format!(
            r#"{{"from":"v1.0.0","to":"v1.0.0","commit":"{sha}","author":"Ada","time":"2026-11-20T23:59:27Z","why":"it leaks""#
        );
        for rest in [
            "}",
            r#","held":true}"#,
            r#","traffic":{"to":{"targets":[{"slot":"production","version":"v1.0.0","weight":100000}]}},"held":true}"#,
            r#","traffic":{"from":{"targets":[],"gone":{"version":"v1.0.0","reason":"bad"}},"to":{"targets":[{"slot":"canary","version":"v1.1.0","weight":10000},{"slot":"production","version":"v1.0.0","weight":90000}],"segments":{"beta":{"slot":"canary","version":"v1.1.0"}}}}}"#,
        ] {
            let text = format!("{head}{rest}");
            let moved: Move = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&moved).unwrap(), text);
        }
    }
}
