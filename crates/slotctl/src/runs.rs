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
    let id = new_run()?;
    let state = Digest::of(id.to_string().as_bytes());
    // Without the list, the record still tells of the slots.
    let highest = list(store).map_or(0, |runs| highest(runs.values()));
    let run = highest.saturating_add(1);
    let record = SyncRecord { ended: true, rollback: true, run, ..SyncRecord::new(state, None) };
    let value = record::write(&RollbackRun { run: record.clone(), slots });
    Note::new(id, &record, value)?.write(store)
}

/// Returns the highest number of these runs; 0 if there are none.
pub(crate) fn highest<'a>(runs: impl Iterator<Item = &'a SyncRecord>) -> u64 {
    runs.map(|record| record.run).max().unwrap_or(0)
}

/// Puts back the slots that rollbacks wrote and that have no hold now; returns their number. Of
/// several rollbacks of a slot, the one with the highest number of its run counts. Two at the same
/// time may have the same number: then the later one by its own time counts.
pub(crate) fn put_back(store: &Store<'_>, rollbacks: &[RunId]) -> Result<usize> {
    let mut runs: Vec<RollbackRun> = Vec::new();
    for run in rollbacks {
        let value = store.namespace(Namespace::Components).get(&Key::Sync(*run).to_string())?;
        runs.extend(value.and_then(|value| record::parse::<RollbackRun>(&value).ok()));
    }
    let mut slots = last_of_each(runs);
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

/// Returns the record that the last of these rollbacks wrote for each slot.
fn last_of_each(rollbacks: Vec<RollbackRun>) -> BTreeMap<Key, SlotRecord> {
    let mut written: Vec<(u64, HeldSlot)> = rollbacks
        .into_iter()
        .flat_map(|RollbackRun { run, slots }| slots.into_iter().map(move |slot| (run.run, slot)))
        .collect();
    written.sort_by_key(|(run, slot)| (*run, slot.record.hold.as_ref().map(|hold| hold.at)));
    let last = |(_, HeldSlot { component, record }): (u64, HeldSlot)| {
        (Key::Slot(component, record.slot.clone()), record)
    };
    // A later one takes the place of an earlier one.
    written.into_iter().map(last).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rollback(run: u64, at: &str, digit: char) -> RollbackRun {
        let digest = digit.to_string().repeat(64);
        let slot = format!(
            r#"{{"format":1,"slot":"production","targets":[{{"slot":"production","version":"v1.0.0","digest":"{digest}","size":0,"type":"text/plain","sha":"947e4e2247da185c97ee358273a064bc3e3e0fed","date":"2026-11-20T23:59:27Z","weight":100000}}],"hold":{{"reason":"r","by":"b","at":"{at}"}}}}"#
        );
        let record = record::parse(slot.as_bytes()).unwrap();
        let state = Digest::of(b"");
        let run = SyncRecord { rollback: true, run, ..SyncRecord::new(state, None) };
        RollbackRun { run, slots: vec![HeldSlot { component: "p/a".parse().unwrap(), record }] }
    }

    /// The first of two rollbacks has a clock that is a year ahead.
    #[test]
    fn the_number_of_the_run_decides_which_rollback_is_the_last() {
        let early = rollback(7, "2027-11-20T00:00:00Z", 'a');
        let late = rollback(8, "2026-11-20T00:00:00Z", 'b');
        let same = rollback(8, "2026-11-20T00:00:01Z", 'c');
        let digest = |runs: &[&RollbackRun]| {
            let slots = last_of_each(runs.iter().map(|run| (*run).clone()).collect());
            slots.values().next().unwrap().arms().next().unwrap().snapshot.digest.to_string()
        };
        assert!(digest(&[&early, &late]).contains("bbbb"));
        assert!(digest(&[&late, &early]).contains("bbbb"));
        assert!(digest(&[&same, &late, &early]).contains("cccc"));
    }
}
