//! The versions and slots that a refusal lists.

use crate::record::CatalogRecord;
use crate::slot::Slot;
use crate::version::Version;

/// The existing versions and slots of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Existing {
    /// Its highest versions, highest first, at most [`Existing::MAX_VERSIONS`].
    pub versions: Vec<Version>,
    /// Its slots.
    pub slots: Vec<Slot>,
}

impl Existing {
    /// The maximum number of versions. A hundred refusals may be in one answer, and a component
    /// may have thousands of versions.
    pub const MAX_VERSIONS: usize = 200;

    /// Returns the versions that are not revoked, and the slots, of a component.
    pub fn of(catalog: &CatalogRecord) -> Self {
        let live = catalog.versions.iter().filter(|record| record.revoked.is_none());
        // The record lists versions from the lowest.
        let versions = live.rev().map(|record| record.snapshot.version.clone());
        let versions = versions.take(Self::MAX_VERSIONS).collect();
        Self { versions, slots: catalog.slots.keys().cloned().collect() }
    }
}
