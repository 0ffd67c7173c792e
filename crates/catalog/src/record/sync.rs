//! Sync runs: the runs that write to Workers KV or have written, and the state of Git that they
//! wrote.
//!
//! Workers KV has neither locks nor conditional writes. Concurrent syncs find each other by
//! these records. Each run has its own record, which it writes before it moves anything. It
//! lists the records of other runs before it moves a slot and at its end, so of two runs
//! that overlap at least one sees the other. No run overwrites the record of another, so no
//! record is lost between a read and a write.
//!
//! Which of two states is newer is not decided here: it takes the repository.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bytes::{FORMAT, Record, write};
use super::slot::SlotRecord;
use crate::digest::Digest;
use crate::name::ComponentName;
use crate::timestamp::Timestamp;
use crate::version::CommitId;

/// The largest metadata that Workers KV accepts, in bytes of JSON.
const MAX_METADATA: usize = 1024;

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
    /// The newest of these by their own times. It is how a `slotctl` that does not know
    /// `source` compares states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Newest>,
    /// The run is a rollback, and the value of the key is a [`RollbackRun`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    /// The number of the run: higher than that of every run whose record it has seen. Two runs
    /// at the same time may have the same number. It is 0 for a run of a `slotctl` that did not
    /// number it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub run: u64,
    /// The repository that the run has read, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SyncSource>,
}

// Serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The repository that a run has read, and the state that it was in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncSource {
    /// The address of the remote, without credentials; `None` if the refs were those of a clone,
    /// or if the address does not fit into the metadata of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The short name of the default branch. It is left out like the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit of that branch, from which `rollouts.toml` was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The number of tags of all components, also if the run was for some of them.
    pub tags: u64,
    /// The newest tag by its own time, if [`SyncRecord::newest`] is not a tag.
    #[serde(default, rename = "newestTag", skip_serializing_if = "Option::is_none")]
    pub newest_tag: Option<Newest>,
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
    /// The id of the tag's object, in hex. Missing for `rollouts.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

impl SyncRecord {
    /// Creates the record of a run that begins.
    pub fn new(state: Digest, newest: Option<Newest>) -> Self {
        Self { format: FORMAT, ended: false, state, newest, rollback: false, run: 0, source: None }
    }

    /// Adds the repository. The address and the branch are left out if the record, which is also
    /// the metadata of its key, would be too long with them.
    #[must_use]
    pub fn with_source(self, source: SyncSource) -> Self {
        let with = |source| Self { source: Some(source), ..self.clone() };
        let unnamed = SyncSource { remote: None, ..source.clone() };
        let shortest = SyncSource { branch: None, ..unnamed.clone() };
        let fits = |record: &Self| write(record).len() <= MAX_METADATA;
        let record = [source, unnamed].into_iter().map(with).find(fits);
        record.unwrap_or_else(|| with(shortest))
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
    fn sources_round_trip_within_the_metadata() {
        const SOURCE: &str = r#"{"format":1,"ended":false,"state":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","newest":{"name":"components/prompts/a/production","time":"2026-11-20T23:59:27Z","object":"947e4e2247da185c97ee358273a064bc3e3e0fed"},"run":41,"source":{"remote":"https://example.com/components.git","branch":"main","commit":"947e4e2247da185c97ee358273a064bc3e3e0fed","tags":12,"newestTag":{"name":"components/prompts/a/v1.0.0","time":"2026-11-20T23:59:27Z","object":"947e4e2247da185c97ee358273a064bc3e3e0fed"}}}"#;
        let record: SyncRecord = parse(SOURCE.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(write(&record)).unwrap(), SOURCE);
        let source = record.source.clone().unwrap();
        assert_eq!(record.clone().with_source(source.clone()), record);

        for (remote, branch, kept) in
            [(2000, 4, (false, true)), (30, 2000, (false, false)), (300, 200, (true, true))]
        {
            let remote = Some("r".repeat(remote));
            let branch = Some("b".repeat(branch));
            let long = SyncSource { remote, branch, ..source.clone() };
            let written = record.clone().with_source(long);
            assert!(write(&written).len() <= MAX_METADATA);
            let source = written.source.unwrap();
            assert_eq!((source.remote.is_some(), source.branch.is_some()), kept);
            assert!(source.commit.is_some());
        }
    }

    #[test]
    fn readers_ignore_members_that_they_do_not_know() {
        let longer = RECORD.replace(r#""ended":true"#, r#""ended":true,"later":{"a":[1]}"#);
        assert_eq!(parse::<SyncRecord>(longer.as_bytes()), parse(RECORD.as_bytes()));
    }
}
