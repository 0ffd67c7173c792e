//! Reads back a sample of the keys that were written.

use std::time::Instant;

use anyhow::{Result, bail};
use reconcile::plan::{Plan, Stage, Write};

use super::concurrency::{ConcurrentRun, Conflict};
use super::outcome::SyncOutcome;
use crate::args::SyncArgs;
use crate::context::Session;
use crate::output::count;
use crate::read_back::{ReadBack, read_back};

/// The number of keys of each stage that are read back.
const SAMPLE: usize = 4;

/// Reads back some keys of each stage and compares them with the plan. Returns a conflict
/// if others have written something else meanwhile.
pub(super) fn check_sample(
    session: &Session<'_, SyncArgs>,
    plan: &Plan,
    run: &mut ConcurrentRun<'_>,
    outcome: &mut SyncOutcome,
) -> Result<Conflict> {
    let Session { store, output, .. } = session;
    let began = Instant::now();
    let writes: Vec<&Write> = Stage::ALL.iter().flat_map(|stage| sample(plan, *stage)).collect();
    let mut conflict = Conflict::None;
    let ReadBack { same, others } = read_back(&writes, store, || {
        // A different value may come from another sync: then waiting is of no use.
        conflict = run.conflict()?;
        Ok(conflict != Conflict::None)
    })?;
    outcome.checked.extend(same);
    if conflict != Conflict::None {
        return Ok(conflict);
    }
    if let Some(first) = others.first() {
        bail!("{first} and {} more read back as something else", others.len() - 1);
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
