//! The current `slotctl` reads the records that every release wrote (`tests/fixtures/golden/`).

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use catalog::digest::Digest;
use catalog::key::{Key, Namespace, SYNC_PREFIX};
use catalog::record::{
    CatalogRecord, FORMAT, IndexRecord, RangesRecord, Record, RecordError, RollbackRun, SlotRecord,
    SyncRecord, UnreferencedRecord, VersionMetadata, VersionRecord, parse, write,
};
use serde::Serialize;
use serde_json::{Value, json};

/// A value in KV with its key and metadata.
struct Golden {
    key: Key,
    text: String,
    metadata: Option<Value>,
}

/// Returns the name and all records of each release.
fn releases() -> Vec<(String, Vec<Golden>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/golden");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let releases: Vec<_> = folders.filter(|path| path.is_dir()).map(|path| read(&path)).collect();
    assert!(!releases.is_empty());
    releases
}

fn read(folder: &Path) -> (String, Vec<Golden>) {
    let text = fs::read_to_string(folder.join("records.json")).unwrap();
    let namespaces: Value = serde_json::from_str(&text).unwrap();
    let mut records = Vec::new();
    for namespace in [Namespace::Slots, Namespace::Components] {
        for (key, entry) in namespaces[namespace.binding()].as_object().unwrap() {
            let Some(text) = entry["value"].as_str() else { continue };
            // In 0.1.0, sync runs had another key.
            let key = match key.strip_prefix("sync@") {
                Some(run) => format!("{SYNC_PREFIX}{run}"),
                None => key.clone(),
            };
            let key = Key::parse(namespace, &key).unwrap_or_else(|| panic!("{key} is no key"));
            records.push(Golden {
                key,
                text: text.into(),
                metadata: entry.get("metadata").cloned(),
            });
        }
    }
    (folder.file_name().unwrap().to_string_lossy().into_owned(), records)
}

/// A kind of record, with the metadata of its key.
trait Kind: Record + Serialize + PartialEq + Debug {
    /// Returns the metadata. `there` is the stored one, for what does not follow from the record.
    fn beside(&self, there: Option<&Value>) -> Option<Value>;
}

macro_rules! kinds {
    ($($kind:ty: $beside:expr,)*) => {
        $(impl Kind for $kind {
            fn beside(&self, there: Option<&Value>) -> Option<Value> {
                let beside: fn(&Self, Option<&Value>) -> Option<Value> = $beside;
                beside(self, there)
            }
        })*
    };
}

kinds! {
    SlotRecord: |_, _| None,
    // 0.1.0 wrote no `file`.
    VersionRecord: |record, _| Some(json!(VersionMetadata { file: None, ..record.metadata() })),
    CatalogRecord: |record, _| Some(json!(record.metadata())),
    RangesRecord: |record, there| {
        let versions = serde_json::from_value(there?["versions"].clone()).ok()?;
        Some(json!(record.metadata(versions)))
    },
    IndexRecord: |record, _| Some(json!(record.metadata())),
    SyncRecord: |record, _| Some(json!(record)),
    RollbackRun: |record, _| Some(json!(record.run)),
    UnreferencedRecord: |record, _| Some(json!(record.metadata())),
}

/// Every record of every release can be read, and each release has every kind.
#[test]
fn records_of_every_release_can_be_read() {
    for (release, records) in releases() {
        let kinds: BTreeSet<&str> = records.iter().map(check).collect();
        let mut all = BTreeSet::from([
            "catalog",
            "content",
            "index",
            "ranges",
            "rollback",
            "slot",
            "sync",
            "unreferenced",
            "version",
        ]);
        if release == "v0.1.0" {
            all.remove("ranges");
        }
        assert_eq!(kinds, all, "{release}");
    }
}

/// Checks a value and returns the name of its kind.
fn check(golden: &Golden) -> &'static str {
    match &golden.key {
        Key::Slot(..) => check_as::<SlotRecord>("slot", golden),
        Key::Version(..) => check_as::<VersionRecord>("version", golden),
        Key::Catalog(_) => check_as::<CatalogRecord>("catalog", golden),
        Key::Ranges(_) => check_as::<RangesRecord>("ranges", golden),
        Key::Index => check_as::<IndexRecord>("index", golden),
        Key::Sync(_) if golden.text.contains(r#""rollback":true"#) => {
            check_as::<RollbackRun>("rollback", golden)
        }
        Key::Sync(_) => check_as::<SyncRecord>("sync", golden),
        Key::Unreferenced(_) => check_as::<UnreferencedRecord>("unreferenced", golden),
        Key::Content(digest) => {
            assert_eq!(Digest::of(golden.text.as_bytes()), *digest);
            "content"
        }
    }
}

fn check_as<T: Kind>(name: &'static str, golden: &Golden) -> &'static str {
    let Golden { key, text, metadata } = golden;
    let record: T = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{key}: {error}"));
    // A later format may write more. This code writes exactly what it read.
    if record.format() == FORMAT {
        assert_eq!(String::from_utf8(write(&record)).unwrap(), *text, "{key}");
        assert_eq!(record.beside(metadata.as_ref()), *metadata, "{key}");
    }
    check_additions(golden, &record);
    check_later_format::<T>(golden);
    name
}

/// A member that a later release adds to any object of the record is ignored.
fn check_additions<T: Kind>(Golden { key, text, .. }: &Golden, record: &T) {
    let mut extended: Value = serde_json::from_str(text).unwrap();
    let added = add(&mut extended, "");
    assert!(added > 0);
    let read = parse::<T>(extended.to_string().as_bytes());
    assert_eq!(read.as_ref(), Ok(record), "{key}: {extended}");
}

/// Adds a member to each object below `value` and returns their number. `segments` and `slots`
/// are skipped because they hold entries, not members.
fn add(value: &mut Value, name: &str) -> usize {
    match value {
        Value::Array(items) => items.iter_mut().map(|item| add(item, "")).sum(),
        Value::Object(members) => {
            let below = members.iter_mut().map(|(name, member)| add(member, name)).sum();
            if ["segments", "slots"].contains(&name) {
                return below;
            }
            members.insert("added".into(), json!({ "later": [1, null, { "slot": "x" }] }));
            below + 1
        }
        _ => 0,
    }
}

/// A later format is refused with advice, regardless of the other members.
fn check_later_format<T: Kind>(Golden { key, text, .. }: &Golden) {
    let mut later: Value = serde_json::from_str(text).unwrap();
    later["format"] = json!(FORMAT + 1);
    for text in [later.to_string(), json!({ "format": FORMAT + 1, "other": true }).to_string()] {
        let error = parse::<T>(text.as_bytes()).unwrap_err();
        assert_eq!(error, RecordError::FormatTooHigh { found: FORMAT + 1 }, "{key}");
        assert!(error.to_string().ends_with("release a newer one first"), "{error}");
    }
}
