//! `slotctl history`: lists the moves of a component's slots that its catalog records.

use std::cmp::Reverse;
use std::fmt::Write as _;

use anyhow::Result;
use catalog::name::ComponentName;
use catalog::record::{CatalogRecord, Move, PastTraffic, TrafficMove};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::printable;
use reconcile::plan::traffic_changes;
use serde_json::{Value, json};

use crate::args::HistoryArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::nearest::nearest;
use crate::store::Store;
use crate::traffic::{self, past_traffic};
use notice::Refused;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, HistoryArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let catalog = read(context)?;
    let moves = moves(&catalog, args.slot.as_ref());
    match args.json {
        true => output.data(Exit::Done, &value(args, &moves))?,
        false => output.print(&table(&moves))?,
    }
    if moves.is_empty() {
        output.say("no move is recorded");
    }
    Ok(Exit::Done)
}

fn read(context: &Context<'_, HistoryArgs>) -> Result<CatalogRecord> {
    let args = context.args;
    let target = context.target(&args.target)?;
    target.check()?;
    let name = &args.component;
    let store = Store::new(&target);
    let Some(catalog) = store.catalog(name)? else { return Err(store.unknown(name)?.into()) };
    match args.slot.as_ref().filter(|slot| !catalog.slots.contains_key(*slot)) {
        Some(slot) => Err(no_slot(name, slot, &catalog).into()),
        None => Ok(catalog),
    }
}

/// The refusal of a slot that the component does not have; it lists the slots that exist.
fn no_slot(name: &ComponentName, slot: &Slot, catalog: &CatalogRecord) -> Refused {
    let there: Vec<String> = catalog.slots.keys().map(Slot::to_string).collect();
    let help = match nearest(slot.as_str(), there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}? slotctl history {name} {near}"),
        None => format!("it has: {}", there.join(", ")),
    };
    Refused::new(format!("{name}@{slot}"), "the component has no such slot in KV", help)
}

/// Returns the moves of all slots, or of the slot `only`, the newest first.
fn moves<'a>(catalog: &'a CatalogRecord, only: Option<&Slot>) -> Vec<(&'a Slot, &'a Move)> {
    let wanted = |slot: &&Slot| only.is_none_or(|only| only == *slot);
    let slots = catalog.slots.keys().filter(wanted);
    let of = |slot: &'a Slot| catalog.slots.get(slot).map(|entry| (slot, &entry.moves));
    let mut moves: Vec<(&Slot, &Move)> = slots
        .filter_map(of)
        .flat_map(|(slot, moves)| moves.iter().map(move |moved| (slot, moved)))
        .collect();
    // The sort is stable: moves of a slot in the same second keep their order.
    moves.sort_by_key(|(_, moved)| Reverse(moved.time));
    moves
}

fn value(args: &HistoryArgs, moves: &[(&Slot, &Move)]) -> Value {
    json!({
        "component": args.component,
        "moves": moves.iter().map(|(slot, moved)| move_value(slot, moved)).collect::<Value>(),
    })
}

/// Returns a move as JSON. `from` and `to` are the same version if only the traffic was shared
/// out differently; `traffic` then says how.
fn move_value(slot: &Slot, moved: &Move) -> Value {
    let traffic = moved.traffic.as_deref().map(|TrafficMove { from, to }| {
        let changes = traffic_changes(from.as_ref(), to);
        json!({
            "from": from.as_ref().map(past_traffic),
            "to": past_traffic(to),
            "gone": to.gone,
            "changes": changes.iter().map(traffic::change).collect::<Value>(),
        })
    });
    json!({
        "slot": slot, "from": moved.from, "to": moved.to, "commit": moved.commit,
        "author": moved.author, "time": moved.time, "why": moved.why, "held": moved.held,
        "traffic": traffic,
    })
}

/// Describes a move: `v1.0.0 → v1.1.0`, or what changed for callers.
fn change(moved: &Move) -> String {
    let held = if moved.held { ", on hold" } else { "" };
    let what = match moved.traffic.as_deref() {
        Some(TrafficMove { to: PastTraffic { gone: Some(gone), .. }, .. }) => {
            format!("gone, {} is revoked", short(&gone.version))
        }
        Some(TrafficMove { from, to }) => {
            let changes = traffic_changes(from.as_ref(), to);
            let new = if from.is_none() { "new, " } else { "" };
            let changes = changes.iter().map(ToString::to_string).collect::<Vec<_>>();
            format!("{new}{}", changes.join(", "))
        }
        None => {
            let from = moved.from.as_ref().map_or("new".to_owned(), short);
            format!("{from} → {}", short(&moved.to))
        }
    };
    what + held
}

fn table(moves: &[(&Slot, &Move)]) -> String {
    let author = |moved: &Move| printable(moved.author.as_bytes());
    let width = |of: &dyn Fn(&(&Slot, &Move)) -> String| {
        moves.iter().map(|row| of(row).chars().count()).max().unwrap_or(0)
    };
    let slots = width(&|(slot, _)| slot.to_string());
    let changes = width(&|(_, moved)| change(moved));
    let authors = width(&|(_, moved)| author(moved));
    let mut text = String::new();
    for (slot, moved) in moves {
        let (slot, change, author) = (slot.to_string(), change(moved), author(moved));
        let why = printable(moved.why.as_bytes());
        let _ = writeln!(
            text,
            "{}  {slot:<slots$}  {change:<changes$}  {author:<authors$}  {why}",
            moved.time
        );
    }
    text
}

/// Formats a version for people: a commit as its first 12 hexadecimal digits.
pub(super) fn short(version: &Version) -> String {
    match version {
        Version::Release(_) => version.to_string(),
        Version::Commit(commit) => commit.as_str().get(..12).unwrap_or_default().to_owned(),
    }
}
