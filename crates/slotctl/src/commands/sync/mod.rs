//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value. It is computed without side effects and shown; then the same value
//! is carried out, unless this is a dry run.

mod apply;
mod check;
mod concurrency;
mod layout;
mod order;
mod outcome;
mod refusal;
mod repair;
mod report;
mod rounds;
mod show;
mod summary;

use std::time::Instant;

use anyhow::Result;
use reconcile::plan::{Options, Plan};

use crate::args::SyncArgs;
use crate::context::{Context, Session};
use crate::exit::Exit;
use crate::output::ReportedError;
use crate::read::Reading;
use crate::session;
use crate::source::Certainty;
use apply::Apply;
use concurrency::ConcurrentRun;
use layout::{Copied, Copies};
use outcome::SyncOutcome;
use report::SyncReport;
use rounds::Rounds;

/// The number of times that a changing repository is read.
const ATTEMPTS: usize = 3;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, SyncArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let began = Instant::now();
    // 1. The target. A wrong command line or configuration ends the command here.
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let conductor = layout::namespace(args, &target)?;
    if args.fetch {
        output.say("--fetch has no effect any more: every sync goes by what the remote has");
    }
    // 2. Git and KV, and the plan; again if the repository changes while another sync runs.
    let mut outcome = SyncOutcome::default();
    let mut ended = read_and_write(&session, &mut outcome)?;
    for _ in 1..ATTEMPTS {
        if !outcome.is_outdated {
            break;
        }
        output.say("       the repository was changed meanwhile: reading it again");
        ended = read_and_write(&session, &mut outcome)?;
    }
    let (reading, plan) = ended;
    output.note_leftover(None);
    // 3. The copies of what is in the resolver's own namespaces now.
    let report = SyncReport { session: &session, reading: &reading, plan: &plan };
    let copies = copies(&report, conductor.as_deref(), &mut outcome);
    // 4. The summary.
    sum_up(&report, &outcome, copies.as_ref(), began)
}

/// Reads Git and KV, and makes KV equal to that state of Git.
fn read_and_write(
    session: &Session<'_, SyncArgs>,
    outcome: &mut SyncOutcome,
) -> Result<(Reading, Plan)> {
    let args = session.args;
    // 1. The tags in Git, and the keys in KV.
    let (git, listing) = session::look(session, &args.common, &args.part.only, certainty(args))?;
    session.check_clock();
    // 2. Other syncs that run now or ran before.
    let mut run = ConcurrentRun::begin(session, &git, &listing.runs)?;
    // 3. The files that KV does not have, and the plan; again if others change KV meanwhile.
    let options = options(session);
    Rounds { session, options: &options }.run(git, listing, &mut run, outcome)
}

/// Plans the copies that `--layout` asks for, and writes them unless this is a dry run.
fn copies<'a>(
    report: &SyncReport<'a>,
    id: Option<&'a str>,
    outcome: &mut SyncOutcome,
) -> Option<(Copies<'a>, Copied)> {
    let SyncReport { session, reading, plan } = report;
    if outcome.error.is_some() {
        return None;
    }
    let copies = match Copies::plan(session, id, plan) {
        Ok(copies) => copies?,
        Err(error) => {
            outcome.error = Some(error);
            return None;
        }
    };
    let apply = Apply { session, plan, reading };
    let copied = match session.args.dry_run {
        true => Copied::default(),
        false => copies.carry_out(&apply),
    };
    Some((copies, copied))
}

/// Reports the result to people and to machines, and returns the exit.
fn sum_up(
    report: &SyncReport<'_>,
    outcome: &SyncOutcome,
    copies: Option<&(Copies<'_>, Copied)>,
    began: Instant,
) -> Result<Exit> {
    let SyncReport { session, reading, plan } = report;
    let Session { args, output, .. } = *session;
    let exit = exit(args, reading, plan, outcome);
    let exit = copies.map_or(exit, |(copies, copied)| copies.exit(exit, args, copied));
    show::summary(report, outcome, began);
    let not_copied = copies.and_then(|(_, copied)| copied.error.as_ref());
    if let Some(error) = not_copied {
        output.error(error);
    }
    if let Some(file) = &args.summary {
        summary::append(report, outcome, file)?;
    }
    if args.common.json {
        let mut value = report.value(outcome, began.elapsed());
        if let (Some((copies, copied)), Some(value)) = (copies, value.as_object_mut()) {
            value.insert("layout".to_owned(), copies.value(copied));
        }
        match outcome.error.as_ref().or(not_copied) {
            None => output.data(exit, &value)?,
            Some(error) => output.failed_after(exit, &ReportedError::of(error), &value)?,
        }
    }
    Ok(exit)
}

fn options(session: &Session<'_, SyncArgs>) -> Options {
    let args = session.args;
    Options {
        now: session.now(),
        prune: args.prune,
        allow_changed: args.allow_changed_version.iter().cloned().collect(),
        allow_mass_delete: args.allow_mass_delete,
        allow_policy_removal: args.allow_policy_removal,
        lift: None,
    }
}

/// Returns how certain the refs must be. A dry run only wants certainty, unless `--check`
/// makes an exit code of the plan or `--prune` lists deletions.
fn certainty(args: &SyncArgs) -> Certainty {
    match args.dry_run && !args.check && !args.prune {
        true => Certainty::Wanted,
        false => Certainty::Needed,
    }
}

fn exit(args: &SyncArgs, reading: &Reading, plan: &Plan, outcome: &SyncOutcome) -> Exit {
    let is_refused = !reading.refused.is_empty() || !plan.refused.is_empty();
    match outcome.error {
        Some(_) => Exit::Failed,
        None if args.check && (is_refused || plan.has_drift()) => Exit::Drift,
        None if is_refused => Exit::Failed,
        // KV is not what Git says, until the hold ends.
        None if !args.dry_run && !plan.held.is_empty() => Exit::Drift,
        None => Exit::Done,
    }
}
