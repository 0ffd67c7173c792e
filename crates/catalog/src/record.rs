//! The records in Workers KV: what `slotctl` writes and the Worker reads.
//!
//! Every record carries `format`. A reader ignores members that it does not know
//! and refuses a higher format; a change that an older reader could misread
//! raises it. `docs/kv-format.md` describes the records for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::media_type::MediaType;
use crate::name::ComponentName;
use crate::slot::Slot;
use crate::timestamp::Timestamp;
use crate::version::{CommitId, Version};

/// The format that this code writes and the highest that it reads.
pub const FORMAT: u32 = 1;

/// The weights of a slot's targets add up to this: thousandths of a percent.
pub const FULL_WEIGHT: u32 = 100_000;

/// The largest value that Workers KV takes, in bytes (25 MiB).
pub const MAX_VALUE: u64 = 25 * 1024 * 1024;

/// The moves of a slot that its catalog record keeps, newest first.
pub const MAX_MOVES: usize = 50;

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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub segments: BTreeMap<String, Arm>,
    /// Why `sync` leaves the slot as it is, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

/// One version inside a slot, with its share of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Where the traffic goes.
    #[serde(flatten)]
    pub arm: Arm,
    /// Its share, in thousandths of a percent.
    pub weight: u32,
}

/// A version by the slot whose version it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
            segments: BTreeMap::new(),
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
        let versions = |record: &Self| -> BTreeMap<String, Version> {
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
}

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

    /// What stands beside the record as its key's metadata.
    pub fn metadata(&self) -> VersionMetadata {
        let Snapshot { digest, media_type, sha, date, .. } = self.snapshot.clone();
        let hash = self.hash();
        VersionMetadata { digest, sha, date, author: self.author.clone(), media_type, hash }
    }
}

/// `COMPONENTS` `<name>`: all that is known of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogRecord {
    /// The record's format.
    pub format: u32,
    /// Every version, lowest first.
    pub versions: Vec<VersionRecord>,
    /// Every slot.
    pub slots: BTreeMap<Slot, SlotEntry>,
}

/// A slot in a catalog record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotEntry {
    /// The slot's record, as in `SLOTS`.
    pub record: SlotRecord,
    /// Its last moves, newest first, at most [`MAX_MOVES`].
    pub moves: Vec<Move>,
}

/// A slot's own version became another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The version before; none for a new slot.
    pub from: Option<Version>,
    /// The version after.
    pub to: Version,
    /// The commit that `to` was made at.
    pub commit: CommitId,
    /// Who moved the slot.
    pub author: String,
    /// When.
    pub time: Timestamp,
    /// Why, as the slot's tag says it.
    pub why: String,
}

/// The metadata of a catalog record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogMetadata {
    /// The digest of the state that the record lists: see [`CatalogState`].
    pub hash: Digest,
}

/// What a catalog record lists, its moves left out: every version by its
/// record's hash, every slot with its record.
///
/// A listing of `COMPONENTS` (whose metadata holds the hashes) and the slot
/// records give this state without a read of any catalog or version record, so
/// one comparison of hashes shows that a catalog is up to date. Moves follow
/// from changes of the state, so they need no part in it.
#[derive(Debug, Serialize)]
pub struct CatalogState<'a> {
    format: u32,
    versions: BTreeMap<&'a Version, Digest>,
    slots: BTreeMap<&'a Slot, &'a SlotRecord>,
}

impl<'a> CatalogState<'a> {
    /// The state of these versions and slots.
    pub fn new(
        versions: BTreeMap<&'a Version, Digest>,
        slots: BTreeMap<&'a Slot, &'a SlotRecord>,
    ) -> Self {
        Self { format: FORMAT, versions, slots }
    }

    /// The digest of the state, written as records are.
    pub fn hash(&self) -> Digest {
        Digest::of(&write(self))
    }
}

impl CatalogRecord {
    /// A component of which nothing is known yet.
    pub fn empty() -> Self {
        Self { format: FORMAT, versions: Vec::new(), slots: BTreeMap::new() }
    }
}

/// `COMPONENTS` `index`: which components there are. It changes only when one
/// comes or goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRecord {
    /// The record's format.
    pub format: u32,
    /// The names in order.
    pub components: Vec<ComponentName>,
}

impl IndexRecord {
    /// The record of these components.
    pub fn new(components: impl IntoIterator<Item = ComponentName>) -> Self {
        let names: BTreeSet<ComponentName> = components.into_iter().collect();
        Self { format: FORMAT, components: names.into_iter().collect() }
    }

    /// What stands beside the record as its key's metadata.
    pub fn metadata(&self) -> IndexMetadata {
        IndexMetadata { hash: Digest::of(&write(self)) }
    }
}

/// The metadata of the index record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexMetadata {
    /// The digest of the record's bytes.
    pub hash: Digest,
}

/// Why a stored record can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Not the JSON that the record's kind needs; what the parser said.
    Malformed(String),
    /// Written by a later version of this software.
    FormatTooHigh {
        /// The record's format.
        found: u32,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "malformed record: {why}"),
            Self::FormatTooHigh { found } => write!(
                f,
                "the record has format {found}, this version reads up to {FORMAT}: \
                 release a newer one first"
            ),
        }
    }
}

impl std::error::Error for RecordError {}

/// Reads a record from the bytes of a value in KV.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Probe {
        format: u32,
    }
    let malformed = |error: serde_json::Error| RecordError::Malformed(error.to_string());
    // The format first: a later one may have changed any other member.
    let Probe { format } = serde_json::from_slice(bytes).map_err(malformed)?;
    if format > FORMAT {
        return Err(RecordError::FormatTooHigh { found: format });
    }
    serde_json::from_slice(bytes).map_err(malformed)
}

/// Writes a record as it is stored: compact JSON, members in a fixed order.
pub fn write<T: Serialize>(record: &T) -> Vec<u8> {
    // The records have string keys only and no I/O is behind a Vec.
    serde_json::to_vec(record).unwrap_or_default()
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
        assert!(write(&record.metadata()).len() <= 1024);
    }
}
