//! The records in Workers KV: what `slotctl` writes and the Worker reads.
//!
//! Every record carries `format`. A reader ignores members that it does not know
//! and refuses a higher format; a change that an older reader could misread
//! raises it. `docs/kv-format.md` describes the records for people.

mod bytes;
mod listing;
mod rows;
mod sync;
mod unreferenced;

use serde::{Deserialize, Serialize};
use vecmap::VecMap;

use crate::digest::Digest;
use crate::media_type::MediaType;
use crate::slot::Slot;
use crate::timestamp::Timestamp;
use crate::version::{CommitId, Version};

pub use bytes::{Record, RecordError, parse, write};
pub use listing::{
    CatalogMetadata, CatalogRecord, CatalogState, IndexMetadata, IndexRecord, MAX_MOVES, Move,
    SlotEntry,
};
pub use sync::{Age, HeldSlot, Newest, RollbackRun, RunId, RunIdError, SyncRecord};
pub use unreferenced::{GRACE, UnreferencedMetadata, UnreferencedRecord, is_due};

/// The format that this code writes and the highest that it reads.
pub const FORMAT: u32 = 1;

/// The weights of a slot's targets add up to this: thousandths of a percent.
pub const FULL_WEIGHT: u32 = 100_000;

/// The largest value that Workers KV takes, in bytes (25 MiB).
pub const MAX_VALUE: u64 = 25 * 1024 * 1024;

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
#[serde(try_from = "rows::ArmRow")]
pub struct Target {
    /// Where the traffic goes.
    #[serde(flatten)]
    pub arm: Arm,
    /// Its share, in thousandths of a percent.
    pub weight: u32,
}

/// A version by the slot whose version it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "rows::ArmRow")]
pub struct Arm {
    /// The slot.
    pub slot: Slot,
    /// Its version.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// A version with all that the headers of an answer say of it, so that the
/// content is the only other read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version.
    pub version: Version,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// The content's media type.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// The commit that the version was made at.
    pub sha: CommitId,
    /// When that commit was made.
    pub date: Timestamp,
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

/// `COMPONENTS` `<name>@<version>`: which content a version is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "rows::VersionRow")]
pub struct VersionRecord {
    /// The record's format.
    pub format: u32,
    /// The version, its content and commit.
    #[serde(flatten)]
    pub snapshot: Snapshot,
    /// Who made that commit.
    pub author: String,
    /// The file in that commit.
    pub path: String,
    /// Why nobody may have it any more, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

/// The metadata of a version record's key, at most 1,024 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionMetadata {
    /// The content's digest.
    pub digest: Digest,
    /// The commit that the version was made at.
    pub sha: CommitId,
    /// When that commit was made.
    pub date: Timestamp,
    /// Who made it.
    pub author: String,
    /// The content's media type.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// The digest of the record's bytes, by which a listing alone shows whether
    /// the record is what it should be.
    pub hash: Digest,
    /// The file, so that the next sync needs not read it again to know that; none
    /// where it does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileMetadata>,
}

/// What a version record's metadata says of the file that the version was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMetadata {
    /// Where it is in the commit.
    pub path: String,
    /// The content's size in bytes.
    pub size: u64,
    /// What it was found by: see [`crate::source::directions`].
    pub by: Digest,
}

/// The longest metadata that Workers KV takes, in bytes of JSON.
const MAX_METADATA: usize = 1024;

impl VersionRecord {
    /// The longest author that is kept, in bytes: with the two digests and a
    /// commit id (64 each), the date (20), a media type (127) and JSON's own
    /// (64), every byte of it escaped (6 × 96) still fits the 1,024 bytes of
    /// metadata.
    pub const MAX_AUTHOR: usize = 96;

    /// The digest of the record's bytes.
    pub fn hash(&self) -> Digest {
        Digest::of(&write(self))
    }

    /// What stands beside the record as its key's metadata; `by` is what its file was
    /// found by, where that is known.
    pub fn metadata(&self, by: Option<Digest>) -> VersionMetadata {
        let Snapshot { digest, media_type, sha, date, size, .. } = self.snapshot.clone();
        let (hash, author) = (self.hash(), self.author.clone());
        let file = by.map(|by| FileMetadata { path: self.path.clone(), size, by });
        let whole = VersionMetadata { digest, sha, date, author, media_type, hash, file };
        match write(&whole).len() > MAX_METADATA {
            true => VersionMetadata { file: None, ..whole },
            false => whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_longest_metadata_fits() {
        let snapshot: Snapshot = serde_json::from_str(
            r#"{"version":"v1.0.0","digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"type":"text/plain","sha":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","date":"2026-11-20T23:59:27Z"}"#,
        )
        .unwrap();
        let record = VersionRecord {
            format: FORMAT,
            snapshot: Snapshot {
                media_type: format!("a/{}", "b".repeat(125)).parse().unwrap(),
                ..snapshot
            },
            author: "\u{1}".repeat(VersionRecord::MAX_AUTHOR),
            path: String::new(),
            revoked: None,
        };
        let by = Some(record.snapshot.digest);
        assert!(write(&record.metadata(by)).len() <= 1024);
        let usual = VersionRecord { author: "A".repeat(VersionRecord::MAX_AUTHOR), ..record };
        assert!(usual.metadata(by).file.is_some());
        let long = VersionRecord { path: "p/".repeat(400), ..usual };
        assert!(long.metadata(by).file.is_none() && write(&long.metadata(by)).len() <= 1024);
    }
}
