//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value: worked out without effects, shown, and the same value
//! carried out, or not.

mod apply;
mod check;
mod fetch;
mod layout;
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
use layout::{Copied, Copies};
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
    let conductor = layout::namespace(args, &target)?;
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
    let copies = Copies::plan(args, &target, conductor.as_deref(), &store, &plan, output)?;
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
    // What is not in the resolver's own namespaces is not copied.
    let go_on = !args.dry_run && outcome.error.is_none();
    let copied = go_on.then(|| copies.as_ref().map(|copies| copies.carry_out(&apply))).flatten();
    // 7. Summed up.
    let report = Report { args, target: &target, reading: &reading, plan: &plan };
    sum_up(
        &report,
        &outcome,
        copies.map(|copies| (copies, copied.unwrap_or_default())),
        output,
        began,
    )
}

/// Tells what came of it, to people and to machines, and with which exit it ends.
fn sum_up(
    report: &Report<'_>,
    outcome: &Outcome,
    copies: Option<(Copies<'_>, Copied)>,
    output: &Output,
    began: Instant,
) -> Result<Exit> {
    let Report { args, reading, plan, .. } = report;
    let exit = exit(args, reading, plan, outcome);
    let exit = copies.as_ref().map_or(exit, |(copies, copied)| copies.exit(exit, args, copied));
    show::summary(output, report, outcome, began);
    if let Some(error) = copies.as_ref().and_then(|(_, copied)| copied.error.as_ref()) {
        output.error(error);
    }
    if args.common.json {
        let mut value = report.value(outcome, exit, began.elapsed());
        if let (Some((copies, copied)), Some(value)) = (&copies, value.as_object_mut()) {
            value.insert("layout".to_owned(), copies.value(copied));
        }
        output.data(&value)?;
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
