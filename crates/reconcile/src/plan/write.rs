//! One write of a plan: its key, value and metadata.

use serde_json::Value;

use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{
    self, CatalogMetadata, CatalogRecord, IndexRecord, RangesMetadata, RangesRecord, SlotRecord,
    UnreferencedRecord, VersionRecord,
};
use catalog::timestamp::Timestamp;

/// The stages of a sync in the order in which they are carried out. Each stage is complete
/// before the next begins, so that a record is written after everything that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Records of the time since when contents are unreferenced. They come first, so that
    /// another sync that is about to delete a content sees that it is needed again.
    Unreferenced,
    /// Contents, by digest.
    Contents,
    /// Version records.
    Versions,
    /// Slot records.
    Slots,
    /// Ranges records.
    Ranges,
    /// Catalog records.
    Catalogs,
    /// The index.
    Index,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 7] = [
        Self::Unreferenced,
        Self::Contents,
        Self::Versions,
        Self::Slots,
        Self::Ranges,
        Self::Catalogs,
        Self::Index,
    ];

    /// Returns the stage that a key belongs to.
    pub fn of(key: &Key) -> Self {
        match key {
            Key::Content(_) => Self::Contents,
            Key::Version(..) => Self::Versions,
            Key::Slot(..) => Self::Slots,
            Key::Ranges(_) => Self::Ranges,
            Key::Catalog(_) => Self::Catalogs,
            Key::Index | Key::Sync(_) => Self::Index,
            Key::Unreferenced(_) => Self::Unreferenced,
        }
    }

    /// Returns the namespace that the stage writes to.
    pub fn namespace(self) -> Namespace {
        match self {
            Self::Slots => Namespace::Slots,
            Self::Unreferenced
            | Self::Contents
            | Self::Versions
            | Self::Ranges
            | Self::Catalogs
            | Self::Index => Namespace::Components,
        }
    }

    /// Returns the name of what the stage writes, in the plural.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Unreferenced => "unreferenced",
            Self::Contents => "contents",
            Self::Versions => "versions",
            Self::Slots => "slots",
            Self::Ranges => "ranges",
            Self::Catalogs => "catalogs",
            Self::Index => "indexes",
        }
    }

    /// Returns the name of what the stage writes, in the singular.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreferenced => "unreferenced content",
            Self::Contents => "content",
            Self::Versions => "version",
            Self::Slots => "slot",
            Self::Ranges => "ranges record",
            Self::Catalogs => "catalog",
            Self::Index => "index",
        }
    }
}

/// A key to write.
///
/// A first sync has hundreds of thousands of writes. Records are boxed, so that the write of a
/// content takes little memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The time since when a content is unreferenced.
    Unreferenced {
        /// The content's digest.
        digest: Digest,
        /// The time since when it is unreferenced.
        since: Timestamp,
    },
    /// A content, whose bytes come from Git.
    Content {
        /// The content's digest.
        digest: Digest,
        /// The content's size in bytes.
        size: u64,
    },
    /// A version record.
    Version {
        /// The component of the version.
        name: ComponentName,
        /// The record.
        record: Box<VersionRecord>,
        /// The record that KV has at this key, if it has one.
        before: Option<Box<VersionRecord>>,
    },
    /// A slot record.
    Slot {
        /// The component of the slot.
        name: ComponentName,
        /// The record.
        record: Box<SlotRecord>,
        /// The record that KV has at this key, if it has one.
        before: Option<Box<SlotRecord>>,
    },
    /// A ranges record.
    Ranges {
        /// The component of the record.
        name: ComponentName,
        /// The record.
        record: Box<RangesRecord>,
        /// The metadata: the hashes of the record, and of the versions that it was made from.
        metadata: RangesMetadata,
    },
    /// A catalog record.
    Catalog {
        /// The component of the catalog.
        name: ComponentName,
        /// The record.
        record: Box<CatalogRecord>,
        /// The metadata: the hash of the state that the record lists.
        metadata: CatalogMetadata,
    },
    /// The index.
    Index {
        /// The record.
        record: IndexRecord,
    },
}

impl Write {
    /// Returns the stage that the write belongs to.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Unreferenced { .. } => Stage::Unreferenced,
            Self::Content { .. } => Stage::Contents,
            Self::Version { .. } => Stage::Versions,
            Self::Slot { .. } => Stage::Slots,
            Self::Ranges { .. } => Stage::Ranges,
            Self::Catalog { .. } => Stage::Catalogs,
            Self::Index { .. } => Stage::Index,
        }
    }

    /// Returns the key that is written.
    pub fn key(&self) -> Key {
        match self {
            Self::Unreferenced { digest, .. } => Key::Unreferenced(*digest),
            Self::Content { digest, .. } => Key::Content(*digest),
            Self::Version { name, record, .. } => {
                Key::Version(name.clone(), record.snapshot.version.clone())
            }
            Self::Slot { name, record, .. } => Key::Slot(name.clone(), record.slot.clone()),
            Self::Ranges { name, .. } => Key::Ranges(name.clone()),
            Self::Catalog { name, .. } => Key::Catalog(name.clone()),
            Self::Index { .. } => Key::Index,
        }
    }

    /// Returns the record's bytes; `None` for a content, whose bytes come from Git.
    pub fn record(&self) -> Option<Vec<u8>> {
        match self {
            Self::Content { .. } => None,
            Self::Unreferenced { since, .. } => {
                Some(record::write(&UnreferencedRecord::new(*since)))
            }
            Self::Version { record, .. } => Some(record::write(record)),
            Self::Slot { record, .. } => Some(record::write(record)),
            Self::Ranges { record, .. } => Some(record::write(record)),
            Self::Catalog { record, .. } => Some(record::write(record)),
            Self::Index { record } => Some(record::write(record)),
        }
    }

    /// Returns the metadata of the key, if it has any.
    pub fn metadata(&self) -> Option<Value> {
        match self {
            Self::Content { .. } | Self::Slot { .. } => None,
            Self::Unreferenced { since, .. } => {
                serde_json::to_value(UnreferencedRecord::new(*since).metadata()).ok()
            }
            Self::Version { record, .. } => serde_json::to_value(record.metadata()).ok(),
            Self::Ranges { metadata, .. } => serde_json::to_value(metadata).ok(),
            Self::Catalog { metadata, .. } => serde_json::to_value(metadata).ok(),
            Self::Index { record } => serde_json::to_value(record.metadata()).ok(),
        }
    }
}
