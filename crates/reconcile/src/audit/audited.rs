//! The records that were read, as digests.

use std::collections::BTreeMap;

use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::IndexedSlots;
use catalog::slot::Slot;
use catalog::version::Version;

/// The records of a component.
#[derive(Debug, Default)]
pub(super) struct AuditedComponent {
    pub(super) versions: BTreeMap<Version, AuditedVersion>,
    /// The digest of each slot's record.
    pub(super) slots: BTreeMap<Slot, Digest>,
    pub(super) arms: Vec<AuditedArm>,
    /// The versions of the ranges record, each with the digest of its content.
    pub(super) ranges: Option<BTreeMap<Version, Digest>>,
    pub(super) catalog: Option<AuditedCatalog>,
}

/// A version's record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuditedVersion {
    pub(super) content: Digest,
    pub(super) record: Digest,
    pub(super) revoked: bool,
}

/// An arm of a slot.
#[derive(Debug)]
pub(super) struct AuditedArm {
    pub(super) slot: Slot,
    pub(super) version: Version,
    pub(super) content: Digest,
}

/// The versions and slots that a catalog lists, with the digests of their records.
#[derive(Debug)]
pub(super) struct AuditedCatalog {
    pub(super) versions: BTreeMap<Version, Digest>,
    pub(super) slots: BTreeMap<Slot, Digest>,
}

/// The components that the index lists, with their slots.
pub(super) type AuditedIndex = BTreeMap<ComponentName, IndexedSlots>;

/// A content that is listed, or that a record names.
#[derive(Clone, Debug, Default)]
pub(super) struct AuditedContent {
    /// The key of a record that names the content.
    pub(super) named: Option<Key>,
    /// The content's size in bytes, by that record.
    pub(super) size: Option<u64>,
}
