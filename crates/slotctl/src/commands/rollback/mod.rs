//! `slotctl rollback`: returns a slot to an earlier version, in Workers KV first and then in
//! Git.
//!
//! Workers KV is first because callers are served from it. The hold in the slot's record
//! keeps syncs from undoing the rollback until the tag names the same version.

mod meanwhile;
mod present;
mod report;
mod resolver;
mod tags;

use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use catalog::record::{Hold, VersionRecord};
use catalog::slot::Slot;
use notice::{Notice, one_line};
use reconcile::compile::MAX_WHY;
use reconcile::plan::{Stage, Write};
use reconcile::rollback::{Goal, Present, Rollback, goal, take_share};

use crate::args::RollbackArgs;
use crate::context::{Context, Session};
use crate::exit::{Exit, Usage};
use crate::output::count;
use crate::output::leftover::Leftover;
use crate::resolver::Resolver;
use crate::source::{Asking, Certainty, Source};
use git::Repository;
use present::{PresentSlots, RollbackPlan};
use report::{RollbackReport, Took};

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, RollbackArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let slot = args.slot().ok_or_else(|| anyhow!(Usage("name a slot")))?;
    // 1. The target and the author. An error here ends the command before anything is written.
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let asking = Asking::open(&args.common, args.component.as_slice(), Certainty::Urgent)?;
    let attribution = attribution(args, &asking.repository)?;
    let resolver = args.resolver.as_ref().map(Resolver::new).transpose()?;
    target.check()?;
    // 2. The records in KV, and the plan.
    let (source, found) = look(&session, slot, &asking)?;
    let RollbackPlan { rollbacks, refused, skipped } =
        plan(&session, slot, found, attribution, &source)?;
    let (origin, source) = (source.provenance.origin.clone(), Some(source.provenance));
    let mut report =
        RollbackReport { rollbacks: &rollbacks, refused, source, ..RollbackReport::new(args) };
    report.show(output, &skipped);
    if args.dry_run || rollbacks.is_empty() {
        return report.end(output);
    }
    // 3. Workers KV.
    let began = Instant::now();
    output.note_leftover(Some(Leftover {
        what: "slots may be rolled back in Workers KV while their tags are not moved; \
               `slotctl status` shows which, and these commands finish it"
            .to_owned(),
        hints: report.finish(false),
    }));
    write(&session, &rollbacks, &mut report.took)?;
    let written = Instant::now();
    // 4. Git.
    match tags::move_and_push(context, &asking.repository, &rollbacks, &origin) {
        Ok(notices) if notices.is_empty() => report.took.git = Some(written.elapsed()),
        Ok(notices) => report.unpushed = notices,
        Err(error) => report.unpushed = vec![notice(&error)],
    }
    // 5. The slots that a concurrent sync has overwritten.
    meanwhile::warn(meanwhile::restore(&session, &rollbacks), output);
    output.note_leftover(None);
    // 6. The versions that callers get.
    if let Some(resolver) = &resolver {
        report.unserved = resolver::wait(resolver, &rollbacks, written, output)?;
        report.took.served = report.unserved.is_empty().then(|| written.elapsed());
    }
    output.step("done", count(rollbacks.len(), "slot rolled back"), began);
    report.end(output)
}

/// Asks Git for the refs and reads Workers KV at the same time.
fn look(
    session: &Session<'_, RollbackArgs>,
    slot: &Slot,
    asking: &Asking<'_>,
) -> Result<(Source, PresentSlots)> {
    let (began, output) = (Instant::now(), session.output);
    let (source, found) = thread::scope(|scope| {
        let source = scope.spawn(|| asking.ask(output));
        let found = present::find(session, slot);
        (source.join().unwrap_or_else(|_| bail!("asking Git came to an unexpected end")), found)
    });
    let source = source?;
    session.check_clock();
    if let Some(words) = source.provenance.words() {
        output.step("git", words, began);
    }
    Ok((source, found?))
}

/// Returns the reason and the author of the hold. They are cut to one line, because they are
/// written into records.
fn attribution(args: &RollbackArgs, repository: &Repository) -> Result<(String, String)> {
    let reason = one_line(args.reason.as_bytes(), MAX_WHY);
    if reason.is_empty() {
        return Err(anyhow!(Usage("--reason is empty")));
    }
    Ok((reason, one_line(&repository.committer()?, VersionRecord::MAX_AUTHOR)))
}

/// Plans the rollback of every component that was found. With `--all`, a component that
/// cannot be rolled back, such as one without an earlier version, is skipped.
fn plan(
    session: &Session<'_, RollbackArgs>,
    slot: &Slot,
    found: PresentSlots,
    (reason, by): (String, String),
    source: &Source,
) -> Result<RollbackPlan> {
    let Session { args, store, .. } = session;
    let hold = Hold::new(reason, by, session.now());
    let mut planned = RollbackPlan { refused: found.broken, ..RollbackPlan::default() };
    let (mut versions, mut shares) = (Vec::new(), Vec::new());
    for present in found.present {
        match goal_of(args, &present, slot, source) {
            Ok(Goal::Version(version)) => versions.push((present, version)),
            Ok(Goal::Share(arm)) => shares.push((present, arm)),
            Err(notice) if args.all.is_some() => planned.skipped.push(notice),
            Err(notice) => planned.refused.push(notice),
        }
    }
    let hold_of = |present: &Present, slot: &Slot| {
        let tag = source.shared_tag(&format!("refs/tags/components/{}/{slot}", present.name));
        Hold { tag: tag.map(|id| id.to_string()), ..hold.clone() }
    };
    for (present, arm) in &shares {
        match take_share(present, slot, arm, &hold_of(present, arm)) {
            Ok(rollback) => planned.rollbacks.push(rollback),
            Err(notice) if args.all.is_some() => planned.skipped.push(notice),
            Err(notice) => planned.refused.push(notice),
        }
    }
    let records = present::versions(&versions, store)?;
    for ((present, _), version) in versions.iter().zip(records) {
        let hold = hold_of(present, slot);
        match version.and_then(|version| present.roll_back(slot, &version, &hold)) {
            Ok(rollback) => planned.rollbacks.push(rollback),
            Err(notice) => planned.refused.push(notice),
        }
    }
    Ok(planned)
}

/// Finds what goes back. `--all` means the previous version of every slot, unless `--arm` names
/// an arm.
fn goal_of(
    args: &RollbackArgs,
    present: &Present,
    slot: &Slot,
    source: &Source,
) -> Result<Goal, Notice> {
    let arm = args.arm.as_ref().or(args.all.as_ref());
    let goal = goal(present, slot, args.to.as_ref(), arm)?;
    if let Goal::Version(_) = goal {
        present::refuse_latest(present, slot, source)?;
    }
    Ok(goal)
}

/// Writes the records of the slots, then those of the catalogs. If a catalog cannot be
/// written, the rollback continues: the next sync finds the move by comparison.
fn write(
    session: &Session<'_, RollbackArgs>,
    rollbacks: &[Rollback],
    took: &mut Took,
) -> Result<()> {
    let Session { store, output, .. } = session;
    let of = |stage| {
        let writes = rollbacks.iter().flat_map(|rollback| &rollback.writes);
        writes.filter(|write| write.stage() == stage).collect::<Vec<&Write>>()
    };
    let (began, slots) = (Instant::now(), of(Stage::Slots));
    store.write_records(&slots)?;
    took.slots = Some(began.elapsed());
    output.step("write", count(slots.len(), Stage::Slots.name()), began);
    meanwhile::warn(meanwhile::tell(store, rollbacks), output);
    let (began, catalogs) = (Instant::now(), of(Stage::Catalogs));
    match store.write_records(&catalogs) {
        Ok(()) => output.step("write", count(catalogs.len(), Stage::Catalogs.name()), began),
        Err(error) => {
            let what = format!("the move is not recorded yet, the next sync does that: {error:#}");
            output.warning(&Notice { subject: "history".to_owned(), what, help: None });
        }
    }
    Ok(())
}

fn notice(error: &anyhow::Error) -> Notice {
    match error.downcast_ref::<notice::Refused>() {
        Some(notice::Refused(notice)) => notice.clone(),
        None => Notice { subject: "git".to_owned(), what: format!("{error:#}"), help: None },
    }
}
