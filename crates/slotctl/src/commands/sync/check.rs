//! Reads back a sample of the keys that were written.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use reconcile::plan::{Plan, Stage, Write};

use super::concurrency::{ConcurrentRun, Conflict};
use super::outcome::SyncOutcome;
use crate::args::SyncArgs;
use crate::context::Session;
use crate::output::count;
use crate::store::{SMALL, Store};

/// The number of keys of each stage that are read back.
const SAMPLE: usize = 4;

/// The seconds between reads, a minute in all: Workers KV may take up to a minute until
/// every reader sees a write.
const PATIENCE: [u64; 6] = [1, 2, 4, 8, 15, 30];

/// Reads back some keys of each stage and compares them with the plan. Returns a conflict
/// if others have written something else meanwhile.
pub(super) fn read_back(
    session: &Session<'_, SyncArgs>,
    plan: &Plan,
    run: &mut ConcurrentRun<'_>,
    outcome: &mut SyncOutcome,
) -> Result<Conflict> {
    let Session { store, output, .. } = session;
    let began = Instant::now();
    let mut waits = PATIENCE.iter().map(|seconds| Duration::from_secs(*seconds));
    let mut open: Vec<&Write> = Stage::ALL.iter().flat_map(|stage| sample(plan, *stage)).collect();
    loop {
        let same = as_written(&open, store)?;
        open.retain(|write| !same.contains(&write.key()));
        outcome.checked.extend(same);
        // A different value may come from another sync: then waiting is of no use.
        let conflict = if open.is_empty() { Conflict::None } else { run.conflict()? };
        if conflict != Conflict::None {
            return Ok(conflict);
        }
        match (open.first(), waits.next()) {
            (None, _) => break,
            (Some(_), Some(wait)) => sleep(wait),
            (Some(first), None) => {
                bail!("{} and {} more read back as something else", first.key(), open.len() - 1)
            }
        }
    }
    if !outcome.checked.is_empty() {
        let checked = count(outcome.checked.len(), "key");
        output.step("check", format_args!("{checked} read back as written"), began);
    }
    Ok(Conflict::None)
}

/// Returns up to [`SAMPLE`] writes of a stage, spread from its first to its last.
fn sample(plan: &Plan, stage: Stage) -> Vec<&Write> {
    let writes: Vec<&Write> = plan.stage(stage).collect();
    let size = SAMPLE.min(writes.len());
    let at = |index: usize| index * (writes.len() - 1) / (size - 1).max(1);
    (0..size).filter_map(|index| writes.get(at(index)).copied()).collect()
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
