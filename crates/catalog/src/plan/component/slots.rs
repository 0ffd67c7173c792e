//! The slots: where Git would have them, on hold, or kept.

use std::borrow::Cow;

use super::Draft;
use crate::desired::DesiredSlot;
use crate::plan::verdict::{self, SlotVerdict};
use crate::plan::{Held, Write, short};
use crate::record::{SlotRecord, Snapshot};
use crate::slot::Slot;

impl<'a> Draft<'a> {
    pub(super) fn slots(&mut self) {
        for (slot, wanted) in &self.desired.slots {
            match self.standing(slot, wanted) {
                Some(snapshot) => self.slot(slot, snapshot),
                None => self.leave(slot),
            }
        }
        for slot in self.actual.slots.keys() {
            if !self.desired.slots.contains_key(slot) {
                self.part.kept.push(self.slot_key(slot));
                self.leave(slot);
            }
        }
    }

    /// The version that a slot can stand on: its own, or in place of a refused
    /// one the same content by its commit.
    fn standing(&mut self, slot: &Slot, wanted: &DesiredSlot) -> Option<Snapshot> {
        let Some(record) = self.desired.versions.get(&wanted.version) else {
            let what = format!("{} is no version of the component", short(&wanted.version));
            self.refuse(&self.slot_key(slot), what, "set the slot to one that is");
            return None;
        };
        if !self.refused.contains(&wanted.version) {
            return Some(record.snapshot.clone());
        }
        let pinned = record.pinned_to_commit();
        let snapshot = pinned.snapshot.clone();
        let (from, to) = (short(&wanted.version), short(&snapshot.version));
        let known = &snapshot.version;
        if !self.versions.contains_key(known) && !self.refused.contains(known) {
            self.version(Cow::Owned(pinned));
        }
        let placed = self.versions.get(&snapshot.version).and_then(|after| after.record.as_ref());
        if placed.is_some_and(|placed| placed.snapshot.digest == snapshot.digest) {
            let what = format!("{from} is refused: the slot is pinned to its own commit {to}");
            self.warn(&self.slot_key(slot), what);
            return Some(snapshot);
        }
        let what = format!("{from} is refused, and so is its commit {to}: the slot is left");
        self.refuse(&self.slot_key(slot), what, "set the slot to another version");
        None
    }

    fn slot(&mut self, slot: &'a Slot, snapshot: Snapshot) {
        let (key, wanted) = (self.slot_key(slot), snapshot.version.clone());
        let record = SlotRecord::sole(slot.clone(), snapshot);
        let verdict = verdict::of_slot(&record, self.actual.slots.get(slot));
        let name = self.name.clone();
        match self.take(&key, verdict) {
            None => return,
            Some(SlotVerdict::Same) => self.part.unchanged += 1,
            Some(SlotVerdict::Held(held)) => {
                self.part.held.push(Held { name, record: held.clone(), wanted });
                self.slots.insert(slot, Cow::Borrowed(held));
                return;
            }
            Some(SlotVerdict::Write(known)) => {
                let before = self.replaced(&key, known);
                let record = Box::new(record.clone());
                self.part.writes.push(Write::Slot { name, record, before });
            }
        }
        self.slots.insert(slot, Cow::Owned(record));
    }

    /// Leaves a slot as KV has it.
    fn leave(&mut self, slot: &'a Slot) {
        let Some(stored) = self.actual.slots.get(slot) else { return };
        let key = self.slot_key(slot);
        let Some(known) = self.take(&key, stored.known()) else { return };
        if let Some(record) = self.legible(&key, known) {
            self.slots.insert(slot, Cow::Borrowed(record));
        }
    }
}
