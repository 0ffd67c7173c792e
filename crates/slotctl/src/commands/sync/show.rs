//! The plan and the result as text.

use std::fmt::Display;
use std::time::Instant;

use console::style;
use indicatif::DecimalBytes;
use reconcile::plan::{Held, Plan, Stage, Write, way_out};
use reconcile::tag::TagTarget;

use super::outcome::SyncOutcome;
use super::report::SyncReport;
use crate::commands::hold::lift_command;
use crate::context::Session;
use crate::output::{Output, count};
use crate::read::{LogicTag, Reading};
use crate::to_do::to_do;

/// The largest number of lines of a kind: a first sync has tens of thousands.
const LINES: usize = 50;

/// The largest number of lines of a kind that stays the same from sync to sync.
const STANDING_LINES: usize = 5;

/// Shows warnings and refusals, the keys to write and to delete, and those that are kept.
pub(super) fn plan(output: &Output, reading: &Reading, plan: &Plan) {
    reading.warnings.iter().chain(&plan.warnings).for_each(|notice| output.warning(notice));
    contents(output, plan);
    for stage in [Stage::Versions, Stage::Slots] {
        lines(output, LINES, plan.stage(stage).map(line));
    }
    listings(output, plan);
    lines(output, LINES, plan.deletions.iter().map(|key| format!("{} {key}", red("-"))));
    lines(output, LINES, plan.held.iter().map(|of| held(output, of)));
    kept(output, plan);
    unreferenced(output, plan);
    logic_tags(output, &reading.logic);
    reading.refused.iter().chain(&plan.refused).for_each(|notice| output.refusal(notice));
}

fn held(output: &Output, held: &Held) -> String {
    let lift = lift_command(held).map(|lift| output.completed(&lift));
    let lift = lift.map(|lift| format!("\n    or, to serve what Git says: {lift}"));
    let way_out = output.completed(&way_out(held));
    format!("{} {held}\n    to end the hold: {way_out}{}", yellow("="), lift.unwrap_or_default())
}

/// Shows the number and the size of the new contents. They have no lines of their own,
/// because the lines of the versions name them.
fn contents(output: &Output, plan: &Plan) {
    let size = |write: &Write| if let Write::Content { size, .. } = write { *size } else { 0 };
    let (number, bytes) = plan
        .stage(Stage::Contents)
        .fold((0, 0), |(number, bytes), write| (number + 1, bytes + size(write)));
    if number > 0 {
        let number = count(number, "new content");
        output.say(format_args!("  {} {number}, {}", green("+"), DecimalBytes(bytes)));
    }
}

/// Shows the numbers of changed records that list versions. Their contents follow from the lines
/// above.
fn listings(output: &Output, plan: &Plan) {
    for stage in [Stage::Ranges, Stage::Catalogs] {
        let number = plan.stage(stage).count();
        if number > 0 {
            output.say(format_args!("  {} {}", yellow("~"), count(number, stage.name())));
        }
    }
}

fn line(write: &Write) -> String {
    let new = match write {
        Write::Unreferenced { .. }
        | Write::Content { .. }
        | Write::Ranges { .. }
        | Write::Catalog { .. }
        | Write::Index { .. } => false,
        Write::Version { before, .. } => before.is_none(),
        Write::Slot { before, .. } => before.is_none(),
    };
    format!("{} {write}", if new { green("+") } else { yellow("~") })
}

/// Shows the tags of components that are compiled into their project, and says that they are left
/// to its build.
fn logic_tags(output: &Output, tags: &[LogicTag]) {
    if tags.is_empty() {
        return;
    }
    let number = count(tags.len(), "tag");
    output.say(format_args!(
        "  = {number} below logic/, left to the build of the project that contains them:"
    ));
    lines(output, STANDING_LINES, tags.iter().map(logic));
}

fn logic(tag: &LogicTag) -> String {
    let target = match &tag.target {
        TagTarget::Version(version) => version.to_string(),
        TagTarget::Slot(slot) => format!("{slot}: {}", tag.version),
    };
    format!("  logic/{}@{target}", tag.name)
}

fn kept(output: &Output, plan: &Plan) {
    let foreign = plan.foreign.len();
    if foreign > 0 {
        let keys = count(foreign, "key");
        output.say(format_args!("  = {keys} that slotctl did not write, left alone"));
    }
    lines(
        output,
        STANDING_LINES,
        plan.kept.iter().map(|key| format!("= {key}: no tag has it, kept")),
    );
}

fn unreferenced(output: &Output, plan: &Plan) {
    let Some(first) = plan.unreferenced.values().min() else { return };
    let contents = count(plan.unreferenced.len(), "content");
    output.say(format_args!(
        "  = {contents} that no record names; each is deleted a day later (the first since {first})"
    ));
}

fn lines(output: &Output, most: usize, lines: impl Iterator<Item = impl Display>) {
    let mut rest = 0;
    for (index, line) in lines.enumerate() {
        match index < most {
            true => output.say(format_args!("  {line}")),
            false => rest += 1,
        }
    }
    if rest > 0 {
        output.say(format_args!("  ... and {} (all with `--json`)", count(rest, "more line")));
    }
}

fn green(mark: &str) -> String {
    style(mark).for_stderr().green().to_string()
}

fn yellow(mark: &str) -> String {
    style(mark).for_stderr().yellow().to_string()
}

fn red(mark: &str) -> String {
    style(mark).for_stderr().red().to_string()
}

/// Shows the result of the sync.
pub(super) fn summary(report: &SyncReport<'_>, outcome: &SyncOutcome, began: Instant) {
    let SyncReport { session, plan, reading } = report;
    let Session { args, target, output, .. } = *session;
    if let Some(error) = &outcome.error {
        output.error(error);
        if plan.blocked.is_none() {
            output.hint("what was written is kept; run the command again to continue");
        }
    }
    let calls = count(target.api.calls(), "call");
    let text = match (to_do(plan), args.dry_run) {
        (None, _) => format!("nothing to write, {}", up_to_date(plan)),
        (Some(changes), true) => format!("{changes}, nothing written (--dry-run)"),
        (Some(_), false) => done(plan, outcome),
    };
    output.step("done", format_args!("{text}, {calls}"), began);
    let refused = reading.refused.len() + plan.refused.len();
    if refused > 0 {
        output.say(format_args!("       {refused} refused, see above"));
    }
}

/// Describes the keys that agree with Git, the slots on hold, and the keys that are kept
/// although no tag has them.
pub(super) fn up_to_date(plan: &Plan) -> String {
    let same = format!("{} up to date", count(plan.unchanged, "key"));
    let held =
        (!plan.held.is_empty()).then(|| format!("{} on hold", count(plan.held.len(), "slot")));
    let kept = format!("{} that no tag has", count(plan.kept.len(), "key"));
    let kept = (!plan.kept.is_empty()).then_some(kept);
    [Some(same), held, kept].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn done(plan: &Plan, outcome: &SyncOutcome) -> String {
    let written: usize = outcome.written.values().sum();
    let (keys, bytes) = (count(written, "key"), DecimalBytes(outcome.bytes));
    let deleted = match outcome.deleted {
        0 => String::new(),
        number => format!(", {} deleted", count(number, "key")),
    };
    format!("{keys} written, {bytes}{deleted}; {} unchanged", plan.unchanged)
}
