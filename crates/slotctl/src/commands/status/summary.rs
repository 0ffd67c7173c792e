//! The summary of `slotctl status`.

use std::collections::BTreeSet;

use reconcile::plan::Write;
use serde_json::{Value, json};

use super::row::{Row, SlotState};
use crate::args::StatusArgs;
use crate::output::{Output, count};

/// The numbers of slots that are shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    components: usize,
    slots: usize,
    /// Slots with more than one target or with segments.
    split: usize,
    /// Slots that a sync would change.
    drift: usize,
    /// Slots that a sync would create.
    new: usize,
    held: usize,
    untagged: usize,
}

impl Summary {
    pub(super) fn of(rows: &[Row<'_>]) -> Self {
        let components: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
        let mut summary =
            Self { components: components.len(), slots: rows.len(), ..Self::default() };
        for Row { record, state, .. } in rows {
            summary.split += usize::from(record.is_split() || !record.segments.is_empty());
            match state {
                None => {}
                Some(SlotState::Drift(Write::Slot { before: Some(_), .. })) => summary.drift += 1,
                Some(SlotState::Drift(_)) => summary.new += 1,
                Some(SlotState::Held(_)) => summary.held += 1,
                Some(SlotState::Untagged) => summary.untagged += 1,
            }
        }
        summary
    }

    pub(super) fn value(&self) -> Value {
        let Self { components, slots, split, drift, new, held, untagged } = self;
        json!({
            "components": components, "slots": slots, "split": split, "drift": drift,
            "new": new, "held": held, "untagged": untagged,
        })
    }

    /// Prints the line below the list. If something is refused, not all is as Git says.
    pub(super) fn tell(&self, args: &StatusArgs, is_refused: bool, output: &Output) {
        match (self.slots, args.drift) {
            (0, true) => output.say("No slot differs from Git"),
            (0, false) => {
                output.say("There are no slots: no tag names a version or a slot");
                output.hint("slotctl tag create prompts/example v1.0.0");
            }
            _ => output.say(self.line(args.offline || is_refused)),
        }
    }

    /// Returns `3 slots of 1 component: 1 split, 1 not as Git says, 1 without a tag`.
    fn line(&self, is_uncertain: bool) -> String {
        let all =
            format!("{} of {}", count(self.slots, "slot"), count(self.components, "component"));
        let parts = [
            (self.split, "split"),
            (self.drift, "not as Git says"),
            (self.new, "not in KV yet"),
            (self.held, "held"),
            (self.untagged, "without a tag"),
        ];
        let mut parts: Vec<String> = parts
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{number} {what}"))
            .collect();
        if !is_uncertain && self.drift + self.new + self.held + self.untagged == 0 {
            parts.push("all as Git says".to_owned());
        }
        if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_counts_split_and_drifted_slots() {
        let some =
            Summary { components: 2, slots: 3_000, split: 1, drift: 2, ..Summary::default() };
        assert_eq!(some.line(false), "3,000 slots of 2 components: 1 split, 2 not as Git says");
        let one = Summary { components: 1, slots: 1, ..Summary::default() };
        assert_eq!(one.line(false), "1 slot of 1 component: all as Git says");
        assert_eq!(one.line(true), "1 slot of 1 component");
    }
}
