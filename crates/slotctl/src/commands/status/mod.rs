//! `slotctl status`: every slot with its version, its split, its hold, and the changes that a
//! sync would make. These come from the plan of `sync`, which is not carried out.

mod summary;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{Arm, SlotRecord, Target};
use catalog::slot::Slot;
use console::style;
use notice::{Notice, Refused};
use reconcile::plan::{ArmShare, Held, Options, Plan, Stage, Write, changes};
use serde_json::{Value, json};

use crate::args::StatusArgs;
use crate::commands::hold::tell_held;
use crate::context::Context;
use crate::exit::Exit;
use crate::nearest::nearest;
use crate::offline::{self, Records};
use crate::output::bar::bar;
use crate::output::{Output, count};
use crate::read::{Known, ReadPart, Reading};
use crate::session;
use crate::source::Certainty;
use crate::traffic::{change, traffic};
use summary::Summary;

/// The largest number of slots in a list with bars: about two screens.
const MOST_BARS: usize = 100;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, StatusArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let look = match args.offline {
        true => look_at_git(args, output)?,
        false => look_at_both(context)?,
    };
    let exit = look.exit(args.check);
    let shown = look.shown(args)?;
    let summary = Summary::of(&shown);
    match args.common.json {
        true => output.data(exit, &look.value(&shown, &summary))?,
        false => output.print(&table(&shown))?,
    }
    summary.tell(args, output);
    look.refused().for_each(|notice| output.refusal(notice));
    if let Some(drift) = look.drift() {
        output.say(drift);
        output.hint("slotctl sync");
    }
    if let Some(plan) = &look.plan {
        tell_held(plan, &args.target, output);
    }
    Ok(exit)
}

/// Everything that the command shows.
struct Look {
    reading: Reading,
    /// The slots of KV, or, if KV was not read, those of Git.
    records: Records,
    /// The plan of a sync; `None` if KV was not read.
    plan: Option<Plan>,
    /// The refusals that come from the records of Git alone.
    refused: Vec<Notice>,
}

fn look_at_git(args: &StatusArgs, output: &Output) -> Result<Look> {
    let only = &args.part.only;
    let source = offline::own_source(&args.common, only, output)?;
    let reading = offline::read(&args.common, &source, ReadPart { only, rollouts: None })?;
    let (records, refused) = offline::records(&reading.desired)?;
    for name in only.iter().filter(|name| !reading.desired.components.contains_key(*name)) {
        offline::check_known(&source.repository, name)?;
    }
    Ok(Look { reading, records, plan: None, refused })
}

fn look_at_both(context: &Context<'_, StatusArgs>) -> Result<Look> {
    let Context { args, output, .. } = *context;
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let (only, certainty) = (&args.part.only, certainty(args.check));
    let (git, listing) = session::look(&session, &args.common, only, certainty)?;
    let reading = git.read_files(Some(Known::contents(&listing.actual)), output)?;
    listing.tell(&session);
    let actual = listing.actual;
    session::refuse_unknown(&args.part.only, &reading, &actual)?;
    let mut records: Records = actual
        .slot_records()
        .map(|(name, record)| ((name.clone(), record.slot.clone()), record.clone()))
        .collect();
    let options = Options::at(session.now);
    let plan = session::plan(&reading.desired, actual, &session.store, &options)?;
    for write in plan.stage(Stage::Slots) {
        if let Write::Slot { name, record, .. } = write {
            let key = (name.clone(), record.slot.clone());
            records.entry(key).or_insert_with(|| record.as_ref().clone());
        }
    }
    Ok(Look { reading, records, plan: Some(plan), refused: Vec::new() })
}

/// Returns the certainty that the refs need: with `--check`, the exit code promises that there
/// is no drift.
fn certainty(check: bool) -> Certainty {
    if check { Certainty::Needed } else { Certainty::Wanted }
}

/// The state of a slot that is shown beside its traffic.
enum SlotState<'a> {
    /// A sync would write the slot.
    Drift(&'a Write),
    /// A hold keeps the slot.
    Held(&'a Held),
    /// The slot has no tag.
    Untagged,
}

/// A slot with its state.
struct Row<'a> {
    name: &'a ComponentName,
    record: &'a SlotRecord,
    state: Option<SlotState<'a>>,
}

impl Look {
    /// Returns the slots that the command line asks for.
    fn shown(&self, args: &StatusArgs) -> Result<Vec<Row<'_>>> {
        if let Some(slot) = args.slot.iter().find(|slot| !self.has(slot)) {
            return Err(self.no_slot(slot).into());
        }
        let mut states = self.states();
        let rows = self.records.iter().map(|((name, slot), record)| {
            let state = states.remove(&Key::Slot(name.clone(), slot.clone()));
            Row { name, record, state }
        });
        let named = |row: &Row<'_>| args.slot.is_empty() || args.slot.contains(&row.record.slot);
        Ok(rows.filter(|row| named(row) && (!args.drift || row.state.is_some())).collect())
    }

    fn has(&self, slot: &Slot) -> bool {
        self.records.keys().any(|(_, known)| known == slot)
    }

    fn no_slot(&self, slot: &Slot) -> Refused {
        let known = self.records.keys().map(|(_, known)| known.as_str());
        let help = match nearest(slot.as_str(), known) {
            Some(near) => format!("slotctl status --slot {near}"),
            None => "`slotctl status` shows all slots".to_owned(),
        };
        Refused::new(format!("--slot {slot}"), "no component has a slot with this name", help)
    }

    fn refused(&self) -> impl Iterator<Item = &Notice> {
        let plan = self.plan.iter().flat_map(|plan| &plan.refused);
        self.reading.refused.iter().chain(&self.refused).chain(plan)
    }

    fn exit(&self, check: bool) -> Exit {
        let differs = |plan: &Plan| plan.has_drift() || plan.blocked.is_some();
        let is_refused = self.refused().next().is_some();
        match is_refused || self.plan.as_ref().is_some_and(differs) {
            true if check => Exit::Drift,
            _ if is_refused => Exit::Failed,
            _ => Exit::Done,
        }
    }

    /// Returns the slots that have a state to show, by key.
    fn states(&self) -> BTreeMap<Key, SlotState<'_>> {
        let mut states = BTreeMap::new();
        let Some(plan) = &self.plan else { return states };
        for write in plan.stage(Stage::Slots) {
            states.insert(write.key(), SlotState::Drift(write));
        }
        for held in &plan.held {
            let key = Key::Slot(held.name.clone(), held.record.slot.clone());
            states.insert(key, SlotState::Held(held));
        }
        for key in plan.kept.iter().filter(|key| matches!(key, Key::Slot(..))) {
            states.insert(key.clone(), SlotState::Untagged);
        }
        states
    }

    /// Returns a line about the changes that a sync would make.
    fn drift(&self) -> Option<String> {
        let plan = self.plan.as_ref()?;
        if let Some(Notice { what, .. }) = &plan.blocked {
            return Some(format!("drift: {what}"));
        }
        let stages = Stage::ALL.iter().map(|stage| (plan.stage(*stage).count(), stage.name()));
        let stages: Vec<String> =
            stages.filter(|(n, _)| *n > 0).map(|(n, name)| count(n, name)).collect();
        (!plan.is_empty()).then(|| format!("drift: {} to write", stages.join(", ")))
    }

    fn value(&self, shown: &[Row<'_>], summary: &Summary) -> Value {
        let slot = |Row { name, record, state }: &Row<'_>| {
            let mut value = json!({
                "component": name,
                "slot": record.slot,
                "traffic": traffic(record),
                "hold": record.hold,
            });
            let more = match state {
                None => json!({ "state": "same" }),
                Some(SlotState::Untagged) => json!({ "state": "untagged" }),
                Some(SlotState::Held(held)) => {
                    json!({ "state": "held", "wanted": held.wanted.as_ref().map(traffic) })
                }
                Some(SlotState::Drift(write)) => drifted(write),
            };
            if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
                value.extend(more);
            }
            value
        };
        let mut value = json!({
            "source": self.reading.source.provenance.value(),
            "slots": shown.iter().map(slot).collect::<Value>(),
            "summary": summary.value(),
            "refused": self.refused().collect::<Vec<_>>(),
        });
        let planned = self.plan.as_ref().map(planned);
        if let (Some(Value::Object(planned)), Some(members)) = (planned, value.as_object_mut()) {
            members.extend(planned);
        }
        value
    }
}

/// Returns a line for each slot: its name, the bar, the arms and its state. A long list has no
/// bars: they repeat the arms.
fn table(rows: &[Row<'_>]) -> String {
    let shown = |row: &Row<'_>| format!("{}@{}", row.name, row.record.slot);
    let widest = rows.iter().map(|row| shown(row).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let _ = write!(text, "{:<widest$}  ", shown(row));
        if rows.len() <= MOST_BARS {
            let _ = write!(text, "{}  ", bar(row.record));
        }
        let state = row.state.as_ref().map_or(String::new(), words);
        let _ = writeln!(text, "{}{state}", arms(row.record));
    }
    text
}

/// Returns the changes that a sync would make.
fn planned(plan: &Plan) -> Value {
    let pending = |stage: Stage| (stage.plural().to_owned(), json!(plan.stage(stage).count()));
    json!({
        "drift": plan.has_drift(),
        "pending": Stage::ALL.into_iter().map(pending).collect::<Value>(),
        "blocked": plan.blocked.as_ref().map(|notice| &notice.what),
    })
}

fn drifted(write: &Write) -> Value {
    let Write::Slot { record, before, .. } = write else { return json!({}) };
    json!({
        "state": if before.is_some() { "drift" } else { "new" },
        "wanted": traffic(record),
        "changes": changes(before.as_deref(), record).iter().map(change).collect::<Value>(),
    })
}

fn words(state: &SlotState<'_>) -> String {
    let after_key =
        |text: String| text.split_once(": ").map_or(text.clone(), |(_, rest)| rest.to_owned());
    match state {
        SlotState::Drift(write @ Write::Slot { before: Some(_), .. }) => {
            style(format!("  ≠ Git: {}", after_key(write.to_string()))).yellow().to_string()
        }
        SlotState::Drift(_) => style("  + not in KV yet").green().to_string(),
        SlotState::Held(held) => {
            style(format!("  = {}", after_key(held.to_string()))).red().to_string()
        }
        SlotState::Untagged => style("  = no tag has it").dim().to_string(),
    }
}

fn arms(record: &SlotRecord) -> String {
    let share = |Arm { slot, snapshot }: &Arm, weight| ArmShare {
        slot: slot.clone(),
        version: snapshot.version.clone(),
        weight,
    };
    let target = |target: &Target| share(&target.arm, Some(target.weight)).to_string();
    let segment = |(group, arm): (&String, &Arm)| format!("{group}: {}", share(arm, None));
    let targets = record.targets.iter().map(target);
    targets.chain(record.segments.iter().map(segment)).collect::<Vec<_>>().join(", ")
}
