//! One write of a plan: its key, value and metadata.

use serde_json::Value;

use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{
    self, CatalogMetadata, CatalogRecord, IndexRecord, SlotRecord, UnreferencedRecord,
    VersionRecord,
};
use catalog::timestamp::Timestamp;

/// The stages of a sync, in the order in which they are carried out, each
/// complete before the next: what is named is there before what names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Since when contents are unreferenced: first, so that whoever is about to
    /// delete a content sees that it is needed again.
    Unreferenced,
    /// Contents, by digest.
    Contents,
    /// Version records.
    Versions,
    /// Slot records.
    Slots,
    /// Catalog records.
    Catalogs,
    /// The index.
    Index,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Unreferenced,
        Self::Contents,
        Self::Versions,
        Self::Slots,
        Self::Catalogs,
        Self::Index,
    ];

    /// The stage that a key belongs to.
    pub fn of(key: &Key) -> Self {
        match key {
            Key::Content(_) => Self::Contents,
            Key::Version(..) => Self::Versions,
            Key::Slot(..) => Self::Slots,
            Key::Catalog(_) => Self::Catalogs,
            Key::Index | Key::Sync(_) => Self::Index,
            Key::Unreferenced(_) => Self::Unreferenced,
        }
    }

    /// The namespace that it writes to.
    pub fn namespace(self) -> Namespace {
        match self {
            Self::Slots => Namespace::Slots,
            Self::Unreferenced | Self::Contents | Self::Versions | Self::Catalogs | Self::Index => {
                Namespace::Components
            }
        }
    }

    /// What it writes.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Unreferenced => "unreferenced",
            Self::Contents => "contents",
            Self::Versions => "versions",
            Self::Slots => "slots",
            Self::Catalogs => "catalogs",
            Self::Index => "indexes",
        }
    }

    /// One of what it writes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreferenced => "unreferenced content",
            Self::Contents => "content",
            Self::Versions => "version",
            Self::Slots => "slot",
            Self::Catalogs => "catalog",
            Self::Index => "index",
        }
    }
}

/// A key to write. A first sync has hundreds of thousands: records are boxed, so
/// that a content's write takes no more room than it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Since when a content is unreferenced.
    Unreferenced {
        /// Its digest.
        digest: Digest,
        /// Since when.
        since: Timestamp,
    },
    /// A content, whose bytes Git has.
    Content {
        /// Its digest.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// A version record.
    Version {
        /// Of which component.
        name: ComponentName,
        /// The record.
        record: Box<VersionRecord>,
        /// What KV has in its place.
        before: Option<Box<VersionRecord>>,
    },
    /// A slot record.
    Slot {
        /// Of which component.
        name: ComponentName,
        /// The record.
        record: Box<SlotRecord>,
        /// What KV has in its place.
        before: Option<Box<SlotRecord>>,
    },
    /// A catalog record.
    Catalog {
        /// Of which component.
        name: ComponentName,
        /// The record.
        record: Box<CatalogRecord>,
        /// The state that it lists.
        metadata: CatalogMetadata,
    },
    /// The index.
    Index {
        /// The record.
        record: IndexRecord,
    },
}

impl Write {
    /// The stage that it belongs to.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Unreferenced { .. } => Stage::Unreferenced,
            Self::Content { .. } => Stage::Contents,
            Self::Version { .. } => Stage::Versions,
            Self::Slot { .. } => Stage::Slots,
            Self::Catalog { .. } => Stage::Catalogs,
            Self::Index { .. } => Stage::Index,
        }
    }

    /// The key that it writes.
    pub fn key(&self) -> Key {
        match self {
            Self::Unreferenced { digest, .. } => Key::Unreferenced(*digest),
            Self::Content { digest, .. } => Key::Content(*digest),
            Self::Version { name, record, .. } => {
                Key::Version(name.clone(), record.snapshot.version.clone())
            }
            Self::Slot { name, record, .. } => Key::Slot(name.clone(), record.slot.clone()),
            Self::Catalog { name, .. } => Key::Catalog(name.clone()),
            Self::Index { .. } => Key::Index,
        }
    }

    /// The record's bytes; `None` for a content, whose bytes Git has.
    pub fn record(&self) -> Option<Vec<u8>> {
        match self {
            Self::Content { .. } => None,
            Self::Unreferenced { since, .. } => {
                Some(record::write(&UnreferencedRecord::new(*since)))
            }
            Self::Version { record, .. } => Some(record::write(record)),
            Self::Slot { record, .. } => Some(record::write(record)),
            Self::Catalog { record, .. } => Some(record::write(record)),
            Self::Index { record } => Some(record::write(record)),
        }
    }

    /// What stands beside the value as its key's metadata, where anything does.
    pub fn metadata(&self) -> Option<Value> {
        match self {
            Self::Content { .. } | Self::Slot { .. } => None,
            Self::Unreferenced { since, .. } => {
                serde_json::to_value(UnreferencedRecord::new(*since).metadata()).ok()
            }
            Self::Version { record, .. } => serde_json::to_value(record.metadata()).ok(),
            Self::Catalog { metadata, .. } => serde_json::to_value(metadata).ok(),
            Self::Index { record } => serde_json::to_value(record.metadata()).ok(),
        }
    }
}
