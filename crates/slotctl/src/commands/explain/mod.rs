//! `slotctl explain`: computes which version of a slot a caller gets, with the code that the
//! Worker uses. The record comes from Git, or from Workers KV if the slot is on hold there.

mod held;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use catalog::assign::{self, Caller, Decision, VersionOverride};
use catalog::explain::{Boundaries, Explanation, boundaries};
use catalog::record::{FULL_WEIGHT, Gone, SlotRecord};
use notice::printable;
use reconcile::policy::percent;
use serde::Serialize;
use serde_json::{Value, json};

use self::held::{HoldMembers, HoldState};
use crate::args::ExplainArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::offline;
use crate::output::bar::bar;
use crate::output::count;
use crate::read::ReadPart;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, ExplainArgs>) -> Result<Exit> {
    let args = context.args;
    // 1. The slot's record, from Git and rollouts.toml.
    let only = std::slice::from_ref(&args.component);
    let source = offline::source(&args.common, only, context.output)?;
    let reading = offline::read(&args.common, &source, ReadPart { only, rollouts: None })?;
    let by_git = offline::record_of(&reading, &args.component, &args.slot)?;
    // 2. The hold, from Workers KV.
    let state = HoldState::ask(context)?;
    state.tell(args, context.output);
    // 3. The decision.
    match (&args.key, &args.keys) {
        (Some(key), _) => one(context, &by_git, &state, key)?,
        (None, Some(file)) => many(context, &by_git, &state, &offline::keys(file)?)?,
        (None, None) => {}
    }
    Ok(Exit::Done)
}

fn segments(args: &ExplainArgs) -> Vec<String> {
    assign::segments(args.segments.iter().map(String::as_str))
}

fn decide<'a>(args: &ExplainArgs, record: &'a SlotRecord, key: &str) -> Result<Decision<'a>> {
    let version_override = args.version.clone().map(VersionOverride::Version);
    let caller = Caller { version_override, segments: segments(args), key: Some(key.to_owned()) };
    offline::decide(&args.component, record, &caller)
}

/// The members of `--json`: those of the explanation, then those of the hold.
#[derive(Serialize)]
struct Explained<'a, M: Serialize> {
    #[serde(flatten)]
    members: &'a M,
    #[serde(flatten)]
    hold: HoldMembers<'a>,
}

fn one(
    context: &Context<'_, ExplainArgs>,
    by_git: &SlotRecord,
    state: &HoldState,
    key: &str,
) -> Result<()> {
    let Context { args, output, .. } = *context;
    let record = state.served(by_git);
    let decision = decide(args, record, key)?;
    let explanation = Explanation::of_decision(&args.component, record, &decision);
    match args.common.json {
        true => {
            let members = Explained { members: &explanation, hold: state.members() };
            output.data(Exit::Done, &members)?;
        }
        false => output.print(&words(&explanation, record, key))?,
    }
    if let HoldState::Held(_) = state {
        output.say(format_args!("Git says: {}", git_says(args, by_git, key)?));
    }
    Ok(())
}

/// Returns what a caller would get by Git.
fn git_says(args: &ExplainArgs, by_git: &SlotRecord, key: &str) -> Result<String> {
    if let Some(Gone { version, reason }) = &by_git.gone {
        return Ok(format!("gone, {version} is revoked: {}", printable(reason.as_bytes())));
    }
    let Decision { arm, .. } = decide(args, by_git, key)?;
    Ok(format!("{} {}", arm.slot, arm.snapshot.version))
}

/// Describes the decision for one caller as text.
fn words(explanation: &Explanation, record: &SlotRecord, key: &str) -> String {
    let Explanation { component, slot, assigned_slot, version, .. } = explanation;
    let key = printable(key.as_bytes());
    let rule = explanation.assignment.as_str();
    let mut text = format!("{component}@{slot} for {key}: {assigned_slot} {version}\n");
    let point = explanation
        .point
        .map_or(String::new(), |point| format!(", point {point} of {FULL_WEIGHT}"));
    let ignored =
        if explanation.override_ignored { ", the override names none of its versions" } else { "" };
    let _ = writeln!(text, "  by {rule}{point}{ignored}\n  {}", bar(record));
    for Boundaries { slot, version, from, to } in &explanation.targets {
        let mark = explanation.point.is_some_and(|point| (*from..*to).contains(&point));
        let (mark, share) = (if mark { '>' } else { ' ' }, percent(to - from));
        let _ =
            writeln!(text, "{mark} {slot:<16} {version:<16} {share:>7} %  {from:>6} to below {to}");
    }
    for (group, slot) in &explanation.segments {
        let _ = writeln!(text, "  segment {group}: {slot}");
    }
    text
}

/// The number of callers by slot and version of their arm.
type Shares = BTreeMap<(String, String), usize>;

fn many(
    context: &Context<'_, ExplainArgs>,
    by_git: &SlotRecord,
    state: &HoldState,
    keys: &[String],
) -> Result<()> {
    let Context { args, output, .. } = *context;
    let record = state.served(by_git);
    let (mut rows, mut shares) = (Vec::with_capacity(keys.len()), Shares::new());
    for key in keys {
        let decision = decide(args, record, key)?;
        let arm = (decision.arm.slot.to_string(), decision.arm.snapshot.version.to_string());
        rows.push((key, decision.assignment.as_str(), decision.point, arm.clone()));
        *shares.entry(arm).or_default() += 1;
    }
    if args.common.json {
        let row = |(key, rule, point, (slot, version)): &(&String, &str, Option<u32>, _)| {
            json!({
                "key": key, "assignment": rule, "point": point, "assignedSlot": slot, "version": version,
            })
        };
        let value = json!({
            "component": args.component,
            "slot": args.slot,
            "targets": boundaries(record),
            "keys": rows.iter().map(|row_of: &(_, _, _, (String, String))| row(row_of)).collect::<Value>(),
            "shares": shares.iter().map(|(arm, number)| share(arm, *number, keys.len())).collect::<Value>(),
        });
        return output.data(Exit::Done, &Explained { members: &value, hold: state.members() });
    }
    let mut text = "key\tassignment\tpoint\tslot\tversion\n".to_owned();
    for (key, rule, point, (slot, version)) in &rows {
        let point = point.map_or(String::new(), |point| point.to_string());
        let _ = writeln!(text, "{}\t{rule}\t{point}\t{slot}\t{version}", printable(key.as_bytes()));
    }
    output.print(&text)?;
    for ((slot, version), number) in &shares {
        let share = 100.0 * *number as f64 / keys.len() as f64;
        output.say(format_args!("{slot} {version}: {}, {share:.2} %", count(*number, "key")));
    }
    Ok(())
}

fn share((slot, version): &(String, String), number: usize, of: usize) -> Value {
    let percent = 100.0 * number as f64 / of as f64;
    json!({ "slot": slot, "version": version, "keys": number, "percent": percent })
}
