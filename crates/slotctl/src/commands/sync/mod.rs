//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value: worked out without effects, shown, and the same value
//! carried out, or not.

mod apply;
mod check;
mod fetch;
mod layout;
mod report;
mod rounds;
mod show;
mod summary;
mod turn;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use catalog::key::Key;
use reconcile::plan::{Options, Plan, Stage};

use crate::args::SyncArgs;
use crate::exit::Exit;
use crate::live;
use crate::output::Output;
use crate::read::Reading;
use crate::store::Store;
use apply::Apply;
use git::Repository;
use layout::{Copied, Copies};
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
    let conductor = layout::namespace(args, &target)?;
    // 2. What Git's tags say, and what KV holds.
    if args.fetch {
        fetch::fetch(&args.common.repo, &args.part.only, output)?;
    }
    let (git, listing) = live::look(&args.common, &args.part.only, &target, &store, output)?;
    // 3. Who else makes KV equal to Git, or did.
    let mut turn = Turn::begin(&store, git.state(), !args.part.only.is_empty(), &listing.runs)?;
    if args.allow_older || args.prune && is_taken_back(args, &turn)? {
        turn.allow_older();
    }
    // 4. The files that KV does not know, and the plan, as often as others change KV.
    let mut outcome = Outcome::default();
    let options = options(args);
    let rounds = Rounds { args, target: &target, store: &store, options: &options, output };
    let (reading, plan) = rounds.run(git, listing, &mut turn, &mut outcome)?;
    // 5. The copies for others, of what is in the resolver's own namespaces now.
    let report = Report { args, target: &target, reading: &reading, plan: &plan };
    let copies = copies(&report, conductor.as_deref(), &store, &mut outcome, output);
    // 6. Summed up.
    sum_up(&report, &outcome, copies.as_ref(), output, began)
}

/// Works out the copies that are asked for, and writes them unless this is a dry run.
fn copies<'a>(
    report: &Report<'a>,
    id: Option<&'a str>,
    store: &Store<'_>,
    outcome: &mut Outcome,
    output: &Output,
) -> Option<(Copies<'a>, Copied)> {
    let Report { args, target, reading, plan } = report;
    if outcome.error.is_some() {
        return None;
    }
    let copies = match Copies::plan(args, target, id, store, plan, output) {
        Ok(copies) => copies?,
        Err(error) => {
            outcome.error = Some(error);
            return None;
        }
    };
    let repo = args.common.repo.as_path();
    let apply = Apply { plan, reading, repo, store, output, now: live::now() };
    let copied = match args.dry_run {
        true => Copied::default(),
        false => copies.carry_out(&apply),
    };
    Some((copies, copied))
}

/// Tells what came of it, to people and to machines, and with which exit it ends.
fn sum_up(
    report: &Report<'_>,
    outcome: &Outcome,
    copies: Option<&(Copies<'_>, Copied)>,
    output: &Output,
    began: Instant,
) -> Result<Exit> {
    let Report { args, reading, plan, .. } = report;
    let exit = exit(args, reading, plan, outcome);
    let exit = copies.map_or(exit, |(copies, copied)| copies.exit(exit, args, copied));
    show::summary(output, report, outcome, began);
    if let Some(error) = copies.and_then(|(_, copied)| copied.error.as_ref()) {
        output.error(error);
    }
    if let Some(file) = &args.summary {
        report.append_markdown(outcome, file)?;
    }
    if args.common.json {
        let mut value = report.value(outcome, exit, began.elapsed());
        if let (Some((copies, copied)), Some(value)) = (copies, value.as_object_mut()) {
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
