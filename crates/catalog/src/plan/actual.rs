//! What Workers KV holds, as far as it is known.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::digest::Digest;
use crate::key::{Key, Namespace};
use crate::name::ComponentName;
use crate::record::{
    self, CatalogMetadata, CatalogRecord, IndexMetadata, IndexRecord, RecordError, SlotRecord,
    VersionMetadata, VersionRecord,
};
use crate::slot::Slot;
use crate::version::Version;

/// What a listing of both namespaces brought, and the values read since.
#[derive(Debug, Default)]
pub struct Actual {
    pub(super) contents: BTreeSet<Digest>,
    pub(super) components: BTreeMap<ComponentName, ActualComponent>,
    pub(super) index: Option<StoredIndex>,
    foreign: Vec<(Namespace, String)>,
}

/// One component in KV.
#[derive(Debug, Default)]
pub(super) struct ActualComponent {
    pub(super) versions: BTreeMap<Version, StoredVersion>,
    pub(super) slots: BTreeMap<Slot, Stored<SlotRecord>>,
    pub(super) catalog: Option<StoredCatalog>,
}

/// A version record's key.
#[derive(Debug)]
pub(super) struct StoredVersion {
    pub(super) metadata: Option<VersionMetadata>,
    pub(super) value: Stored<VersionRecord>,
}

/// A catalog record's key.
#[derive(Debug)]
pub(super) struct StoredCatalog {
    pub(super) metadata: Option<CatalogMetadata>,
    pub(super) value: Stored<CatalogRecord>,
}

/// The index record's key.
#[derive(Debug)]
pub(super) struct StoredIndex {
    pub(super) metadata: Option<IndexMetadata>,
    pub(super) value: Stored<IndexRecord>,
}

/// The value of a listed key.
#[derive(Debug)]
pub(super) enum Stored<T> {
    /// Not read yet.
    Unread,
    /// Gone since the listing.
    Absent,
    /// A record.
    Record(T),
    /// No record; why.
    Unreadable(String),
    /// A record of this format, which a later `slotctl` wrote.
    Newer(u32),
}

impl Actual {
    /// Takes in a key of a listing, with its metadata where it has any.
    ///
    /// Metadata that can't be read counts as none: the value is read instead.
    pub fn list(&mut self, namespace: Namespace, key: &str, metadata: Option<Value>) {
        let Some(parsed) = Key::parse(namespace, key) else {
            self.foreign.push((namespace, key.to_owned()));
            return;
        };
        match parsed {
            Key::Content(digest) => {
                self.contents.insert(digest);
            }
            Key::Version(name, version) => {
                let stored = StoredVersion { metadata: typed(metadata), value: Stored::Unread };
                self.component(name).versions.insert(version, stored);
            }
            Key::Slot(name, slot) => {
                self.component(name).slots.insert(slot, Stored::Unread);
            }
            Key::Catalog(name) => {
                let stored = StoredCatalog { metadata: typed(metadata), value: Stored::Unread };
                self.component(name).catalog = Some(stored);
            }
            Key::Index => {
                let stored = StoredIndex { metadata: typed(metadata), value: Stored::Unread };
                self.index = Some(stored);
            }
            // No part of what Git says.
            Key::Sync(_) => {}
        }
    }

    /// Takes in what a read of a listed record's key brought; `None` if it is gone.
    pub fn read(&mut self, key: &Key, value: Option<&[u8]>) {
        match key {
            Key::Content(_) | Key::Sync(_) => {}
            Key::Slot(name, slot) => {
                let known = self.components.get_mut(name);
                let stored = known.and_then(|known| known.slots.get_mut(slot));
                put(stored, value, |record: &SlotRecord| record.slot == *slot);
            }
            Key::Version(name, version) => {
                let known = self.components.get_mut(name);
                let stored = known.and_then(|known| known.versions.get_mut(version));
                put(stored.map(|stored| &mut stored.value), value, |record: &VersionRecord| {
                    record.snapshot.version == *version
                });
            }
            Key::Catalog(name) => {
                let known = self.components.get_mut(name);
                let stored = known.and_then(|known| known.catalog.as_mut());
                put(stored.map(|stored| &mut stored.value), value, |_| true);
            }
            Key::Index => put(self.index.as_mut().map(|stored| &mut stored.value), value, |_| true),
        }
    }

    /// The keys of every slot, whose records a plan always needs.
    pub fn slot_keys(&self) -> Vec<Key> {
        let of = |(name, known): (&ComponentName, &ActualComponent)| {
            let key = |slot: &Slot| Key::Slot(name.clone(), slot.clone());
            known.slots.keys().map(key).collect::<Vec<_>>()
        };
        self.components.iter().flat_map(of).collect()
    }

    /// Keys that nothing here wrote; they are left alone.
    pub fn foreign(&self) -> &[(Namespace, String)] {
        &self.foreign
    }

    /// How many keys were listed.
    pub fn listed(&self) -> usize {
        let of = |known: &ActualComponent| {
            known.versions.len() + known.slots.len() + usize::from(known.catalog.is_some())
        };
        let records: usize = self.components.values().map(of).sum();
        self.contents.len() + records + usize::from(self.index.is_some()) + self.foreign.len()
    }

    /// Whether there is nothing of this software in KV.
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.components.is_empty()
    }

    fn component(&mut self, name: ComponentName) -> &mut ActualComponent {
        self.components.entry(name).or_default()
    }
}

fn typed<T: DeserializeOwned>(metadata: Option<Value>) -> Option<T> {
    serde_json::from_value(metadata?).ok()
}

/// Stores what a value is; `own` says whether a record is of its key.
fn put<T: DeserializeOwned>(
    stored: Option<&mut Stored<T>>,
    value: Option<&[u8]>,
    own: impl Fn(&T) -> bool,
) {
    let Some(stored) = stored else { return };
    *stored = match value.map(record::parse) {
        None => Stored::Absent,
        Some(Ok(record)) if own(&record) => Stored::Record(record),
        Some(Ok(_)) => Stored::Unreadable("it is the record of another key".to_owned()),
        Some(Err(RecordError::Malformed(why))) => Stored::Unreadable(why),
        Some(Err(RecordError::FormatTooHigh { found })) => Stored::Newer(found),
    };
}
