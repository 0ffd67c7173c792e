//! What Git says should be in Workers KV.

use std::collections::BTreeMap;

use crate::name::ComponentName;
use crate::record::{CatalogRecord, FORMAT, VersionRecord};
use crate::slot::Slot;
use crate::timestamp::Timestamp;
use crate::version::Version;

/// The whole desired state, compiled from tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// By name, every component with at least one tag that can be served.
    pub components: BTreeMap<ComponentName, DesiredComponent>,
}

/// What one component should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredComponent {
    /// The versions that its tags name, and the commits that its slots are pinned to.
    pub versions: BTreeMap<Version, VersionRecord>,
    /// Its slots, `latest` included; each stands on one of the versions above.
    pub slots: BTreeMap<Slot, DesiredSlot>,
}

/// Where a slot should stand, and what its tag says of the last move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredSlot {
    /// The version that the slot stands on.
    pub version: Version,
    /// Who set the tag (the tagger; the committer of a lightweight tag's commit).
    pub author: String,
    /// When.
    pub time: Timestamp,
    /// Why: the tag's message, its first line.
    pub why: String,
}

impl VersionRecord {
    /// The same content, named by its commit instead of by a version tag.
    pub fn pinned_to_commit(&self) -> Self {
        let mut pinned = self.clone();
        pinned.format = FORMAT;
        pinned.snapshot.version = Version::Commit(self.snapshot.sha.clone());
        pinned
    }
}

impl CatalogRecord {
    /// The record of a version, if the component has it.
    pub fn version(&self, version: &Version) -> Option<&VersionRecord> {
        self.versions.iter().find(|record| record.snapshot.version == *version)
    }
}
