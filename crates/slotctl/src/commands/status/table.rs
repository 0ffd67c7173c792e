//! The slots as text: one line each.

use std::fmt::Write as _;

use catalog::record::{Arm, SlotRecord, Target};
use console::style;
use reconcile::plan::{ArmShare, Write};

use super::row::{Row, SlotState};
use crate::output::bar::bar;

/// The largest number of slots in a list with bars: about two screens.
const MOST_BARS: usize = 100;

/// Returns a line for each slot: its name, the bar, the arms and its state. A long list has no
/// bars: they repeat the arms.
pub(super) fn table(rows: &[Row<'_>]) -> String {
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
