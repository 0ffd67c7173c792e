//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value. It is computed without side effects and shown; then the same value
//! is carried out, unless this is a dry run.

mod apply;
mod check;
mod concurrency;
mod layout;
mod outcome;
mod report;
mod rounds;
mod show;
mod summary;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use reconcile::plan::{Options, Plan};

use crate::args::SyncArgs;
use crate::context::{Context, Session};
use crate::exit::Exit;
use crate::output::ReportedError;
use crate::read::Reading;
use crate::session;
use crate::source::{Asking, Certainty, Source};
use apply::Apply;
use concurrency::ConcurrentRun;
use layout::{Copied, Copies};
use outcome::SyncOutcome;
use report::SyncReport;
use rounds::Rounds;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, SyncArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let began = Instant::now();
    // 1. The target. A wrong command line or configuration ends the command here.
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let conductor = layout::namespace(args, &target)?;
    // 2. The tags in Git, and the keys in KV.
    if args.fetch {
        output.say("--fetch has no effect any more: every sync goes by what the remote has");
    }
    let (only, certainty) = (&args.part.only, certainty(args));
    let (git, listing) = session::look(&session, &args.common, only, certainty)?;
    let source = Arc::clone(git.source());
    // 3. Other syncs that run now or ran before.
    let mut run =
        ConcurrentRun::begin(&session.store, git.state(), !only.is_empty(), &listing.runs)?;
    if args.allow_older || args.prune && is_taken_back(&session, &source, &run)? {
        run.allow_older();
    }
    // 4. The files that KV does not have, and the plan; again if others change KV meanwhile.
    let mut outcome = SyncOutcome::default();
    let options = options(&session);
    let rounds = Rounds { session: &session, options: &options };
    let (reading, plan) = rounds.run(git, listing, &mut run, &mut outcome)?;
    output.note_leftover(None);
    // 5. The copies of what is in the resolver's own namespaces now.
    let report = SyncReport { session: &session, reading: &reading, plan: &plan };
    let copies = copies(&report, conductor.as_deref(), &mut outcome);
    // 6. The summary.
    sum_up(&report, &outcome, copies.as_ref(), began)
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
        now: session.now,
        prune: args.prune,
        allow_changed: args.allow_changed_version.iter().cloned().collect(),
        allow_mass_delete: args.allow_mass_delete,
        allow_policy_removal: args.allow_policy_removal,
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

/// Tells if the newest tag that KV was synced from was deleted. It asks the remote again,
/// because its first answer may be older than the listing of KV.
fn is_taken_back(
    session: &Session<'_, SyncArgs>,
    source: &Source,
    run: &ConcurrentRun<'_>,
) -> Result<bool> {
    let Session { args, output, .. } = *session;
    let Some(newer) = run.newer() else { return Ok(false) };
    let tag = format!("refs/tags/{}", newer.name);
    if !tag.starts_with("refs/tags/components/") || source.has_tag(&tag) {
        return Ok(false);
    }
    let again = Asking::open(&args.common, &args.part.only, Certainty::Needed)?.ask(output)?;
    Ok(!again.has_tag(&tag))
}

fn exit(args: &SyncArgs, reading: &Reading, plan: &Plan, outcome: &SyncOutcome) -> Exit {
    let is_refused = !reading.refused.is_empty() || !plan.refused.is_empty();
    match outcome.error {
        Some(_) => Exit::Failed,
        None if args.check && (is_refused || plan.has_drift()) => Exit::Drift,
        None if is_refused => Exit::Failed,
        None => Exit::Done,
    }
}
