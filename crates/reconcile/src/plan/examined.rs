//! Values that are damaged behind intact metadata.
//!
//! A plan relies on the metadata in a listing, so it does not notice them. For a repair, all
//! values are read and compared with their metadata first; a plan then rewrites those that are
//! damaged.

use std::collections::BTreeMap;

use super::actual::{Actual, StoredCatalog, StoredIndex};
use super::stored::{Stored, put};
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{
    self, CatalogRecord, IndexRecord, Record, UnreferencedRecord, VersionRecord,
};

/// Returns the keys of the records whose values a plan does not read: those with metadata.
pub fn unread_records(actual: &Actual) -> Vec<Key> {
    let mut keys = Vec::new();
    for (name, known) in &actual.components {
        let versions = known.versions.iter().filter(|(_, stored)| stored.metadata.is_some());
        keys.extend(versions.map(|(version, _)| Key::Version(name.clone(), version.clone())));
        let ranges = known.ranges.as_ref().is_some_and(|stored| stored.metadata.is_some());
        keys.extend(ranges.then(|| Key::Ranges(name.clone())));
        let catalog = known.catalog.as_ref().is_some_and(|stored| stored.metadata.is_some());
        keys.extend(catalog.then(|| Key::Catalog(name.clone())));
    }
    let index = actual.index.as_ref().is_some_and(|stored| stored.metadata.is_some());
    keys.extend(index.then_some(Key::Index));
    keys.extend(actual.unreferenced.keys().map(|digest| Key::Unreferenced(*digest)));
    keys
}

/// Compares the value of a record with the metadata of its key. Takes it in, and returns true, if
/// it is damaged.
pub fn examine_record(actual: &mut Actual, key: &Key, value: Option<&[u8]>) -> bool {
    let Some(bytes) = value else {
        // The key was deleted after the listing.
        actual.read(key, None);
        return false;
    };
    match key {
        Key::Version(..) => examine_version(actual, key, bytes),
        Key::Ranges(name) => examine_ranges(actual, name, bytes),
        Key::Catalog(name) => {
            let known = actual.components.get_mut(name).and_then(|known| known.catalog.as_mut());
            known.is_some_and(|known| {
                let StoredCatalog { metadata, value } = known;
                examine_listed(metadata, value, bytes, CatalogRecord::metadata)
            })
        }
        Key::Index => {
            let known = actual.index.as_mut();
            known.is_some_and(|known| {
                let StoredIndex { metadata, value } = known;
                examine_listed(metadata, value, bytes, IndexRecord::metadata)
            })
        }
        Key::Unreferenced(digest) => {
            let is_damaged = record::parse::<UnreferencedRecord>(bytes).is_err();
            if is_damaged {
                actual.unreferenced.insert(*digest, None);
            }
            is_damaged
        }
        Key::Content(_) | Key::Slot(..) | Key::Sync(_) => false,
    }
}

/// Compares a record with the metadata of its key. A damaged one is taken in without metadata.
fn examine_listed<T: Record, M: PartialEq>(
    metadata: &mut Option<M>,
    stored: &mut Stored<T>,
    bytes: &[u8],
    of: impl Fn(&T) -> M,
) -> bool {
    let is_damaged = !record::parse(bytes).is_ok_and(|record| *metadata == Some(of(&record)));
    if is_damaged {
        *metadata = None;
        put(Some(stored), Some(bytes), |_| true);
    }
    is_damaged
}

fn examine_ranges(actual: &mut Actual, name: &ComponentName, bytes: &[u8]) -> bool {
    let known = actual.components.get_mut(name).and_then(|known| known.ranges.as_mut());
    known.is_some_and(|stored| {
        let hash = stored.metadata.as_ref().map(|metadata| metadata.hash);
        let is_damaged = hash != Some(Digest::of(bytes));
        if is_damaged {
            stored.metadata = None;
            put(Some(&mut stored.value), Some(bytes), |_| true);
        }
        is_damaged
    })
}

/// The metadata of a version stays: a damaged record does not say which content the version has.
fn examine_version(actual: &mut Actual, key: &Key, bytes: &[u8]) -> bool {
    let Key::Version(name, version) = key else { return false };
    let known = actual.components.get_mut(name);
    let Some(stored) = known.and_then(|known| known.versions.get_mut(version)) else {
        return false;
    };
    if stored.metadata.as_ref().is_some_and(|metadata| metadata.hash == Digest::of(bytes)) {
        return false;
    }
    put(Some(&mut stored.value), Some(bytes), |record: &VersionRecord| {
        record.snapshot.version == *version
    });
    if let Stored::Record(_) = &stored.value {
        let why = "it does not match the hash in its metadata".to_owned();
        stored.value = Stored::Unreadable(why);
    }
    true
}

/// Returns the contents that KV has or that its records name, with their sizes if these are
/// known.
pub fn all_contents(actual: &Actual) -> Vec<(Digest, Option<u64>)> {
    let mut contents: BTreeMap<Digest, Option<u64>> =
        actual.contents.iter().map(|digest| (*digest, None)).collect();
    for known in actual.components.values() {
        for metadata in known.versions.values().filter_map(|stored| stored.metadata.as_ref()) {
            let size = metadata.file.as_ref().map(|file| file.size);
            contents.insert(metadata.digest, size);
        }
    }
    for (_, record) in actual.slot_records() {
        contents.extend(record.arms().map(|arm| (arm.snapshot.digest, Some(arm.snapshot.size))));
    }
    contents.into_iter().collect()
}

/// Compares the digest of the bytes that were read for a content, `None` if it does not exist.
/// Notes, and returns true, if they are damaged or missing.
pub fn examine_content(actual: &mut Actual, digest: Digest, found: Option<Digest>) -> bool {
    let is_damaged = found != Some(digest);
    if is_damaged {
        actual.contents.remove(&digest);
        actual.damaged.insert(digest);
    }
    is_damaged
}
