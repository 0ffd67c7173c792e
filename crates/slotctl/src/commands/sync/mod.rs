//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value: worked out without effects, shown, and the same value
//! carried out, or not.

mod apply;
mod check;
mod report;
mod rounds;
mod show;
mod turn;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use catalog::desired::Desired;
use catalog::key::Key;
use catalog::plan::{Actual, Plan, Planning, Stage, Step};

use crate::args::SyncArgs;
use crate::exit::Exit;
use crate::kv_api::RetryNotice;
use crate::output::{Output, count, took};
use crate::read::{self, Reading};
use crate::store::Store;
use crate::target::Target;
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
    /// What stopped it.
    error: Option<anyhow::Error>,
}

/// Carries out the command.
pub(crate) fn run(args: &SyncArgs, output: &Output) -> Result<Exit> {
    let ended = sync(args, output);
    if let (Err(error), true) = (&ended, args.json) {
        // It failed before there was a plan: the error is all there is to say.
        output.data(&report::failure(error))?;
    }
    ended
}

fn sync(args: &SyncArgs, output: &Output) -> Result<Exit> {
    let began = Instant::now();
    // 1. Where to: a wrong command line or configuration ends here.
    let (local, environment) = (args.local.as_deref(), args.env.as_deref());
    let target = Target::new(local, &args.config, environment, retry_notice(output))?;
    let store = Store::new(&target);
    // 2. What Git says.
    let reading = read_git(args, output)?;
    // 3. Who else makes KV equal to Git, or did.
    target.check()?;
    let mut turn = Turn::begin(&store, &reading.state, false)?;
    if args.allow_older {
        turn.allow_older();
    }
    // 4. What KV holds, and the plan, as often as others change it meanwhile.
    let mut outcome = Outcome::default();
    let rounds = Rounds { args, target: &target, store: &store, reading: &reading, output };
    let plan = rounds.run(&mut turn, &mut outcome)?;
    // 5. Summed up.
    let exit = exit(args, &reading, &plan, &outcome);
    let report = Report { args, target: &target, reading: &reading, plan: &plan };
    show::summary(output, &report, &outcome, began);
    if args.json {
        output.data(&report.value(&outcome, exit, began.elapsed()))?;
    }
    Ok(exit)
}

/// Tells of calls that are tried again.
fn retry_notice(output: &Output) -> RetryNotice {
    let output = output.clone();
    Box::new(move |error, wait| {
        output.say(format_args!("       {error}; again in {}", took(wait)));
    })
}

fn read_git(args: &SyncArgs, output: &Output) -> Result<Reading> {
    let (began, meter) = (Instant::now(), output.meter("git"));
    let reading = read::read_repository(&args.repo, args.registry.as_deref(), &|progress| {
        meter.rename(progress.what);
        meter.begin(progress.total);
        meter.set(progress.done);
    })
    .with_context(|| format!("can't read the repository {}", args.repo.display()))?;
    drop(meter);
    let components = &reading.desired.components;
    let versions: usize = components.values().map(|component| component.versions.len()).sum();
    let slots: usize = components.values().map(|component| component.slots.len()).sum();
    let (components, versions) = (count(components.len(), "component"), count(versions, "version"));
    output.step("git", format_args!("{components}, {versions}, {}", count(slots, "slot")), began);
    Ok(reading)
}

fn list_kv(target: &Target, store: &Store<'_>, output: &Output) -> Result<Actual> {
    let (began, meter) = (Instant::now(), output.meter("keys listed"));
    let actual = store.list(&meter)?;
    drop(meter);
    output.step("kv", format_args!("{} in {target}", count(actual.listed(), "key")), began);
    Ok(actual)
}

fn make_plan(desired: &Desired, actual: Actual, store: &Store<'_>) -> Result<Plan> {
    let mut step = Planning::begin(desired, actual)?;
    loop {
        let mut planning = match step {
            Step::Done(plan) => return Ok(plan),
            Step::Read(planning) => planning,
        };
        let keys = planning.keys().to_vec();
        store.read(&keys, |key, value| planning.supply(key, value))?;
        step = planning.advance();
    }
}

fn exit(args: &SyncArgs, reading: &Reading, plan: &Plan, outcome: &Outcome) -> Exit {
    if outcome.error.is_some() || !reading.refused.is_empty() || !plan.refused.is_empty() {
        return Exit::Failed;
    }
    if args.check && !plan.is_empty() { Exit::Drift } else { Exit::Done }
}
