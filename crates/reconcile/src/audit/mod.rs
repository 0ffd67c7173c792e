//! Everything that Workers KV holds, read back and held against itself and Git.
//!
//! A plan trusts metadata (a listing is enough for it); an audit trusts nothing: it
//! takes every record and every content as it is read. Of each only digests are
//! kept, so that memory follows the number of keys, not their size.
//!
//! What a sync has yet to write is no finding: `status` shows that.

mod audited;
mod links;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::desired::Desired;
use audited::{AuditedArm, AuditedCatalog, AuditedComponent, AuditedContent, AuditedVersion};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{
    self, CatalogMetadata, CatalogRecord, IndexRecord, SlotRecord, SyncRecord, UnreferencedRecord,
    VersionMetadata, VersionRecord,
};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, printable};

/// What is known of KV so far, and what is wrong with it.
#[derive(Debug)]
pub struct Audit<'a> {
    desired: &'a Desired,
    /// All keys but contents', in the order in which they are to be read, each with
    /// its metadata's digest where it has one.
    keys: BTreeMap<Key, Option<Digest>>,
    contents: BTreeMap<Digest, AuditedContent>,
    components: BTreeMap<ComponentName, AuditedComponent>,
    index: Option<BTreeSet<ComponentName>>,
    findings: Vec<Notice>,
}

impl<'a> Audit<'a> {
    /// Begins with what Git says.
    pub fn new(desired: &'a Desired) -> Self {
        Self {
            desired,
            keys: BTreeMap::new(),
            contents: BTreeMap::new(),
            components: BTreeMap::new(),
            index: None,
            findings: Vec::new(),
        }
    }

    /// Takes in a key of a listing, or one that is known without a listing.
    pub fn list(&mut self, namespace: Namespace, key: &str, metadata: Option<Value>) {
        let Some(key) = Key::parse(namespace, key) else { return };
        let digest = metadata.and_then(|metadata| match &key {
            Key::Version(..) => {
                serde_json::from_value::<VersionMetadata>(metadata).ok().map(|known| known.hash)
            }
            Key::Catalog(_) => {
                serde_json::from_value::<CatalogMetadata>(metadata).ok().map(|known| known.hash)
            }
            _ => None,
        });
        match key {
            Key::Content(digest) => drop(self.contents.entry(digest).or_default()),
            key => drop(self.keys.insert(key, digest)),
        }
    }

    /// The keys of all records, whose values are to be [`Self::read`] in any order.
    pub fn keys(&self) -> Vec<Key> {
        self.keys.keys().cloned().collect()
    }

    /// Takes in the value of a record's key; `None` if it is gone since the listing.
    pub fn read(&mut self, key: &Key, value: Option<&[u8]>) {
        let Some(bytes) = value else { return };
        let read = match key {
            Key::Slot(name, slot) => {
                record::parse(bytes).map(|record| self.slot(name, slot, &record))
            }
            Key::Version(name, version) => {
                record::parse(bytes).map(|record| self.version(name, version, &record, bytes))
            }
            Key::Catalog(name) => record::parse(bytes).map(|record| self.catalog(name, &record)),
            Key::Index => record::parse(bytes).map(|IndexRecord { components, .. }| {
                self.index = Some(components.into_iter().collect());
            }),
            Key::Unreferenced(_) => record::parse::<UnreferencedRecord>(bytes).map(drop),
            Key::Sync(_) => record::parse::<SyncRecord>(bytes).map(drop),
            Key::Content(_) => Ok(()),
        };
        if let Err(error) = read {
            let what = printable(error.to_string().as_bytes());
            self.find(key, what, "slotctl sync rewrites it if Git has it");
        }
    }

    /// The contents to read, with their sizes where a record says them; once all
    /// records were read.
    pub fn contents(&self) -> Vec<(Digest, Option<u64>)> {
        self.contents.iter().map(|(digest, content)| (*digest, content.size)).collect()
    }

    /// Takes in the digest of a content as it was read; `None` if it is not there.
    pub fn content(&mut self, digest: Digest, found: Option<Digest>) {
        let named = self.contents.get(&digest).and_then(|content| content.named.clone());
        let by = named.map_or(String::new(), |key| format!(" ({key} names it)"));
        match found {
            Some(found) if found == digest => {}
            Some(found) => self.find(
                &Key::Content(digest),
                format!("its bytes have the digest {found:?}{by}"),
                "delete the key, then run slotctl sync, which rewrites it",
            ),
            None => self.find(
                &Key::Content(digest),
                format!("it does not exist{by}"),
                "slotctl sync rewrites it",
            ),
        }
    }

    /// How many records there are of a kind.
    pub fn count(&self, of: impl Fn(&Key) -> bool) -> usize {
        self.keys.keys().filter(|key| of(key)).count()
    }

    /// Compares the records with each other, once all of them were read.
    pub fn link(&mut self) {
        self.findings.extend(links::findings(&self.components, self.index.as_ref()));
    }

    /// All that is wrong, in the order of the keys.
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
            return self.find(&key, what, "slotctl sync rewrites it if Git has it");
        }
        if self.keys.get(&key).copied().flatten() != Some(Digest::of(bytes)) {
            let what = "the record does not match the hash in its metadata".to_owned();
            self.find(&key, what, "delete the key, then run slotctl sync, which rewrites it");
        }
        let desired = self.desired.components.get(name);
        let git = desired.and_then(|desired| desired.versions.get(version));
        if let Some(git) = git.filter(|git| git.snapshot.digest != snapshot.digest) {
            let what = format!(
                "KV has {:?}, Git has {:?} (commit {})",
                snapshot.digest,
                git.snapshot.digest,
                git.snapshot.sha.as_str()
            );
            let help = "restore the tag; or, if Git is right: slotctl sync --allow-changed-version";
            self.find(&key, what, help);
        }
        self.name_content(snapshot.digest, snapshot.size, &key);
        let seen = AuditedVersion { content: snapshot.digest, record: record.hash() };
        self.component(name).versions.insert(version.clone(), seen);
    }

    fn catalog(&mut self, name: &ComponentName, record: &CatalogRecord) {
        let key = Key::Catalog(name.clone());
        let listed = self.keys.get(&key).copied().flatten();
        if listed.is_some_and(|listed| listed != record.metadata().hash) {
            let what = "the record does not match the hash in its metadata".to_owned();
            self.find(&key, what, "delete the key, then run slotctl sync, which rewrites it");
        }
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
