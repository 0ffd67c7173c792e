//! The audit: reads all of Workers KV and compares it with itself and with Git.
//!
//! A plan relies on metadata, so a listing is enough for it. An audit relies on nothing: it
//! reads every record and every content. It keeps only their digests, so its memory depends on
//! the number of keys, not on their size.
//!
//! A change that a sync has yet to write is not a finding: `status` shows it.

mod audited;
mod finding;
mod index;
mod links;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::desired::Desired;
use audited::{
    AuditedArm, AuditedCatalog, AuditedComponent, AuditedContent, AuditedIndex, AuditedVersion,
};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{
    self, CatalogMetadata, CatalogRecord, IndexMetadata, IndexRecord, RangesMetadata, RangesRecord,
    SlotRecord, SyncRecord, UnreferencedRecord, VersionMetadata, VersionRecord,
};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, printable};

/// The way to mend a value that is not as it was written.
const REPAIR: &str = "`slotctl sync --repair` rewrites it if Git has it";

/// The state of an audit: what was read of KV, and the findings.
#[derive(Debug)]
pub struct Audit<'a> {
    desired: &'a Desired,
    /// All keys except those of contents, in the order in which they must be read, with the
    /// digest in their metadata if they have any.
    keys: BTreeMap<Key, Option<Digest>>,
    contents: BTreeMap<Digest, AuditedContent>,
    components: BTreeMap<ComponentName, AuditedComponent>,
    index: Option<AuditedIndex>,
    /// The components that are audited; `None` for all.
    scope: Option<BTreeSet<ComponentName>>,
    findings: Vec<Notice>,
}

impl<'a> Audit<'a> {
    /// Begins an audit with the state in Git.
    pub fn new(desired: &'a Desired) -> Self {
        Self {
            desired,
            keys: BTreeMap::new(),
            contents: BTreeMap::new(),
            components: BTreeMap::new(),
            index: None,
            scope: None,
            findings: Vec::new(),
        }
    }

    /// Begins an audit of these components only.
    pub fn only(desired: &'a Desired, names: impl IntoIterator<Item = ComponentName>) -> Self {
        Self { scope: Some(names.into_iter().collect()), ..Self::new(desired) }
    }

    /// Takes in a key from a listing, or a key that is known without a listing.
    pub fn list(&mut self, namespace: Namespace, key: &str, metadata: Option<Value>) {
        let Some(key) = Key::parse(namespace, key) else { return };
        let digest = metadata.and_then(|metadata| match &key {
            Key::Version(..) => {
                serde_json::from_value::<VersionMetadata>(metadata).ok().map(|known| known.hash)
            }
            Key::Ranges(_) => {
                serde_json::from_value::<RangesMetadata>(metadata).ok().map(|known| known.hash)
            }
            Key::Catalog(_) => {
                serde_json::from_value::<CatalogMetadata>(metadata).ok().map(|known| known.hash)
            }
            Key::Index => {
                serde_json::from_value::<IndexMetadata>(metadata).ok().map(|known| known.hash)
            }
            _ => None,
        });
        match key {
            Key::Content(digest) => drop(self.contents.entry(digest).or_default()),
            key => drop(self.keys.insert(key, digest)),
        }
    }

    /// Returns the keys of all records. Their values must be passed to [`Self::read`], in any
    /// order.
    pub fn keys(&self) -> Vec<Key> {
        self.keys.keys().cloned().collect()
    }

    /// Takes in the value of a record's key; `None` if the key was deleted after the listing.
    pub fn read(&mut self, key: &Key, value: Option<&[u8]>) {
        let Some(bytes) = value else {
            self.keys.remove(key);
            return;
        };
        let read = match key {
            Key::Slot(name, slot) => {
                record::parse(bytes).map(|record| self.slot(name, slot, &record))
            }
            Key::Version(name, version) => {
                record::parse(bytes).map(|record| self.version(name, version, &record, bytes))
            }
            Key::Ranges(name) => record::parse(bytes)
                .and_then(|record: RangesRecord| record.versions())
                .map(|versions| self.ranges(name, versions, bytes)),
            Key::Catalog(name) => record::parse(bytes).map(|record| self.catalog(name, &record)),
            Key::Index => record::parse(bytes).map(|record| self.index(&record)),
            Key::Unreferenced(_) => record::parse::<UnreferencedRecord>(bytes).map(drop),
            Key::Sync(_) => record::parse::<SyncRecord>(bytes).map(drop),
            Key::Content(_) => Ok(()),
        };
        if let Err(error) = read {
            let what = printable(error.to_string().as_bytes());
            self.find(key, what, REPAIR);
        }
    }

    /// Returns the contents to read, with their sizes if a record names them. All records must
    /// have been read before.
    pub fn contents(&self) -> Vec<(Digest, Option<u64>)> {
        self.contents.iter().map(|(digest, content)| (*digest, content.size)).collect()
    }

    /// Takes in the digest of the bytes that were read for a content; `None` if it does not
    /// exist.
    pub fn content(&mut self, digest: Digest, found: Option<Digest>) {
        let named = self.contents.get(&digest).and_then(|content| content.named.clone());
        let by = named.map_or(String::new(), |key| format!(" ({key} names it)"));
        match found {
            Some(found) if found == digest => {}
            Some(found) => self.find(
                &Key::Content(digest),
                format!("its bytes have the digest {found:?}{by}"),
                REPAIR,
            ),
            None => self.find(
                &Key::Content(digest),
                format!("it does not exist{by}"),
                "`slotctl sync` rewrites it",
            ),
        }
    }

    /// Returns the number of records whose key passes `of`.
    pub fn count(&self, of: impl Fn(&Key) -> bool) -> usize {
        self.keys.keys().filter(|key| of(key)).count()
    }

    /// Compares the records with each other, after all of them were read.
    pub fn link(&mut self) {
        self.findings.extend(links::findings(&self.components));
        let listed = index::Listed { keys: &self.keys, scope: self.scope.as_ref() };
        let components = self.components.iter().filter(|(_, known)| known.catalog.is_some());
        let names = components.map(|(name, _)| name);
        self.findings.extend(index::findings(names, self.index.as_ref(), &listed));
    }

    /// Returns all findings, in the order of the keys.
    pub fn findings(mut self) -> Vec<Notice> {
        self.findings.sort();
        self.findings
    }

    fn find(&mut self, key: &Key, what: String, help: &str) {
        let (subject, help) = (key.to_string(), Some(help.to_owned()));
        self.findings.push(Notice { subject, what, help });
    }

    fn component(&mut self, name: &ComponentName) -> &mut AuditedComponent {
        self.components.entry(name.clone()).or_default()
    }

    fn name_content(&mut self, digest: Digest, size: u64, key: &Key) {
        let content = self.contents.entry(digest).or_default();
        content.named.get_or_insert_with(|| key.clone());
        content.size.get_or_insert(size);
    }

    fn slot(&mut self, name: &ComponentName, slot: &Slot, record: &SlotRecord) {
        let key = Key::Slot(name.clone(), slot.clone());
        if record.slot != *slot {
            return self.find(&key, format!("it is the record of {}", record.slot), "slotctl sync");
        }
        for arm in record.arms() {
            let (version, content) = (arm.snapshot.version.clone(), arm.snapshot.digest);
            self.name_content(content, arm.snapshot.size, &key);
            self.component(name).arms.push(AuditedArm { slot: slot.clone(), version, content });
        }
        let digest = Digest::of(&record::write(record));
        self.component(name).slots.insert(slot.clone(), digest);
    }

    fn version(
        &mut self,
        name: &ComponentName,
        version: &Version,
        record: &VersionRecord,
        bytes: &[u8],
    ) {
        let key = Key::Version(name.clone(), version.clone());
        let snapshot = &record.snapshot;
        if snapshot.version != *version {
            let what = format!("it is the record of {}", snapshot.version);
            return self.find(&key, what, REPAIR);
        }
        let is_damaged = self.keys.get(&key).copied().flatten() != Some(Digest::of(bytes));
        if is_damaged {
            let what = "the record does not match the hash in its metadata".to_owned();
            self.find(&key, what, REPAIR);
        }
        let desired = self.desired.components.get(name);
        let git = desired.and_then(|desired| desired.versions.get(version));
        let changed = git.filter(|git| git.snapshot.digest != snapshot.digest);
        if let Some(git) = changed {
            let what = format!(
                "KV has {:?}, Git has {:?} (commit {})",
                snapshot.digest,
                git.snapshot.digest,
                git.snapshot.sha.as_str()
            );
            let help = match is_damaged {
                true => REPAIR.to_owned(),
                false => format!(
                    "restore the tag; or, if Git is right: slotctl sync --allow-changed-version {key}"
                ),
            };
            self.find(&key, what, &help);
        }
        self.name_content(snapshot.digest, snapshot.size, &key);
        let revoked = record.revoked.is_some();
        let seen = AuditedVersion { content: snapshot.digest, record: record.hash(), revoked };
        self.component(name).versions.insert(version.clone(), seen);
    }

    fn ranges(&mut self, name: &ComponentName, versions: BTreeMap<Version, Digest>, bytes: &[u8]) {
        self.check_hash(&Key::Ranges(name.clone()), Digest::of(bytes));
        self.component(name).ranges = Some(versions);
    }

    /// Compares a record with the hash in the metadata of its key.
    fn check_hash(&mut self, key: &Key, hash: Digest) {
        let listed = self.keys.get(key).copied().flatten();
        if listed.is_some_and(|listed| listed != hash) {
            let what = "the record does not match the hash in its metadata".to_owned();
            self.find(key, what, REPAIR);
        }
    }

    fn index(&mut self, record: &IndexRecord) {
        self.check_hash(&Key::Index, record.metadata().hash);
        let entries = record.entries();
        let entries = entries.map(|(name, slots)| (name.clone(), slots.map(<[Slot]>::to_vec)));
        self.index = Some(entries.collect());
    }

    fn catalog(&mut self, name: &ComponentName, record: &CatalogRecord) {
        self.check_hash(&Key::Catalog(name.clone()), record.metadata().hash);
        let version = |record: &VersionRecord| (record.snapshot.version.clone(), record.hash());
        let slots = record.slots.iter();
        let slots =
            slots.map(|(slot, entry)| (slot.clone(), Digest::of(&record::write(&entry.record))));
        let catalog = AuditedCatalog {
            versions: record.versions.iter().map(version).collect(),
            slots: slots.collect(),
        };
        self.component(name).catalog = Some(catalog);
    }
}
