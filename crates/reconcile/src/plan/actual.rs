//! The contents of Workers KV, as far as they have been read.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::stored::{Stored, put};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{
    self, CatalogMetadata, CatalogRecord, IndexMetadata, IndexRecord, RangesMetadata, RangesRecord,
    RunId, SlotRecord, SyncRecord, UnreferencedMetadata, UnreferencedRecord, VersionMetadata,
    VersionRecord,
};
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use catalog::version::Version;

/// The keys from a listing of both namespaces, and the values read since.
#[derive(Debug, Default)]
pub struct Actual {
    pub(super) contents: BTreeSet<Digest>,
    pub(super) components: BTreeMap<ComponentName, ActualComponent>,
    pub(super) index: Option<StoredIndex>,
    /// The components that were listed; `None` for all of KV.
    pub(super) scope: Option<BTreeSet<ComponentName>>,
    /// The contents that no record named, each with the time since when; `None` for a time that
    /// can't be read.
    pub(super) unreferenced: BTreeMap<Digest, Option<Timestamp>>,
    /// The contents whose bytes are not those of their digest.
    pub(super) damaged: BTreeSet<Digest>,
    /// The runs of syncs, as far as their records can be read.
    runs: BTreeMap<RunId, SyncRecord>,
    /// The contents whose "unreferenced" record was read.
    pub(super) asked: BTreeSet<Digest>,
    foreign: Vec<(Namespace, String)>,
}

/// The keys of one component in KV.
#[derive(Debug, Default)]
pub(super) struct ActualComponent {
    pub(super) versions: BTreeMap<Version, StoredVersion>,
    pub(super) slots: BTreeMap<Slot, Stored<SlotRecord>>,
    pub(super) ranges: Option<StoredRanges>,
    pub(super) catalog: Option<StoredCatalog>,
}

/// The key of a version record.
#[derive(Debug)]
pub(super) struct StoredVersion {
    pub(super) metadata: Option<VersionMetadata>,
    pub(super) value: Stored<VersionRecord>,
}

/// The key of a ranges record.
#[derive(Debug)]
pub(super) struct StoredRanges {
    pub(super) metadata: Option<RangesMetadata>,
    pub(super) value: Stored<RangesRecord>,
}

/// The key of a catalog record.
#[derive(Debug)]
pub(super) struct StoredCatalog {
    pub(super) metadata: Option<CatalogMetadata>,
    pub(super) value: Stored<CatalogRecord>,
}

/// The key of the index record.
#[derive(Debug)]
pub(super) struct StoredIndex {
    pub(super) metadata: Option<IndexMetadata>,
    pub(super) value: Stored<IndexRecord>,
}

impl Actual {
    /// Creates the state for these components only.
    ///
    /// The caller lists their slots and versions (the keys that begin with `<name>@`). Their
    /// catalogs and the index are read when they are needed.
    pub fn only(names: impl IntoIterator<Item = ComponentName>) -> Self {
        let mut actual = Self::default();
        let scope: BTreeSet<ComponentName> = names.into_iter().collect();
        for name in &scope {
            let catalog = StoredCatalog { metadata: None, value: Stored::Unread };
            actual.component(name.clone()).catalog = Some(catalog);
        }
        actual.index = Some(StoredIndex { metadata: None, value: Stored::Unread });
        actual.scope = Some(scope);
        actual
    }

    /// Takes in a listed key, with its metadata if it has any.
    ///
    /// Metadata that can't be read is ignored: the value is read instead.
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
            Key::Ranges(name) => {
                let stored = StoredRanges { metadata: typed(metadata), value: Stored::Unread };
                self.component(name).ranges = Some(stored);
            }
            Key::Catalog(name) => {
                let stored = StoredCatalog { metadata: typed(metadata), value: Stored::Unread };
                self.component(name).catalog = Some(stored);
            }
            Key::Index => {
                let stored = StoredIndex { metadata: typed(metadata), value: Stored::Unread };
                self.index = Some(stored);
            }
            Key::Sync(run) => {
                self.runs.extend(typed(metadata).map(|record| (run, record)));
            }
            Key::Unreferenced(digest) => {
                let known: Option<UnreferencedMetadata> = typed(metadata);
                self.unreferenced.insert(digest, known.map(|known| known.since));
            }
        }
    }

    /// Takes in the value that was read for a listed record's key; `None` if the key no longer
    /// exists.
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
            Key::Ranges(name) => {
                let known = self.components.get_mut(name);
                let stored = known.and_then(|known| known.ranges.as_mut());
                put(stored.map(|stored| &mut stored.value), value, |_| true);
            }
            Key::Catalog(name) => {
                let known = self.components.get_mut(name);
                let stored = known.and_then(|known| known.catalog.as_mut());
                put(stored.map(|stored| &mut stored.value), value, |_| true);
                self.complete(key);
            }
            Key::Index => {
                put(self.index.as_mut().map(|stored| &mut stored.value), value, |_| true);
                self.complete(key);
            }
            Key::Unreferenced(digest) => {
                self.asked.insert(*digest);
                if let Some(value) = value {
                    let since = record::parse::<UnreferencedRecord>(value).ok();
                    self.unreferenced.insert(*digest, since.map(|record| record.since));
                }
            }
        }
    }

    /// Returns the keys of all slots. A plan always needs their records.
    pub fn slot_keys(&self) -> Vec<Key> {
        let of = |(name, known): (&ComponentName, &ActualComponent)| {
            let key = |slot: &Slot| Key::Slot(name.clone(), slot.clone());
            known.slots.keys().map(key).collect::<Vec<_>>()
        };
        self.components.iter().flat_map(of).collect()
    }

    /// Computes the metadata of a key that was read but not listed from its value.
    fn complete(&mut self, key: &Key) {
        if self.scope.is_none() {
            return;
        }
        if let Key::Catalog(name) = key {
            let stored = self.components.get_mut(name).and_then(|known| known.catalog.as_mut());
            if let Some(StoredCatalog { metadata, value: Stored::Record(record) }) = stored {
                *metadata = Some(record.metadata());
            }
        } else if let Some(StoredIndex { metadata, value: Stored::Record(record) }) =
            self.index.as_mut()
        {
            *metadata = Some(record.metadata());
        }
    }

    /// Returns the contents that slot and version records name, for the records whose key
    /// passes `which`.
    pub(super) fn named(&self, which: impl Fn(&Key) -> bool) -> BTreeSet<Digest> {
        let mut named = BTreeSet::new();
        for (name, known) in &self.components {
            for (version, stored) in &known.versions {
                if which(&Key::Version(name.clone(), version.clone())) {
                    named.extend(stored.metadata.as_ref().map(|metadata| metadata.digest));
                    if let Stored::Record(record) = &stored.value {
                        named.insert(record.snapshot.digest);
                    }
                }
            }
            for (slot, stored) in &known.slots {
                if let Stored::Record(record) = stored
                    && which(&Key::Slot(name.clone(), slot.clone()))
                {
                    named.extend(record.arms().map(|arm| arm.snapshot.digest));
                }
            }
        }
        named
    }

    /// Tells if a content exists in KV.
    ///
    /// If only some components are in scope, contents are not listed: then the contents that
    /// records name count as existing.
    pub(super) fn has_content(&self, digest: Digest, named: &BTreeSet<Digest>) -> bool {
        match self.scope {
            None => self.contents.contains(&digest),
            Some(_) => named.contains(&digest) && !self.damaged.contains(&digest),
        }
    }

    /// Returns the number of slots and versions in KV.
    pub(super) fn pointers(&self) -> usize {
        self.components.values().map(|known| known.slots.len() + known.versions.len()).sum()
    }

    /// Returns the runs of syncs that a listing of all of KV contains.
    pub fn runs(&self) -> &BTreeMap<RunId, SyncRecord> {
        &self.runs
    }

    /// Returns the keys that this software did not write. They are left unchanged.
    pub fn foreign(&self) -> &[(Namespace, String)] {
        &self.foreign
    }

    /// Returns the number of listed keys.
    pub fn listed(&self) -> usize {
        let of = |known: &ActualComponent| {
            let catalog = self.scope.is_none() && known.catalog.is_some();
            let ranges = known.ranges.is_some();
            known.versions.len() + known.slots.len() + usize::from(ranges) + usize::from(catalog)
        };
        let records: usize = self.components.values().map(of).sum();
        let index = usize::from(self.scope.is_none() && self.index.is_some());
        let contents = self.contents.len() + self.unreferenced.len();
        contents + records + index + self.foreign.len()
    }

    /// Returns the metadata of a version if its content exists, by a listing of all of KV.
    pub fn known(&self, name: &ComponentName, version: &Version) -> Option<&VersionMetadata> {
        let known = self.components.get(name)?.versions.get(version)?.metadata.as_ref()?;
        self.contents.contains(&known.digest).then_some(known)
    }

    /// Returns the slot records that were read.
    pub fn slot_records(&self) -> impl Iterator<Item = (&ComponentName, &SlotRecord)> {
        self.components.iter().flat_map(|(name, known)| {
            known.slots.values().filter_map(move |stored| match stored {
                Stored::Record(record) => Some((name, record)),
                _ => None,
            })
        })
    }

    /// Tells if KV has a slot or version of a component.
    pub fn knows(&self, name: &ComponentName) -> bool {
        let known = self.components.get(name);
        known.is_some_and(|known| !known.slots.is_empty() || !known.versions.is_empty())
    }

    fn component(&mut self, name: ComponentName) -> &mut ActualComponent {
        self.components.entry(name).or_default()
    }
}

fn typed<T: DeserializeOwned>(metadata: Option<Value>) -> Option<T> {
    serde_json::from_value(metadata?).ok()
}
