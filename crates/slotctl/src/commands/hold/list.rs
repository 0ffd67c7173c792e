//! `slotctl hold list`: the slots on hold, with what ends each hold.

use anyhow::Result;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{Hold, SlotRecord};
use reconcile::plan::{Held, Options, Plan, Stage, Write, way_out};
use serde_json::{Value, json};

use super::lift_command;
use crate::args::HoldListArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Output, count};
use crate::read::Known;
use crate::session;
use crate::source::Certainty;
use crate::traffic::traffic;

/// A slot on hold in Workers KV.
struct HoldRow {
    name: ComponentName,
    record: SlotRecord,
    /// The difference from Git; `None` if Git agrees, or if it does not say what to serve.
    held: Option<Held>,
    /// True if the next sync ends the hold.
    ends: bool,
}

/// Carries out the command.
pub(super) fn run(context: &Context<'_, HoldListArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. The records in KV, and the plan of a sync.
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let only = &args.part.only;
    let (git, listing) = session::look(&session, &args.common, only, Certainty::Wanted)?;
    let reading = git.read_files(Some(Known::contents(&listing.actual)), output)?;
    session::refuse_unknown(only, &reading, &listing.actual)?;
    let records = listing.actual.slot_records().filter(|(_, record)| record.hold.is_some());
    let on_hold: Vec<(ComponentName, SlotRecord)> =
        records.map(|(name, record)| (name.clone(), record.clone())).collect();
    let options = Options::at(session.now());
    let plan = session::plan(&reading.desired, listing.actual, &session.store, &options)?;
    // 2. The list.
    let rows: Vec<HoldRow> = on_hold.into_iter().map(|slot| row(slot, &plan)).collect();
    match args.common.json {
        true => output.data(
            Exit::Done,
            &json!({
                "source": reading.source.provenance.value(),
                "holds": rows.iter().map(value).collect::<Value>(),
            }),
        )?,
        false => output.print(&rows.iter().map(|row| words(row, output)).collect::<String>())?,
    }
    output.say(match rows.len() {
        0 => "No slot is on hold".to_owned(),
        number => format!("{} on hold", count(number, "slot")),
    });
    Ok(Exit::Done)
}

fn row((name, record): (ComponentName, SlotRecord), plan: &Plan) -> HoldRow {
    let same = |held: &&Held| held.name == name && held.record.slot == record.slot;
    let held = plan.held.iter().find(same).cloned();
    let key = Key::Slot(name.clone(), record.slot.clone());
    let freed = |write: &Write| match write {
        Write::Slot { record, .. } => write.key() == key && record.hold.is_none(),
        _ => false,
    };
    let ends = plan.stage(Stage::Slots).any(freed) || plan.deletions.contains(&key);
    HoldRow { name, record, held, ends }
}

/// Describes a slot in a line, and below it each hold and the commands that end it.
fn words(HoldRow { name, record, held, ends }: &HoldRow, output: &Output) -> String {
    let mut lines = match held {
        Some(held) => vec![held.to_string()],
        None => {
            let until = match ends {
                true => "on hold until the next sync",
                false => "on hold; what Git says cannot be served: slotctl sync --dry-run",
            };
            let until = output.completed(until);
            let mut lines = vec![format!("{name}@{}: {until}", record.slot)];
            lines.extend(
                record
                    .holds()
                    .map(|Hold { reason, by, at, .. }| format!("    {reason}, by {by} at {at}")),
            );
            lines
        }
    };
    if let Some(held) = held {
        lines.push(format!("    to make Git agree: {}", output.completed(&way_out(held))));
        let lift = lift_command(held).map(|lift| output.completed(&lift));
        lines.extend(lift.map(|lift| format!("    to serve what Git says: {lift}")));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn value(HoldRow { name, record, held, ends }: &HoldRow) -> Value {
    let wanted = held.as_ref().and_then(|held| held.wanted.as_ref());
    json!({
        "component": name,
        "slot": record.slot,
        "state": if *ends { "ends" } else { "held" },
        "traffic": traffic(record),
        "wanted": wanted.map(traffic),
        "hold": record.hold,
        "end": held.as_ref().map(way_out),
        "lift": held.as_ref().and_then(lift_command),
    })
}
