//! What Workers KV holds, as far as it is known.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::stored::{Stored, put};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{
    self, CatalogMetadata, CatalogRecord, IndexMetadata, IndexRecord, RunId, SlotRecord,
    SyncRecord, UnreferencedMetadata, UnreferencedRecord, VersionMetadata, VersionRecord,
};
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use catalog::version::Version;

/// What a listing of both namespaces brought, and the values read since.
#[derive(Debug, Default)]
pub struct Actual {
    pub(super) contents: BTreeSet<Digest>,
    pub(super) components: BTreeMap<ComponentName, ActualComponent>,
    pub(super) index: Option<StoredIndex>,
    /// The components that were looked at; `None` for all of KV.
    pub(super) scope: Option<BTreeSet<ComponentName>>,
    /// Contents that no record named, since when as far as that can be read.
    pub(super) unreferenced: BTreeMap<Digest, Option<Timestamp>>,
    /// The runs that there are of syncs, as far as they can be read.
    runs: BTreeMap<RunId, SyncRecord>,
    /// Contents of which it was asked whether they are unreferenced.
    pub(super) asked: BTreeSet<Digest>,
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

impl Actual {
    /// Of these components alone: their slots and versions are listed (what begins with
    /// `<name>@`), their catalogs and the index read when they are needed.
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
            Key::Sync(run) => {
                self.runs.extend(typed(metadata).map(|record| (run, record)));
            }
            Key::Unreferenced(digest) => {
                let known: Option<UnreferencedMetadata> = typed(metadata);
                self.unreferenced.insert(digest, known.map(|known| known.since));
            }
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

    /// The keys of every slot, whose records a plan always needs.
    pub fn slot_keys(&self) -> Vec<Key> {
        let of = |(name, known): (&ComponentName, &ActualComponent)| {
            let key = |slot: &Slot| Key::Slot(name.clone(), slot.clone());
            known.slots.keys().map(key).collect::<Vec<_>>()
        };
        self.components.iter().flat_map(of).collect()
    }

    /// A key that was read and not listed: its metadata is worked out from its value.
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

    /// The contents that the slot and version records name whose keys `which` says.
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

    /// Whether a content is there. Of a part of KV contents are not listed: those
    /// that its records name are.
    pub(super) fn has_content(&self, digest: Digest, named: &BTreeSet<Digest>) -> bool {
        match self.scope {
            None => self.contents.contains(&digest),
            Some(_) => named.contains(&digest),
        }
    }

    /// How many slots and versions there are.
    pub(super) fn pointers(&self) -> usize {
        self.components.values().map(|known| known.slots.len() + known.versions.len()).sum()
    }

    /// The runs of syncs that a listing of all of KV told of.
    pub fn runs(&self) -> &BTreeMap<RunId, SyncRecord> {
        &self.runs
    }

    /// Keys that nothing here wrote; they are left alone.
    pub fn foreign(&self) -> &[(Namespace, String)] {
        &self.foreign
    }

    /// How many keys were listed.
    pub fn listed(&self) -> usize {
        let of = |known: &ActualComponent| {
            let catalog = self.scope.is_none() && known.catalog.is_some();
            known.versions.len() + known.slots.len() + usize::from(catalog)
        };
        let records: usize = self.components.values().map(of).sum();
        let index = usize::from(self.scope.is_none() && self.index.is_some());
        let contents = self.contents.len() + self.unreferenced.len();
        contents + records + index + self.foreign.len()
    }

    /// What is known of a version whose content is there, from a listing of all of KV.
    pub fn known(&self, name: &ComponentName, version: &Version) -> Option<&VersionMetadata> {
        let known = self.components.get(name)?.versions.get(version)?.metadata.as_ref()?;
        self.contents.contains(&known.digest).then_some(known)
    }

    /// The slot records that were read.
    pub fn slot_records(&self) -> impl Iterator<Item = (&ComponentName, &SlotRecord)> {
        self.components.iter().flat_map(|(name, known)| {
            known.slots.values().filter_map(move |stored| match stored {
                Stored::Record(record) => Some((name, record)),
                _ => None,
            })
        })
    }

    /// Whether there is anything of a component.
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
