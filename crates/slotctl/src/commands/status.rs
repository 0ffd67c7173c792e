//! `slotctl status`: every slot with its version and its split, as Git says.

use std::fmt::Write as _;

use anyhow::Result;
use catalog::plan::Share;
use catalog::record::{Arm, SlotRecord, Target};
use serde_json::{Value, json};

use crate::args::RepoArgs;
use crate::exit::Exit;
use crate::offline::{self, Records};
use crate::output::Output;
use crate::output::bar::bar;
use crate::read::Part;
use crate::traffic::traffic;

/// Carries out the command.
pub(crate) fn run(args: &RepoArgs, output: &Output) -> Result<Exit> {
    let reading = offline::read(args, Part::default())?;
    let (records, refused) = offline::records(&reading.desired)?;
    match args.json {
        true => output.data(&value(&records))?,
        false => output.print(&table(&records))?,
    }
    reading.refused.iter().chain(&refused).for_each(|notice| output.refusal(notice));
    let well = reading.refused.is_empty() && refused.is_empty();
    Ok(if well { Exit::Done } else { Exit::Failed })
}

fn value(records: &Records) -> Value {
    let slot = |((name, slot), record): (&(_, _), &SlotRecord)| json!({ "component": name, "slot": slot, "traffic": traffic(record) });
    json!({ "command": "status", "slots": records.iter().map(slot).collect::<Value>() })
}

/// A line a slot: its name, the bar, the arms.
fn table(records: &Records) -> String {
    let width = |(name, slot): &(_, _)| format!("{name}@{slot}").chars().count();
    let widest = records.keys().map(width).max().unwrap_or(0);
    let mut text = String::new();
    for ((name, slot), record) in records {
        let key = format!("{name}@{slot}");
        let _ = writeln!(text, "{key:<widest$}  {}  {}", bar(record), arms(record));
    }
    text
}

fn arms(record: &SlotRecord) -> String {
    let share = |Arm { slot, snapshot }: &Arm, weight| Share {
        slot: slot.clone(),
        version: snapshot.version.clone(),
        weight,
    };
    let target = |target: &Target| share(&target.arm, Some(target.weight)).to_string();
    let segment = |(group, arm): (&String, &Arm)| format!("{group}: {}", share(arm, None));
    let targets = record.targets.iter().map(target);
    targets.chain(record.segments.iter().map(segment)).collect::<Vec<_>>().join(", ")
}
