//! The catalog record, which lists the versions and slots of a component.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vecmap::VecMap;

use super::bytes::{FORMAT, Record, write};
use super::moves::Move;
use super::slot::SlotRecord;
use super::snapshot::Snapshot;
use super::version::VersionRecord;
use crate::digest::Digest;
use crate::range::Range;
use crate::slot::Slot;
use crate::version::Version;

/// The number of moves of a slot that its catalog record keeps.
pub const MAX_MOVES: usize = 50;

/// `COMPONENTS` `<name>`: everything about a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogRecord {
    /// The format of the record.
    pub format: u32,
    /// Every version, lowest first.
    pub versions: Vec<VersionRecord>,
    /// Every slot.
    pub slots: VecMap<Slot, SlotEntry>,
}

impl CatalogRecord {
    /// Returns the highest version in a range that is not revoked. `revoked` is a version whose
    /// own record says that it is.
    pub fn highest_in(&self, range: &Range, revoked: Option<&Version>) -> Option<&Snapshot> {
        let live = self.versions.iter().rev().filter(|record| record.revoked.is_none());
        let snapshots = live.map(|record| &record.snapshot);
        let mut snapshots = snapshots.filter(|known| revoked != Some(&known.version));
        snapshots.find(|known| known.version.semver().is_some_and(|v| range.matches(v)))
    }

    /// Returns the record of a version.
    pub fn version(&self, version: &Version) -> Option<&VersionRecord> {
        self.versions.iter().find(|record| record.snapshot.version == *version)
    }

    /// Tells if the component has the version and it is not revoked.
    pub fn is_live(&self, version: &Version) -> bool {
        self.version(version).is_some_and(|record| record.revoked.is_none())
    }

    /// Returns the metadata of the key, computed from the record.
    pub fn metadata(&self) -> CatalogMetadata {
        let versions = self.versions.iter().map(|record| (&record.snapshot.version, record.hash()));
        let slots = self.slots.iter().map(|(slot, entry)| (slot, &entry.record));
        CatalogMetadata { hash: CatalogState::new(versions.collect(), slots.collect()).hash() }
    }
}

impl Record for CatalogRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

/// A slot in a catalog record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotEntry {
    /// The slot's record, as in `SLOTS`.
    pub record: SlotRecord,
    /// Its last moves, newest first, at most [`MAX_MOVES`].
    pub moves: Vec<Move>,
}

/// The metadata of a catalog record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogMetadata {
    /// The digest of the state that the record lists: see [`CatalogState`].
    pub hash: Digest,
}

/// The state that a catalog record lists, without its moves: every version by the hash of
/// its record, every slot with its record.
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
    /// Creates the state of these versions and slots.
    pub fn new(
        versions: BTreeMap<&'a Version, Digest>,
        slots: BTreeMap<&'a Slot, &'a SlotRecord>,
    ) -> Self {
        Self { format: FORMAT, versions, slots }
    }

    /// Returns the digest of the state, written as records are.
    pub fn hash(&self) -> Digest {
        Digest::of(&write(self))
    }
}
