//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value: worked out without effects, shown, and the same value
//! carried out, or not.

mod apply;
mod check;
mod fetch;
mod report;
mod rounds;
mod show;
mod summary;
mod turn;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use catalog::key::Key;
use catalog::plan::{Options, Plan, Stage};

use crate::args::SyncArgs;
use crate::exit::Exit;
use crate::git::Repository;
use crate::live;
use crate::output::Output;
use crate::read::Reading;
use crate::store::Store;
use report::Report;
use rounds::Rounds;
use turn::Turn;

/// What came of carrying out a plan.
#[derive(Debug, Default)]
struct Outcome {
    /// How many keys were written, by stage.
    written: BTreeMap<Stage, usize>,
    /// How many keys were deleted.
    deleted: usize,
    /// How many bytes the values that were written have.
    bytes: u64,
    /// The keys that were read back and are as they were written.
    checked: Vec<Key>,
    /// Contents that were to go, and that others need since.
    spared: Vec<Key>,
    /// What stopped it.
    error: Option<anyhow::Error>,
}

/// Carries out the command.
pub(crate) fn run(args: &SyncArgs, output: &Output) -> Result<Exit> {
    let ended = sync(args, output);
    if let (Err(error), true) = (&ended, args.common.json) {
        // It failed before there was a plan: the error is all there is to say.
        output.data(&report::failure(error))?;
    }
    ended
}

fn sync(args: &SyncArgs, output: &Output) -> Result<Exit> {
    let began = Instant::now();
    // 1. Where to: a wrong command line or configuration ends here.
    let target = live::target(&args.target, output)?;
    let store = Store::new(&target);
    // 2. What Git says.
    if args.fetch {
        fetch::fetch(&args.common.repo, &args.only, output)?;
    }
    let reading = live::read_git(&args.common, &args.only, output)?;
    // 3. Who else makes KV equal to Git, or did.
    let mut turn = Turn::begin(&store, &reading.state, !args.only.is_empty())?;
    if args.allow_older || args.prune && is_taken_back(args, &turn)? {
        turn.allow_older();
    }
    // 4. What KV holds, and the plan, as often as others change it meanwhile.
    let mut outcome = Outcome::default();
    let options = options(args);
    let rounds = Rounds {
        args,
        target: &target,
        store: &store,
        reading: &reading,
        options: &options,
        output,
    };
    let plan = rounds.run(&mut turn, &mut outcome)?;
    // 5. Summed up.
    let exit = exit(args, &reading, &plan, &outcome);
    let report = Report { args, target: &target, reading: &reading, plan: &plan };
    show::summary(output, &report, &outcome, began);
    if let Some(file) = &args.summary {
        report.append_markdown(&outcome, file)?;
    }
    if args.common.json {
        output.data(&report.value(&outcome, exit, began.elapsed()))?;
    }
    Ok(exit)
}

fn options(args: &SyncArgs) -> Options {
    Options {
        now: live::now(),
        prune: args.prune,
        allow_changed: args.allow_changed_version.iter().cloned().collect(),
        allow_mass_delete: args.allow_mass_delete,
    }
}

/// Whether the newest tag that KV was synced from is not here at all. To who prunes,
/// what has no tag is gone.
fn is_taken_back(args: &SyncArgs, turn: &Turn<'_>) -> Result<bool> {
    let Some(newer) = turn.newer() else { return Ok(false) };
    let tag = format!("refs/tags/{}", newer.name);
    Ok(Repository::open(&args.common.repo)?.commit(&tag).is_none())
}

fn exit(args: &SyncArgs, reading: &Reading, plan: &Plan, outcome: &Outcome) -> Exit {
    if outcome.error.is_some() || !reading.refused.is_empty() || !plan.refused.is_empty() {
        return Exit::Failed;
    }
    if args.check && !plan.is_empty() { Exit::Drift } else { Exit::Done }
}
