//! Reads written keys back.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use reconcile::plan::Write;

use crate::store::{SMALL, Store};

/// The seconds between reads, a minute in all: Workers KV may take up to a minute until
/// every reader sees a write.
const PATIENCE: [u64; 6] = [1, 2, 4, 8, 15, 30];

/// The keys that were read back.
#[derive(Debug, Default)]
pub(crate) struct ReadBack {
    /// The keys that have the written value.
    pub(crate) same: BTreeSet<Key>,
    /// The keys that still have another one.
    pub(crate) others: Vec<Key>,
}

/// Reads written keys until they have the written values, for at most a minute. It calls
/// `is_in_vain` before each wait, and stops if that returns true.
///
/// # Errors
///
/// If KV can't be read, and those of `is_in_vain`.
pub(crate) fn read_back(
    writes: &[&Write],
    store: &Store<'_>,
    mut is_in_vain: impl FnMut() -> Result<bool>,
) -> Result<ReadBack> {
    let mut waits = PATIENCE.iter().map(|seconds| Duration::from_secs(*seconds));
    let (mut open, mut found) = (writes.to_vec(), ReadBack::default());
    loop {
        let same = as_written(&open, store)?;
        open.retain(|write| !same.contains(&write.key()));
        found.same.extend(same);
        let wait = if open.is_empty() || is_in_vain()? { None } else { waits.next() };
        let Some(wait) = wait else { break };
        sleep(wait);
    }
    found.others = open.iter().map(|write| write.key()).collect();
    Ok(found)
}

/// Returns the keys that have the written value. Contents are compared by digest, records by
/// their bytes. One call per namespace reads all of them except large contents.
fn as_written(writes: &[&Write], store: &Store<'_>) -> Result<BTreeSet<Key>> {
    let (mut same, mut alone) = (BTreeSet::new(), Vec::new());
    for which in [Namespace::Slots, Namespace::Components] {
        let mut wanted = BTreeMap::new();
        for write in writes.iter().filter(|write| write.key().namespace() == which) {
            match write {
                Write::Content { size, .. } if *size > SMALL => alone.push(write.key()),
                _ => drop(wanted.insert(write.key().to_string(), *write)),
            }
        }
        let keys: Vec<String> = wanted.keys().cloned().collect();
        store.namespace(which).get_texts(&keys, |key, value| match wanted.get(key) {
            Some(write) if is_written(write, value) => drop(same.insert(write.key())),
            // A bulk get alters values that are not text.
            Some(write @ Write::Content { .. }) => alone.push(write.key()),
            _ => {}
        })?;
    }
    for key in alone {
        let value = store.namespace(key.namespace()).get(&key.to_string())?;
        let digest = value.as_deref().map(Digest::of).map(Key::Content);
        same.extend(digest.filter(|found| *found == key));
    }
    Ok(same)
}

fn is_written(write: &Write, value: Option<&[u8]>) -> bool {
    match write {
        Write::Content { digest, .. } => value.map(Digest::of) == Some(*digest),
        _ => value == write.record().as_deref(),
    }
}
