//! Slot records: which versions share a slot's traffic.

use serde::{Deserialize, Serialize};
use vecmap::VecMap;

use super::bytes::{FORMAT, Record};
use super::rows::row;
use super::snapshot::Snapshot;
use crate::slot::Slot;
use crate::timestamp::Timestamp;
use crate::version::Version;

/// The weights of a slot's targets add up to this: thousandths of a percent.
pub const FULL_WEIGHT: u32 = 100_000;

/// `SLOTS` `<name>@<slot>`: which versions a slot leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRecord {
    /// The record's format.
    pub format: u32,
    /// The slot's own name.
    pub slot: Slot,
    /// The versions that share the slot's traffic, in the order of assignment.
    pub targets: Vec<Target>,
    /// Groups of callers that get a version apart.
    #[serde(default, skip_serializing_if = "VecMap::is_empty")]
    pub segments: VecMap<String, Arm>,
    /// Why `sync` leaves the slot as it is, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

/// One version inside a slot, with its share of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ArmRow")]
pub struct Target {
    /// Where the traffic goes.
    #[serde(flatten)]
    pub arm: Arm,
    /// Its share, in thousandths of a percent.
    pub weight: u32,
}

/// A version by the slot whose version it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ArmRow")]
pub struct Arm {
    /// The slot.
    pub slot: Slot,
    /// Its version.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// Keeps `sync` from moving a slot, after an emergency rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
}

impl SlotRecord {
    /// A record whose traffic all goes to the slot's own version.
    pub fn sole(slot: Slot, snapshot: Snapshot) -> Self {
        Self {
            format: FORMAT,
            slot: slot.clone(),
            targets: vec![Target { arm: Arm { slot, snapshot }, weight: FULL_WEIGHT }],
            segments: VecMap::new(),
            hold: None,
        }
    }

    /// The version that the slot itself stands on, with all that is said of it;
    /// `None` where all of its traffic goes to other slots.
    pub fn own(&self) -> Option<&Snapshot> {
        let own = self.targets.iter().find(|target| target.arm.slot == self.slot);
        own.map(|target| &target.arm.snapshot)
    }

    /// The arm whose version counts as the slot's: its own; else, as for an alias,
    /// the one that has all of the traffic. A split without either has none.
    pub fn lead(&self) -> Option<&Arm> {
        let own = self.targets.iter().find(|target| target.arm.slot == self.slot);
        let sole = self.targets.iter().find(|target| target.weight == FULL_WEIGHT);
        own.or(sole).map(|target| &target.arm)
    }

    /// Whether requests of this slot may get different versions.
    pub fn is_split(&self) -> bool {
        self.targets.len() > 1 || !self.segments.is_empty()
    }

    /// Every arm: of the targets, then of the segments.
    pub fn arms(&self) -> impl Iterator<Item = &Arm> {
        self.targets.iter().map(|target| &target.arm).chain(self.segments.values())
    }

    /// Whether callers get anything but the slot's own version: only
    /// `rollouts.toml` makes such a slot.
    pub fn is_routed(&self) -> bool {
        self.arms().any(|arm| arm.slot != self.slot)
    }

    /// Whether every caller gets the same version as by `other`.
    pub fn serves_as(&self, other: &Self) -> bool {
        let versions = |record: &Self| -> Vec<(String, Version)> {
            let route =
                |(group, arm): (&String, &Arm)| (group.clone(), arm.snapshot.version.clone());
            record.segments.iter().map(route).collect()
        };
        self.stretches() == other.stretches() && versions(self) == versions(other)
    }

    /// The versions in the order of assignment, with the points where each ends.
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

    /// The version that the slot itself stands on.
    pub fn own_version(&self) -> Option<&Version> {
        self.own().map(|snapshot| &snapshot.version)
    }
}

impl Record for SlotRecord {
    fn format(&self) -> u32 {
        self.format
    }

    /// The weights add up to the whole, so there is a target for every caller.
    fn check(&self) -> Result<(), String> {
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
    fn what_is_written_is_what_was_read() {
        let record: SlotRecord = parse(SLOT.as_bytes()).unwrap();
        assert_eq!(record.targets[1].arm.snapshot.version.to_string(), "v1.0.0");
        assert_eq!(String::from_utf8(write(&record)).unwrap(), SLOT);
    }

    #[test]
    fn unknown_members_are_ignored_and_later_formats_refused() {
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
