//! `slotctl status`: every slot with its version, its split, its hold, and the changes that a
//! sync would make. These come from the plan of `sync`, which is not carried out.

mod report;
mod row;
mod summary;
mod table;

use std::collections::BTreeMap;

use anyhow::Result;
use catalog::key::Key;
use catalog::slot::Slot;
use notice::{Notice, Refused};
use reconcile::plan::{Options, Plan, Stage, Write};
use serde_json::{Value, json};

use crate::args::StatusArgs;
use crate::commands::hold::tell_held;
use crate::context::Context;
use crate::exit::Exit;
use crate::nearest::nearest;
use crate::offline::{self, Records};
use crate::output::Output;
use crate::read::{Known, ReadPart, Reading};
use crate::session;
use crate::source::Certainty;
use crate::to_do::to_do;
use row::{Row, SlotState};
use summary::Summary;
use table::table;

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
    summary.tell(args, look.refused().next().is_some(), output);
    look.reading.rollouts.misnamed.iter().for_each(|notice| output.warning(notice));
    look.refused().for_each(|notice| output.refusal(notice));
    if let Some(drift) = look.drift() {
        output.say(drift);
        output.hint("slotctl sync");
    }
    look.plan.iter().for_each(|plan| tell_held(plan, output));
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
    let options = Options::at(session.now());
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
        to_do(plan).map(|changes| format!("drift: {changes}"))
    }

    fn value(&self, shown: &[Row<'_>], summary: &Summary) -> Value {
        let mut value = json!({
            "source": self.reading.source.provenance.value(),
            "slots": shown.iter().map(report::slot).collect::<Value>(),
            "summary": summary.value(),
            "refused": self.refused().collect::<Vec<_>>(),
        });
        let planned = self.plan.as_ref().map(report::planned);
        if let (Some(Value::Object(planned)), Some(members)) = (planned, value.as_object_mut()) {
            members.extend(planned);
        }
        value
    }
}
