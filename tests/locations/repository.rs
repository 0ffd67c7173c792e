//! A repository with one component, and the writes of `slotctl sync`.

use std::collections::BTreeMap;

use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::{self, IndexRecord, RangesRecord, VersionRecord};
use catalog::slot::Slot;
use serde_json::{Value, json};

use crate::kv::Central;

pub(crate) const NAME: &str = "prompts/a";

/// What Git says: versions and slots, each with the time since when it exists unchanged.
#[derive(Default)]
pub(crate) struct Repository {
    pub(crate) versions: BTreeMap<u32, f64>,
    pub(crate) slots: BTreeMap<&'static str, (u32, f64)>,
    next: u32,
}

/// A change of the repository.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// A new version, to which `production` moves.
    Release,
    /// A slot moves to the version at this place, or appears.
    Move(&'static str, usize),
    /// A slot is deleted.
    DeleteSlot(&'static str),
    /// The version at this place is pruned, unless a slot names it.
    Prune(usize),
}

impl Repository {
    /// Applies a change and writes it as `slotctl sync` does: contents before versions, versions
    /// before slots, slots before the ranges record and the catalog, these before the index, and
    /// deletions last, in the opposite order. A `slotctl` of an earlier release, which is not
    /// `current`, writes no ranges record.
    pub(crate) fn apply(&mut self, change: Change, current: bool, kv: &Central) {
        let now = kv.clock.get();
        let place = |at: usize, all: &BTreeMap<u32, f64>| all.keys().copied().nth(at % all.len());
        let mut deleted = Vec::new();
        match change {
            Change::Release => {
                let version = self.next;
                self.next += 1;
                let key = Key::Content(Digest::of(content(version).as_bytes()));
                kv.put(&key, Some(content(version).into_bytes()));
                kv.put_json(&version_key(version), &version_record(version));
                self.versions.insert(version, now);
                self.set("production", version, kv);
            }
            Change::Move(slot, at) => {
                let version = place(at, &self.versions).unwrap();
                self.set(slot, version, kv);
            }
            Change::DeleteSlot(slot) => {
                deleted.extend(self.slots.remove(slot).map(|_| slot_key(slot)));
            }
            Change::Prune(at) => {
                let version = place(at, &self.versions).unwrap();
                if self.slots.values().all(|(used, _)| *used != version) {
                    self.versions.remove(&version);
                    deleted.push(version_key(version));
                }
            }
        }
        if current {
            kv.put(&Key::Ranges(NAME.parse().unwrap()), Some(self.ranges_record()));
        }
        kv.put_json(&Key::Catalog(NAME.parse().unwrap()), &self.catalog_record());
        kv.put_json(&Key::Index, &self.index_record());
        deleted.iter().for_each(|key| kv.put(key, None));
    }

    fn set(&mut self, slot: &'static str, version: u32, kv: &Central) {
        let since = self.slots.get(slot).map_or(kv.clock.get(), |(_, since)| *since);
        self.slots.insert(slot, (version, since));
        kv.put_json(&slot_key(slot), &slot_record(slot, version));
    }

    fn ranges_record(&self) -> Vec<u8> {
        let read = |at: &u32| serde_json::from_value(version_record(*at)).unwrap();
        let records: Vec<VersionRecord> = self.versions.keys().map(read).collect();
        record::write(&RangesRecord::new(&records))
    }

    fn catalog_record(&self) -> Value {
        let versions: Vec<Value> = self.versions.keys().map(|at| version_record(*at)).collect();
        let slots = self.slots.iter().map(|(slot, (version, _))| {
            let record = slot_record(slot, *version);
            ((*slot).to_owned(), json!({ "record": record, "moves": [] }))
        });
        let slots: serde_json::Map<String, Value> = slots.collect();
        json!({ "format": 1, "versions": versions, "slots": slots })
    }

    fn index_record(&self) -> Value {
        let slots: Vec<Slot> = self.slots.keys().map(|slot| slot.parse().unwrap()).collect();
        serde_json::to_value(IndexRecord::new([(NAME.parse().unwrap(), Some(slots))])).unwrap()
    }
}

pub(crate) fn content(version: u32) -> String {
    format!("content {version}")
}

fn snapshot(version: u32) -> Value {
    json!({
        "version": format!("v1.{version}.0"), "digest": Digest::of(content(version).as_bytes()),
        "size": content(version).len(), "type": "text/plain",
        "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed", "date": "2026-11-20T23:59:27Z",
    })
}

fn with(mut object: Value, members: Value) -> Value {
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}

fn version_record(version: u32) -> Value {
    with(snapshot(version), json!({ "format": 1, "author": "Ada", "path": "a.txt" }))
}

fn slot_record(slot: &str, version: u32) -> Value {
    let target = with(snapshot(version), json!({ "slot": slot, "weight": 100_000 }));
    json!({ "format": 1, "slot": slot, "targets": [target] })
}

fn version_key(version: u32) -> Key {
    Key::Version(NAME.parse().unwrap(), format!("v1.{version}.0").parse().unwrap())
}

fn slot_key(slot: &str) -> Key {
    Key::Slot(NAME.parse().unwrap(), slot.parse().unwrap())
}
