//! `slotctl hold lift`: ends the hold of a slot, so that callers get what Git says.
//!
//! The records are those that a sync would write if nothing were on hold. Only the slot and the
//! slots that send callers to it are written: anything else that Git says is left to a sync.

use std::time::Instant;

use anyhow::Result;
use catalog::key::Key;
use catalog::record::{SlotRecord, VersionRecord};
use notice::{Notice, Refused, one_line};
use reconcile::compile::MAX_WHY;
use reconcile::history::Attribution;
use reconcile::plan::{Options, Plan, Stage, Write, changes};
use reconcile::rollback::lift;
use serde_json::{Value, json};

use crate::args::HoldLiftArgs;
use crate::context::{Context, Session};
use crate::exit::Exit;
use crate::output::count;
use crate::read::{Known, Reading};
use crate::read_back::read_back;
use crate::session;
use crate::source::Certainty;
use crate::traffic::{change, traffic};
use git::Repository;

/// The records before and after.
type Changed = Vec<(SlotRecord, SlotRecord)>;

/// Carries out the command.
pub(super) fn run(context: &Context<'_, HoldLiftArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. The records in KV, and what Git says.
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let only = std::slice::from_ref(&args.component);
    let (git, listing) = session::look(&session, &args.common, only, Certainty::Needed)?;
    let reading = git.read_files(Some(Known::contents(&listing.actual)), output)?;
    let of_slot = |(_, record): &(_, &SlotRecord)| record.slot == args.slot;
    let before = listing.actual.slot_records().find(of_slot).map(|(_, record)| record.clone());
    let before = before.filter(|record| record.hold.is_some()).ok_or_else(|| not_held(args))?;
    let lift = Some((args.component.clone(), args.slot.clone()));
    let options = Options { lift, ..Options::at(session.now()) };
    let plan = session::plan(&reading.desired, listing.actual, &session.store, &options)?;
    // 2. The change.
    let changed = changed(args, &before, &reading, &plan)?;
    for (before, now) in &changed {
        output.say(format_args!("  ~ {}", shown(args, before, now)));
    }
    // 3. Workers KV.
    if args.dry_run {
        output.say("nothing written (--dry-run)");
    } else {
        write(&session, &changed)?;
    }
    if args.common.json {
        output.data(Exit::Done, &value(args, &reading, &before, &changed))?;
    }
    Ok(Exit::Done)
}

/// Returns the records that the lift changes, the slot's own first.
fn changed(
    args: &HoldLiftArgs,
    before: &SlotRecord,
    reading: &Reading,
    plan: &Plan,
) -> Result<Changed> {
    let mut changed = Changed::new();
    for write in plan.stage(Stage::Slots) {
        if let Write::Slot { record, before: Some(before), .. } = write
            && (before.slot == args.slot || leads_to_held(before, args))
        {
            changed.push((before.as_ref().clone(), record.as_ref().clone()));
        }
    }
    changed.sort_by_key(|(before, _)| before.slot != args.slot);
    match changed.first() {
        Some((first, now)) if first.slot == args.slot => check_lifted(args, now)?,
        _ => changed.insert(0, (before.clone(), unheld(args, before, reading, plan)?)),
    }
    for (_, now) in &changed {
        check_served(args, now, plan)?;
    }
    Ok(changed)
}

/// Tells if a record is on hold because it sends callers to the slot.
fn leads_to_held(record: &SlotRecord, args: &HoldLiftArgs) -> bool {
    record.holds().any(|hold| hold.arm().is_none() && hold.slot.as_ref() == Some(&args.slot))
}

/// Refuses to lift a hold that a revocation, or the hold of another slot, sets again.
fn check_lifted(args: &HoldLiftArgs, now: &SlotRecord) -> Result<()> {
    let HoldLiftArgs { component: name, slot, .. } = args;
    let Some(hold) = &now.hold else { return Ok(()) };
    let (what, help) = match (&hold.revoked, &hold.slot) {
        (Some(version), _) => (
            format!("the hold cannot be lifted: {version} is revoked"),
            format!("set it to another version: slotctl tag set {name} {slot} <version>"),
        ),
        (None, Some(of)) => (
            format!("it is on hold because it sends callers to {of}, which is on hold"),
            format!("slotctl hold lift {name} {of}"),
        ),
        (None, None) => (format!("the hold stays ({})", hold.reason), "slotctl status".to_owned()),
    };
    Err(Refused::new(format!("{name}@{slot}"), what, help).into())
}

/// Returns the record of a slot without its hold, if Git does not say what it serves.
fn unheld(
    args: &HoldLiftArgs,
    before: &SlotRecord,
    reading: &Reading,
    plan: &Plan,
) -> Result<SlotRecord> {
    let HoldLiftArgs { component: name, slot, .. } = args;
    let key = Key::Slot(name.clone(), slot.clone());
    if plan.kept.contains(&key) {
        check_lifted(args, &SlotRecord { hold: revoked_hold(before), ..before.clone() })?;
        return Ok(SlotRecord { hold: None, ..before.clone() });
    }
    let subject = key.to_string();
    let mut refused = reading.refused.iter().chain(&plan.refused);
    let why = refused.find(|notice| notice.subject == subject || is_of(notice, args));
    let what = match why {
        Some(notice) => format!("what Git says cannot be served: {}", notice.what),
        None => "Git does not say what it serves".to_owned(),
    };
    let help = "`slotctl sync --dry-run` shows what is wrong";
    Err(Refused::new(subject, what, help).into())
}

fn revoked_hold(record: &SlotRecord) -> Option<catalog::record::Hold> {
    record.holds().find(|hold| hold.revoked.is_some()).cloned()
}

fn is_of(notice: &Notice, args: &HoldLiftArgs) -> bool {
    notice.subject.ends_with(&format!("{}/{}", args.component, args.slot))
}

/// Refuses a record that names a version or a content that KV does not have yet.
fn check_served(args: &HoldLiftArgs, now: &SlotRecord, plan: &Plan) -> Result<()> {
    let is_new = |write: &Write| match write {
        Write::Content { digest, .. } => {
            now.arms().any(|arm| arm.snapshot.digest == *digest).then_some("content".to_owned())
        }
        Write::Version { record, before: None, .. } => {
            let VersionRecord { snapshot, .. } = record.as_ref();
            let named = now.arms().any(|arm| arm.snapshot.version == snapshot.version);
            named.then(|| format!("version {}", snapshot.version))
        }
        _ => None,
    };
    let Some(what) = plan.writes.iter().find_map(is_new) else { return Ok(()) };
    let what = format!("it would serve a {what} that Workers KV does not have yet");
    let help = "slotctl sync, then this command again";
    Err(Refused::new(format!("{}@{}", args.component, now.slot), what, help).into())
}

/// Writes the records, and reads those of slots back: a sync at the same time may have written
/// the hold again.
fn write(session: &Session<'_, HoldLiftArgs>, changed: &Changed) -> Result<()> {
    let Session { args, store, output, .. } = session;
    let began = Instant::now();
    let changed: Vec<(&SlotRecord, SlotRecord)> =
        changed.iter().map(|(before, now)| (before, now.clone())).collect();
    let catalog = store.catalog(&args.component)?;
    let writes = lift(&args.component, catalog, &changed, &attribution(session)?);
    let (slots, catalogs): (Vec<&Write>, Vec<&Write>) =
        writes.iter().partition(|write| write.stage() == Stage::Slots);
    store.write_records(&slots)?;
    store.write_records(&catalogs)?;
    output.step("write", count(slots.len(), Stage::Slots.name()), began);
    let found = read_back(&slots, store, || Ok(false))?;
    match found.others.first() {
        None => Ok(()),
        Some(key) => Err(Refused::new(
            key.to_string(),
            "it reads back as something else after a minute: a sync may have written the hold again",
            "`slotctl hold list` shows if it is there; run this command again",
        )
        .into()),
    }
}

fn attribution(session: &Session<'_, HoldLiftArgs>) -> Result<Attribution> {
    let args = session.args;
    let repository = Repository::open(&args.common.repo)?;
    Ok(Attribution {
        author: one_line(&repository.committer()?, VersionRecord::MAX_AUTHOR),
        time: session.now(),
        why: one_line(args.reason.as_bytes(), MAX_WHY),
    })
}

/// Describes a change as a sync does.
fn shown(args: &HoldLiftArgs, before: &SlotRecord, now: &SlotRecord) -> String {
    let before = Some(Box::new(before.clone()));
    let write = Write::Slot { name: args.component.clone(), record: Box::new(now.clone()), before };
    write.to_string()
}

fn value(args: &HoldLiftArgs, reading: &Reading, before: &SlotRecord, changed: &Changed) -> Value {
    let key = |record: &SlotRecord| Key::Slot(args.component.clone(), record.slot.clone());
    let slot = |(before, now): &(SlotRecord, SlotRecord)| {
        json!({
            "key": key(before).to_string(),
            "before": traffic(before),
            "after": traffic(now),
            "changes": changes(Some(before), now).iter().map(change).collect::<Value>(),
        })
    };
    json!({
        "source": reading.source.provenance.value(),
        "dryRun": args.dry_run,
        "component": args.component,
        "slot": args.slot,
        "hold": before.hold,
        "slots": changed.iter().map(slot).collect::<Value>(),
    })
}

fn not_held(args: &HoldLiftArgs) -> Refused {
    let HoldLiftArgs { component: name, slot, .. } = args;
    let help = "`slotctl hold list` shows the slots on hold";
    Refused::new(format!("{name}@{slot}"), "it is not on hold", help)
}
