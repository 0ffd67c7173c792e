//! Sync runs: the runs that write to Workers KV or have written, and the age of their tags.
//!
//! Workers KV has neither locks nor conditional writes. Concurrent syncs find each other by
//! these records. Each run has its own record, which it writes before it moves anything. It
//! lists the records of other runs before it moves a slot and at its end, so of two runs
//! that overlap at least one sees the other. No run overwrites the record of another, so no
//! record is lost between a read and a write.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bytes::{FORMAT, Record};
use super::slot::SlotRecord;
use crate::digest::Digest;
use crate::name::ComponentName;
use crate::timestamp::Timestamp;

/// The id of a sync run: random, written as 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId([u8; 16]);

impl RunId {
    /// Creates an id from random bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

/// The error of a text that is not a [`RunId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunIdError;

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        let bytes = base16ct::lower::decode_vec(text).map_err(|_| RunIdError)?;
        bytes.try_into().map(Self).map_err(|_| RunIdError)
    }
}

/// `COMPONENTS` `@sync/<run>`: a run of a sync. The metadata of the key is the same object, so
/// a listing is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRecord {
    /// The format of the record.
    pub format: u32,
    /// The run has ended. Otherwise it still runs, or was stopped.
    pub ended: bool,
    /// The digest of the tags and of `rollouts.toml`, as the run has read them.
    pub state: Digest,
    /// The newest of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Newest>,
    /// The run is a rollback, and the value of the key is a [`RollbackRun`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
}

impl Record for SyncRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

/// The value of the key of a rollback. It contains the records that the rollback wrote, so
/// that a sync that has overwritten them can restore them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackRun {
    /// The metadata of the key.
    #[serde(flatten)]
    pub run: SyncRecord,
    /// The slots, each on hold.
    pub slots: Vec<HeldSlot>,
}

impl Record for RollbackRun {
    fn format(&self) -> u32 {
        self.run.format
    }
}

/// A slot that a rollback wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSlot {
    /// The component.
    pub component: ComponentName,
    /// The slot's record.
    pub record: SlotRecord,
}

/// The newest tag or policy file that a sync reads from a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// A tag's name (`components/prompts/extraction/production`), or `rollouts.toml`.
    pub name: String,
    /// The time of the tagger or committer.
    pub time: Timestamp,
}

/// The age of the state of one run, compared with that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Both have the same state.
    Same,
    /// The newest item of the other state is older or missing.
    Older,
    /// The newest item of the other state is newer.
    Newer,
    /// The states cannot be compared.
    Unknown,
}

impl SyncRecord {
    /// Creates the record of a run that begins.
    pub fn new(state: Digest, newest: Option<Newest>) -> Self {
        Self { format: FORMAT, ended: false, state, newest, rollback: false }
    }

    /// Compares the age of the state of `other` with that of this run.
    ///
    /// A slot that moves gets a new tag object, and a change of `rollouts.toml` is a new
    /// commit. So of two states of a repository, the newer one has the newer `newest`. Deleting
    /// a tag leaves no trace, and moving a lightweight tag to an older commit leaves none
    /// either.
    pub fn age_of(&self, other: &Self) -> Age {
        let time = |record: &Self| record.newest.as_ref().map(|newest| newest.time);
        match time(other).cmp(&time(self)) {
            _ if self.state == other.state => Age::Same,
            Ordering::Less => Age::Older,
            Ordering::Greater => Age::Newer,
            Ordering::Equal => Age::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Snapshot, parse, write};

    const RECORD: &str = r#"{"format":1,"ended":true,"state":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","newest":{"name":"components/prompts/a/production","time":"2026-11-20T23:59:27Z"}}"#;

    fn snapshot() -> Snapshot {
        serde_json::from_str(
            r#"{"version":"v1.0.0","digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"type":"text/plain","sha":"947e4e2247da185c97ee358273a064bc3e3e0fed","date":"2026-11-20T23:59:27Z"}"#,
        )
        .unwrap()
    }

    #[test]
    fn records_round_trip() {
        let record: SyncRecord = parse(RECORD.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(write(&record)).unwrap(), RECORD);
        let empty = SyncRecord::new(Digest::of(b""), None);
        assert_eq!(parse(&write(&empty)), Ok(empty.clone()));
        let held = HeldSlot {
            component: "prompts/a".parse().unwrap(),
            record: SlotRecord::sole("production".parse().unwrap(), snapshot()),
        };
        let run = SyncRecord { rollback: true, ..empty };
        let rollback = RollbackRun { run: run.clone(), slots: vec![held] };
        assert_eq!(parse(&write(&rollback)), Ok(rollback.clone()));
        assert_eq!(parse(&write(&rollback)), Ok(run));
    }

    #[test]
    fn run_ids_have_one_spelling() {
        let text = "000000000000000000000000000000ff";
        assert_eq!(text.parse::<RunId>().unwrap().to_string(), text);
        for text in ["", "ff", "+00000000000000000000000000000ff", &text.to_uppercase()] {
            assert_eq!(text.parse::<RunId>(), Err(RunIdError), "{text}");
        }
    }

    #[test]
    fn the_newest_tag_decides_which_state_is_newer() {
        let record = |state: &[u8], seconds: Option<i64>| {
            let time = seconds.map(Timestamp::from_unix);
            let newest = time.map(|time| Newest { name: String::new(), time });
            SyncRecord::new(Digest::of(state), newest)
        };
        for (mine, other, age) in [
            ((b"a", Some(5)), (b"a", Some(5)), Age::Same),
            ((b"a", Some(5)), (b"a", Some(6)), Age::Same),
            ((b"a", Some(5)), (b"b", Some(6)), Age::Newer),
            ((b"a", Some(5)), (b"b", Some(4)), Age::Older),
            ((b"a", Some(5)), (b"b", Some(5)), Age::Unknown),
            ((b"a", Some(5)), (b"b", None), Age::Older),
            ((b"a", None), (b"b", Some(5)), Age::Newer),
            ((b"a", None), (b"b", None), Age::Unknown),
        ] {
            let (mine, other) = (record(mine.0, mine.1), record(other.0, other.1));
            assert_eq!(mine.age_of(&other), age, "{mine:?} {other:?}");
        }
    }
}
