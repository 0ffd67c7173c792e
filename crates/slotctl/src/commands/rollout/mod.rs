//! `slotctl rollout`: changes the distribution of a slot's traffic in the work tree's
//! `rollouts.toml`, and shows the effect before it writes the file.

mod edit;
mod file;
mod moves;
mod plan;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use catalog::name::ComponentName;
use catalog::slot::Slot;
use notice::Notice;
use reconcile::policy::FILE;
use serde_json::{Value, json};

use crate::args::{ChangeArgs, RolloutArgs, RolloutCommand};
use crate::context::Context;
use crate::exit::{Exit, Usage};
use crate::offline::{self, Records};
use crate::output::Output;
use crate::read::{ReadPart, Rollouts};
use crate::source::SharedSource;
use edit::TrafficEdit;
use git::Repository;
use moves::SlotMoves;
use notice::Refused;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, RolloutArgs>) -> Result<Exit> {
    let args = context.args;
    let change = &args.change;
    match (&args.command, &change.component, &change.slot) {
        (Some(RolloutCommand::Plan(args)), ..) => plan::run(&context.with(args)),
        (None, Some(name), Some(slot)) => {
            run_change(&Job { args: change, name, slot }, context.output)
        }
        _ => bail!(Usage("name a component and a slot, or `plan`")),
    }
}

/// The change of a slot's traffic to make.
struct Job<'a> {
    args: &'a ChangeArgs,
    name: &'a ComponentName,
    slot: &'a Slot,
}

fn run_change(job: &Job<'_>, output: &Output) -> Result<Exit> {
    // 1. The change, and the current file.
    let args = job.args;
    let change = wanted(args)?;
    let repository = Repository::open(&args.common.repo)?;
    let path = file::path(&repository)?;
    let before = file::read(&path)?;
    if args.commit {
        file::check_unchanged(&repository)?;
    }
    // 2. The new file, checked against the tags.
    let source = offline::source(&args.common, std::slice::from_ref(job.name), output)?;
    let was = state(job, &source, &before)?;
    if was.records.is_empty() && was.refused.is_empty() {
        offline::check_known(&repository, job.name)?;
    }
    let ends = !was.has_version && edit::ends_routing(&before, job.name, job.slot, &change)?;
    // Without a version of its own, the slot ends with its table.
    let change = if ends { TrafficEdit::Remove } else { change };
    let after = edit::edit(&before, job.name, job.slot, &change)?;
    let is = refuse_mistakes(&was, state(job, &source, &after)?)?;
    let moves = moves::compare(&was.records, &is, &keys(args)?)?;
    // 3. The output.
    let diff = file::diff(&repository, &path, &after)?;
    show(args, &diff, &moves, output)?;
    // 4. The file is written and committed.
    let mut commit = None;
    if !args.dry_run && before != after {
        file::write(&path, &after)?;
        let message = args.message.clone().unwrap_or_else(|| message(job, &change, &moves));
        commit = args.commit.then(|| file::commit(&repository, &message)).transpose()?;
    }
    // 5. The summary.
    let sync = sync_command(&change);
    sum_up(args, before != after, sync, commit.as_deref(), output);
    if args.common.json {
        let value = report(args, &diff, &moves, before != after, commit.as_deref());
        output.data(Exit::Done, &value)?;
    }
    Ok(Exit::Done)
}

fn wanted(args: &ChangeArgs) -> Result<TrafficEdit> {
    let ChangeArgs { to, percent, segment, alias, stop, .. } = args;
    Ok(match (to, percent, segment, alias, stop) {
        (_, _, _, Some(to), false) => TrafficEdit::Alias(to.clone()),
        (Some(to), Some(percent), None, None, false) => TrafficEdit::Share(to.clone(), *percent),
        (Some(to), None, Some(group), None, false) => {
            TrafficEdit::Segment(group.clone(), to.clone())
        }
        (_, None, Some(group), None, true) => TrafficEdit::StopSegment(group.clone()),
        (Some(to), None, None, None, true) => TrafficEdit::StopArm(to.clone()),
        (None, None, None, None, true) => TrafficEdit::Stop,
        _ => bail!(Usage(
            "say what to change: --to SLOT --percent N, --to SLOT --segment NAME, \
             --alias SLOT or --stop"
        )),
    })
}

/// The records of a component's slots, and its refusals.
struct ComponentState {
    records: Records,
    refused: Vec<Notice>,
    /// True if the slot to change has a tag, and so a version of its own.
    has_version: bool,
}

/// Reads the component as if the file were committed with this text.
fn state(job: &Job<'_>, source: &SharedSource, text: &str) -> Result<ComponentState> {
    let rollouts = Some(Rollouts::with_text(text));
    let part = ReadPart { only: std::slice::from_ref(job.name), rollouts };
    let reading = offline::read(&job.args.common, source, part)?;
    let (records, refused) = offline::records(&reading.desired)?;
    let component = reading.desired.components.get(job.name);
    let has_version = component.is_some_and(|known| known.slots.contains_key(job.slot));
    let refused = reading.refused.into_iter().chain(refused).collect();
    Ok(ComponentState { records, refused, has_version })
}

/// Refuses a change that causes a new refusal. Refusals that were there before the change
/// are ignored.
fn refuse_mistakes(before: &ComponentState, after: ComponentState) -> Result<Records> {
    let known: BTreeSet<&str> = before.refused.iter().map(|notice| notice.what.as_str()).collect();
    match after.refused.into_iter().find(|notice| !known.contains(notice.what.as_str())) {
        Some(mistake) => Err(Refused(mistake).into()),
        None => Ok(after.records),
    }
}

fn keys(args: &ChangeArgs) -> Result<Vec<String>> {
    match &args.keys {
        Some(file) => offline::keys(file),
        None => Ok(moves::sample()),
    }
}

/// Prints the difference to stdout, and its effect on callers as messages.
fn show(args: &ChangeArgs, diff: &str, moves: &[SlotMoves], output: &Output) -> Result<()> {
    if !args.common.json {
        output.print(&file::colored(diff))?;
    }
    for slot in moves {
        match args.dry_run {
            true => output.say(slot.words().trim_end()),
            false => output.say(slot.line()),
        }
    }
    Ok(())
}

/// Returns the command that applies the change. A sync follows the removal of a table only with
/// `--allow-policy-removal`.
fn sync_command(change: &TrafficEdit) -> &'static str {
    match change {
        TrafficEdit::Remove => "slotctl sync --allow-policy-removal",
        _ => "slotctl sync",
    }
}

fn sum_up(args: &ChangeArgs, changed: bool, sync: &str, commit: Option<&str>, output: &Output) {
    match (changed, args.dry_run, commit) {
        (false, ..) => output.say(format_args!("{FILE} needs no change")),
        (true, true, _) => output.say("nothing written (--dry-run)"),
        (true, false, None) => {
            output.say(format_args!("{FILE} written"));
            output.hint(format_args!("commit and push it, then `{sync}`"));
        }
        (true, false, Some(commit)) => {
            output.say(format_args!("{FILE} committed as {commit}"));
            output.hint(format_args!("push it, then `{sync}`; `git revert` takes it back"));
        }
    }
}

/// Returns the commit's message: the change as the subject, and its effect on the slots as
/// the body.
fn message(job: &Job<'_>, change: &TrafficEdit, moves: &[SlotMoves]) -> String {
    let key = format!("{}@{}", job.name, job.slot);
    let subject = match change {
        TrafficEdit::Share(to, percent) => format!("Send {percent} % of {key} to {to}"),
        TrafficEdit::Segment(group, to) => format!("Send segment {group} of {key} to {to}"),
        TrafficEdit::Alias(to) => format!("Send all of {key} to {to}"),
        TrafficEdit::StopArm(arm) => format!("Stop sending {key} to {arm}"),
        TrafficEdit::StopSegment(group) => format!("Stop routing segment {group} of {key} apart"),
        TrafficEdit::Stop => format!("Send all of {key} to its own version"),
        TrafficEdit::Remove => format!("Remove the table of {key}"),
    };
    let lines: Vec<String> = moves.iter().map(SlotMoves::line).collect();
    format!("{subject}\n\n{}\n", lines.join("\n"))
}

fn report(
    args: &ChangeArgs,
    diff: &str,
    moves: &[SlotMoves],
    changed: bool,
    commit: Option<&str>,
) -> Value {
    json!({
        "dryRun": args.dry_run,
        "changed": changed,
        "diff": diff,
        "slots": moves.iter().map(SlotMoves::value).collect::<Value>(),
        "commit": commit,
    })
}
