//! The records of runs in Workers KV, by which simultaneous runs find each other:
//! see [`catalog::record::SyncRecord`].

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace, SYNC_PREFIX};
use catalog::record::{self, HeldSlot, RollbackRun, RunId, SlotRecord, SyncRecord};
use serde_json::Value;

use crate::store::Store;
use kv_api::{Batch, Pair};

/// Returns the id of a new run.
pub(crate) fn new_run() -> Result<RunId> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).context("the operating system returned no random bytes")?;
    Ok(RunId::from_bytes(random))
}

/// The record of a run, to be written alone or along with other keys of `COMPONENTS`.
#[derive(Debug)]
pub(crate) struct Note {
    key: String,
    value: Vec<u8>,
    metadata: Value,
}

impl Note {
    /// Creates the record of a sync.
    pub(crate) fn of_sync(run: RunId, record: &SyncRecord) -> Result<Self> {
        Self::new(run, record, record::write(record))
    }

    fn new(run: RunId, record: &SyncRecord, value: Vec<u8>) -> Result<Self> {
        let metadata = serde_json::to_value(record).context("cannot write the run's record")?;
        Ok(Self { key: Key::Sync(run).to_string(), value, metadata })
    }

    /// Returns the pair that is written.
    pub(crate) fn pair(&self) -> Pair<'_> {
        Pair { key: &self.key, value: &self.value, metadata: Some(&self.metadata) }
    }

    /// Writes the record alone.
    pub(crate) fn write(&self, store: &Store<'_>) -> Result<()> {
        let namespace = store.namespace(Namespace::Components);
        let mut batch = Batch::new(namespace.limits());
        batch.push(self.pair());
        Ok(namespace.put_batch(batch)?)
    }
}

/// Tells running syncs which slots were rolled back: a sync looks before it moves a slot, and at
/// its end puts back the slots that it overwrote.
pub(crate) fn tell_syncs(store: &Store<'_>, slots: Vec<HeldSlot>) -> Result<()> {
    let run = new_run()?;
    let state = Digest::of(run.to_string().as_bytes());
    let record = SyncRecord { ended: true, rollback: true, ..SyncRecord::new(state, None) };
    let value = record::write(&RollbackRun { run: record.clone(), slots });
    Note::new(run, &record, value)?.write(store)
}

/// Puts back the slots that rollbacks wrote and that have no hold now; returns their number.
pub(crate) fn put_back(store: &Store<'_>, rollbacks: &[RunId]) -> Result<usize> {
    let mut slots: BTreeMap<Key, SlotRecord> = BTreeMap::new();
    for run in rollbacks {
        let value = store.namespace(Namespace::Components).get(&Key::Sync(*run).to_string())?;
        let rollback = value.and_then(|value| record::parse::<RollbackRun>(&value).ok());
        for HeldSlot { component, record } in rollback.into_iter().flat_map(|run| run.slots) {
            let since = |record: &SlotRecord| record.hold.as_ref().map(|hold| hold.at);
            let key = Key::Slot(component, record.slot.clone());
            if slots.get(&key).is_none_or(|other| since(other) < since(&record)) {
                slots.insert(key, record);
            }
        }
    }
    let keys: Vec<Key> = slots.keys().cloned().collect();
    store.read(&keys, |key, value| {
        let record = value.and_then(|value| record::parse::<SlotRecord>(value).ok());
        if record.is_some_and(|record| record.hold.is_some()) {
            slots.remove(key);
        }
    })?;
    let namespace = store.namespace(Namespace::Slots);
    let mut batch = Batch::new(namespace.limits());
    for (key, record) in &slots {
        let (key, value) = (key.to_string(), record::write(record));
        let pair = Pair { key: &key, value: &value, metadata: None };
        if !batch.push(pair) {
            let full = std::mem::replace(&mut batch, Batch::new(namespace.limits()));
            namespace.put_batch(full)?;
            batch.push(pair);
        }
    }
    if !batch.is_empty() {
        namespace.put_batch(batch)?;
    }
    Ok(slots.len())
}

/// Returns the records of all runs. Records that can't be read are left out.
pub(crate) fn list(store: &Store<'_>) -> Result<BTreeMap<RunId, SyncRecord>> {
    let mut runs = BTreeMap::new();
    for page in store.namespace(Namespace::Components).list(SYNC_PREFIX) {
        for listed in page? {
            let key = Key::parse(Namespace::Components, &listed.name);
            let (Some(Key::Sync(run)), Some(metadata)) = (key, listed.metadata) else { continue };
            if let Ok(record) = serde_json::from_value(metadata) {
                runs.insert(run, record);
            }
        }
    }
    Ok(runs)
}

/// Deletes the records of runs.
pub(crate) fn delete(store: &Store<'_>, runs: impl Iterator<Item = RunId>) -> Result<()> {
    let namespace = store.namespace(Namespace::Components);
    let mut batch = Batch::new(namespace.limits());
    for run in runs {
        batch.push_key(&Key::Sync(run).to_string());
    }
    match batch.is_empty() {
        true => Ok(()),
        false => Ok(namespace.delete_batch(batch)?),
    }
}
