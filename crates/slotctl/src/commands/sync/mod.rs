//! `slotctl sync`: makes Workers KV equal to Git.
//!
//! The plan is a value: worked out without effects, shown, and the same value
//! carried out, or not.

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
    // 1. Where to: a wrong command line or configuration ends here.
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let conductor = layout::namespace(args, &target)?;
    // 2. What Git's tags say, and what KV holds.
    if args.fetch {
        output.say("--fetch has no effect any more: every sync goes by what the remote has");
    }
    let (only, certainty) = (&args.part.only, certainty(args));
    let (git, listing) = session::look(&session, &args.common, only, certainty)?;
    let source = Arc::clone(git.source());
    // 3. Who else makes KV equal to Git, or did.
    let mut run =
        ConcurrentRun::begin(&session.store, git.state(), !only.is_empty(), &listing.runs)?;
    if args.allow_older || args.prune && is_taken_back(&session, &source, &run)? {
        run.allow_older();
    }
    // 4. The files that KV does not know, and the plan, as often as others change KV.
    let mut outcome = SyncOutcome::default();
    let options = options(&session);
    let rounds = Rounds { session: &session, options: &options };
    let (reading, plan) = rounds.run(git, listing, &mut run, &mut outcome)?;
    output.note_leftover(None);
    // 5. The copies for others, of what is in the resolver's own namespaces now.
    let report = SyncReport { session: &session, reading: &reading, plan: &plan };
    let copies = copies(&report, conductor.as_deref(), &mut outcome);
    // 6. Summed up.
    sum_up(&report, &outcome, copies.as_ref(), began)
}

/// Works out the copies that are asked for, and writes them unless this is a dry run.
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

/// Tells what came of it, to people and to machines, and with which exit it ends.
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
    if let Some(error) = copies.and_then(|(_, copied)| copied.error.as_ref()) {
        output.error(error);
    }
    if let Some(file) = &args.summary {
        summary::append(report, outcome, file)?;
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

/// What is planned and not carried out need not be certain, unless the exit code or a
/// list of deletions says that it is.
fn certainty(args: &SyncArgs) -> Certainty {
    match args.dry_run && !args.check && !args.prune {
        true => Certainty::Wanted,
        false => Certainty::Needed,
    }
}

/// Whether the newest tag that KV was synced from is gone. The remote is asked once more:
/// its first answer may be older than what KV held when it was listed.
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
