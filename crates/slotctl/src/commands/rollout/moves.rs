//! The keys of a sample that move between two records of a slot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use catalog::assign::Caller;
use catalog::name::ComponentName;
use catalog::record::{Arm, SlotRecord};
use catalog::slot::Slot;
use notice::printable;
use reconcile::plan::{ArmChange, changes};
use serde_json::{Value, json};

use crate::offline::{self, Records};
use crate::traffic::{change, traffic};

/// The number of keys that are generated if no keys are given.
const SAMPLE: usize = 10_000;

/// The number of keys that are named as examples of a move.
const EXAMPLES: usize = 3;

/// The number of callers that move from one arm to another, and some of their keys.
#[derive(Debug, Default)]
struct MovedCallers {
    number: usize,
    examples: Vec<String>,
}

/// The changes for the callers of one slot.
#[derive(Debug)]
pub(super) struct SlotMoves {
    pub(super) name: ComponentName,
    pub(super) slot: Slot,
    pub(super) changes: Vec<ArmChange>,
    before: Option<SlotRecord>,
    after: Option<SlotRecord>,
    moves: BTreeMap<(String, String), MovedCallers>,
    keys: usize,
}

/// Generates the keys of a sample; they are the same every time.
pub(super) fn sample() -> Vec<String> {
    (1..=SAMPLE).map(|number| format!("sample-{number}")).collect()
}

/// Compares two states and returns the changes by slot.
pub(super) fn compare(
    before: &Records,
    after: &Records,
    keys: &[String],
) -> Result<Vec<SlotMoves>> {
    let slots: BTreeSet<&(ComponentName, Slot)> = before.keys().chain(after.keys()).collect();
    let mut all = Vec::new();
    for key @ (name, slot) in slots {
        let (was, is) = (before.get(key), after.get(key));
        if was == is {
            continue;
        }
        let changes = is.map(|is| changes(was, is)).unwrap_or_default();
        let moves = moves(name, was, is, keys)?;
        let (name, slot, keys) = (name.clone(), slot.clone(), keys.len());
        all.push(SlotMoves {
            name,
            slot,
            changes,
            before: was.cloned(),
            after: is.cloned(),
            moves,
            keys,
        });
    }
    Ok(all)
}

fn moves(
    name: &ComponentName,
    before: Option<&SlotRecord>,
    after: Option<&SlotRecord>,
    keys: &[String],
) -> Result<BTreeMap<(String, String), MovedCallers>> {
    let mut moves: BTreeMap<(String, String), MovedCallers> = BTreeMap::new();
    for key in keys {
        let caller = Caller { key: Some(key.clone()), ..Caller::default() };
        let arm = |record: Option<&SlotRecord>| -> Result<String> {
            let Some(record) = record else { return Ok("nothing".to_owned()) };
            Ok(shown(offline::decide(name, record, &caller)?.arm))
        };
        let (from, to) = (arm(before)?, arm(after)?);
        if from != to {
            let moved = moves.entry((from, to)).or_default();
            moved.number += 1;
            if moved.examples.len() < EXAMPLES {
                moved.examples.push(printable(key.as_bytes()));
            }
        }
    }
    Ok(moves)
}

fn shown(Arm { slot, snapshot }: &Arm) -> String {
    format!("{slot} {}", snapshot.version)
}

impl SlotMoves {
    /// Describes the change of traffic in one line.
    pub(super) fn line(&self) -> String {
        let changes: Vec<String> = self.changes.iter().map(ArmChange::to_string).collect();
        let what = match (&self.before, &self.after) {
            (_, None) => "gone".to_owned(),
            (None, Some(_)) => format!("new, {}", changes.join(", ")),
            (Some(_), Some(_)) => changes.join(", "),
        };
        format!("{}@{}: {what}", self.name, self.slot)
    }

    fn moved(&self) -> usize {
        self.moves.values().map(|moved| moved.number).sum()
    }

    /// Describes the change, and the keys that move.
    pub(super) fn words(&self) -> String {
        let percent = |number: usize| 100.0 * number as f64 / self.keys.max(1) as f64;
        let mut text = self.line() + "\n";
        let moved = self.moved();
        let _ = writeln!(text, "  {moved} of {} keys move ({:.2} %)", self.keys, percent(moved));
        for ((from, to), MovedCallers { number, examples }) in &self.moves {
            let examples = examples.join(", ");
            let _ = writeln!(
                text,
                "    {from} → {to}: {number} ({:.2} %), {examples} ...",
                percent(*number)
            );
        }
        text
    }

    /// Returns the change and the moves as JSON.
    pub(super) fn value(&self) -> Value {
        let moves = self.moves.iter().map(|((from, to), moved)| {
            json!({ "from": from, "to": to, "keys": moved.number, "examples": moved.examples })
        });
        json!({
            "key": format!("{}@{}", self.name, self.slot),
            "changes": self.changes.iter().map(change).collect::<Value>(),
            "before": self.before.as_ref().map(traffic),
            "after": self.after.as_ref().map(traffic),
            "keys": self.keys,
            "moved": self.moved(),
            "moves": moves.collect::<Value>(),
        })
    }
}
