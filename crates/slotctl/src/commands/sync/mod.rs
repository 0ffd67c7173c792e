//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value: worked out without effects, shown, and the same value
//! carried out, or not.

mod apply;
mod check;
mod fetch;
mod report;
mod show;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use catalog::key::Key;
use catalog::notice::Notice;
use catalog::plan::{Options, Plan, Stage};

use crate::args::SyncArgs;
use crate::exit::{Exit, Refused};
use crate::live;
use crate::output::Output;
use crate::read::Reading;
use crate::store::Store;
use apply::Apply;
use report::Report;

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

impl Outcome {
    /// Of a plan that must not be carried out.
    fn blocked(notice: &Notice) -> Self {
        Self { error: Some(Refused(notice.clone()).into()), ..Self::default() }
    }
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
    // 3. What KV holds.
    let actual = live::list_kv(&target, &store, &args.only, output)?;
    live::refuse_unknown(&args.only, &reading, &actual)?;
    // 4. The plan.
    let options = options(args);
    let plan = live::plan(&reading.desired, actual, &store, &options)?;
    // 5. Shown.
    show::plan(output, &reading, &plan);
    // 6. Carried out, or not.
    let apply = Apply {
        plan: &plan,
        reading: &reading,
        repo: &args.common.repo,
        store: &store,
        output,
        now: options.now,
    };
    let outcome = match (&plan.blocked, args.dry_run) {
        (Some(notice), _) => Outcome::blocked(notice),
        (None, true) => Outcome::default(),
        (None, false) => apply.run(),
    };
    // 7. Summed up.
    let exit = exit(args, &reading, &plan, &outcome);
    let report = Report { args, target: &target, reading: &reading, plan: &plan };
    show::summary(output, &report, &outcome, began);
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

fn exit(args: &SyncArgs, reading: &Reading, plan: &Plan, outcome: &Outcome) -> Exit {
    if outcome.error.is_some() || !reading.refused.is_empty() || !plan.refused.is_empty() {
        return Exit::Failed;
    }
    if args.check && !plan.is_empty() { Exit::Drift } else { Exit::Done }
}
