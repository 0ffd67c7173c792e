//! Slot records: the versions that share the traffic of a slot.

use serde::{Deserialize, Serialize};
use vecmap::VecMap;

use super::bytes::{FORMAT, Record};
use super::hold::{Gone, Hold};
use super::rows::row;
use super::snapshot::Snapshot;
use crate::slot::Slot;
use crate::version::Version;

/// The sum of the weights of a slot's targets, in thousandths of a percent.
pub const FULL_WEIGHT: u32 = 100_000;

/// `SLOTS` `<name>@<slot>`: the versions of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRecord {
    /// The format of the record.
    pub format: u32,
    /// The name of the slot.
    pub slot: Slot,
    /// The versions that share the traffic of the slot, in the order of assignment.
    pub targets: Vec<Target>,
    /// The groups of callers that are routed separately, each to a version.
    #[serde(default, skip_serializing_if = "VecMap::is_empty")]
    pub segments: VecMap<String, Arm>,
    /// The hold, which keeps `sync` from changing the slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The reason why the slot serves no caller, if it serves none. It has no target then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
}

/// A version of a slot with its share of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ArmRow")]
pub struct Target {
    /// The version that gets the traffic.
    #[serde(flatten)]
    pub arm: Arm,
    /// Its share, in thousandths of a percent.
    pub weight: u32,
}

/// A version, and the slot to which it belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ArmRow")]
pub struct Arm {
    /// The slot.
    pub slot: Slot,
    /// Its version.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

impl SlotRecord {
    /// Creates a record that sends all traffic to the slot's own version.
    pub fn sole(slot: Slot, snapshot: Snapshot) -> Self {
        Self {
            format: FORMAT,
            slot: slot.clone(),
            targets: vec![Target { arm: Arm { slot, snapshot }, weight: FULL_WEIGHT }],
            segments: VecMap::new(),
            hold: None,
            gone: None,
        }
    }

    /// Creates a record that serves no caller, because the version that Git names is revoked.
    pub fn gone(slot: Slot, version: Version, reason: String) -> Self {
        let gone = Some(Gone { version, reason });
        Self {
            format: FORMAT,
            slot,
            targets: Vec::new(),
            segments: VecMap::new(),
            hold: None,
            gone,
        }
    }

    /// Returns the slot's own version, or `None` if all traffic is sent to versions of other
    /// slots.
    pub fn own(&self) -> Option<&Snapshot> {
        let own = self.targets.iter().find(|target| target.arm.slot == self.slot);
        own.map(|target| &target.arm.snapshot)
    }

    /// Returns the arm whose version counts as the version of the slot: its own, else the arm
    /// with all of the traffic, as for an alias. A split may have neither.
    pub fn lead(&self) -> Option<&Arm> {
        let own = self.targets.iter().find(|target| target.arm.slot == self.slot);
        let sole = self.targets.iter().find(|target| target.weight == FULL_WEIGHT);
        own.or(sole).map(|target| &target.arm)
    }

    /// Tells if requests of this slot may get different versions.
    pub fn is_split(&self) -> bool {
        self.targets.len() > 1 || !self.segments.is_empty()
    }

    /// Iterates over every arm: those of the targets, then those of the segments.
    pub fn arms(&self) -> impl Iterator<Item = &Arm> {
        self.targets.iter().map(|target| &target.arm).chain(self.segments.values())
    }

    /// Tells if callers may get another version than the slot's own. Only `rollouts.toml`
    /// creates such a slot.
    pub fn is_routed(&self) -> bool {
        self.arms().any(|arm| arm.slot != self.slot)
    }

    /// Tells if every caller gets the same version as with `other`.
    pub fn serves_as(&self, other: &Self) -> bool {
        let versions = |record: &Self| -> Vec<(String, Version)> {
            let route =
                |(group, arm): (&String, &Arm)| (group.clone(), arm.snapshot.version.clone());
            record.segments.iter().map(route).collect()
        };
        let is_gone = |record: &Self| record.gone.is_some();
        self.stretches() == other.stretches()
            && versions(self) == versions(other)
            && is_gone(self) == is_gone(other)
    }

    /// Returns the versions in the order of assignment, each with the first point after it.
    fn stretches(&self) -> Vec<(u32, &Version)> {
        let (mut upper, mut stretches) = (0, Vec::<(u32, &Version)>::new());
        for Target { arm, weight } in self.targets.iter().filter(|target| target.weight > 0) {
            upper += weight;
            let version = &arm.snapshot.version;
            match stretches.last_mut() {
                Some((end, last)) if *last == version => *end = upper,
                _ => stretches.push((upper, version)),
            }
        }
        stretches
    }

    /// Returns the version of the arms of `slot`, if the record has such an arm.
    pub fn version_of(&self, slot: &Slot) -> Option<&Version> {
        self.arms().find(|arm| arm.slot == *slot).map(|arm| &arm.snapshot.version)
    }

    /// Returns the weight of `slot` among the targets, in thousandths of a percent.
    pub fn weight_of(&self, slot: &Slot) -> u32 {
        let of_slot = self.targets.iter().filter(|target| target.arm.slot == *slot);
        of_slot.map(|target| target.weight).sum()
    }

    /// Iterates over the holds of the record.
    pub fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.hold.iter().flat_map(Hold::all)
    }

    /// Returns the slot's own version.
    pub fn own_version(&self) -> Option<&Version> {
        self.own().map(|snapshot| &snapshot.version)
    }
}

impl Record for SlotRecord {
    fn format(&self) -> u32 {
        self.format
    }

    /// Checks that the weights add up to the whole, so that there is a target for every caller,
    /// unless the slot is gone.
    fn check(&self) -> Result<(), String> {
        if self.gone.is_some() && self.targets.is_empty() && self.segments.is_empty() {
            return Ok(());
        }
        let sum: u64 = self.targets.iter().map(|target| u64::from(target.weight)).sum();
        match sum == u64::from(FULL_WEIGHT) {
            true => Ok(()),
            false => Err(format!("the weights add up to {sum}, not to {FULL_WEIGHT}")),
        }
    }
}

row!(ArmRow { slot: Slot, weight: Option<u32>, });

impl From<ArmRow> for Arm {
    fn from(row: ArmRow) -> Self {
        let (snapshot, (slot, _)) = row.split();
        Self { slot, snapshot }
    }
}

impl TryFrom<ArmRow> for Target {
    type Error = &'static str;

    fn try_from(row: ArmRow) -> Result<Self, &'static str> {
        let weight = row.weight.ok_or("missing field `weight`")?;
        Ok(Self { arm: row.into(), weight })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordError, parse, write};

    const SLOT: &str = r#"{"format":1,"slot":"production","targets":[{"slot":"canary","version":"v1.1.0","digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"type":"text/markdown","sha":"947e4e2247da185c97ee358273a064bc3e3e0fed","date":"2026-11-20T23:59:27Z","weight":10000},{"slot":"production","version":"v1.0.0","digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"type":"text/markdown","sha":"947e4e2247da185c97ee358273a064bc3e3e0fed","date":"2026-11-20T23:59:27Z","weight":90000}]}"#;

    #[test]
    fn records_round_trip() {
        let record: SlotRecord = parse(SLOT.as_bytes()).unwrap();
        assert_eq!(record.targets[1].arm.snapshot.version.to_string(), "v1.0.0");
        assert_eq!(String::from_utf8(write(&record)).unwrap(), SLOT);
    }

    #[test]
    fn parse_ignores_unknown_members_and_refuses_later_formats() {
        let extended = SLOT.replacen("\"slot\"", "\"added\":[1],\"slot\"", 1);
        assert_eq!(parse::<SlotRecord>(extended.as_bytes()), parse(SLOT.as_bytes()));
        let later = r#"{"format":2,"anything":true}"#;
        assert_eq!(
            parse::<SlotRecord>(later.as_bytes()),
            Err(RecordError::FormatTooHigh { found: 2 })
        );
        for bytes in [&b""[..], b"null", b"\xff", b"{}", b"{\"format\":1}", b"[1]"] {
            assert!(matches!(parse::<SlotRecord>(bytes), Err(RecordError::Malformed(_))));
        }
    }

    #[test]
    fn parse_refuses_weights_that_do_not_add_up() {
        let record: SlotRecord = parse(SLOT.as_bytes()).unwrap();
        for weights in [&[][..], &[99_999], &[100_000, 1], &[u32::MAX, u32::MAX]] {
            let targets = weights.iter().zip(&record.targets);
            let targets =
                targets.map(|(weight, target)| Target { weight: *weight, ..target.clone() });
            let changed = SlotRecord { targets: targets.collect(), ..record.clone() };
            let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            let why = format!("the weights add up to {sum}, not to 100000");
            assert_eq!(parse::<SlotRecord>(&write(&changed)), Err(RecordError::Malformed(why)));
        }
    }
}
