//! The slots: where Git would have them, on hold, frozen, or kept.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use crate::desired::{DesiredSlot, pinned_to_commit};
use crate::plan::actual::Stored;
use crate::plan::verdict::{self, Known, SlotVerdict};
use crate::plan::{Held, Write, short};
use crate::tag::TagTarget;
use catalog::record::{Arm, FORMAT, Hold, SlotRecord, Snapshot, Target};
use catalog::slot::Slot;

/// By slot with a tag, the version that it can stand on; `None` for one that is refused.
type Standings<'a> = BTreeMap<&'a Slot, Option<Snapshot>>;

impl<'a> Draft<'a> {
    pub(super) fn slots(&mut self) {
        let desired = self.desired;
        // 1. Which version each slot with a tag can stand on.
        let mut standings = Standings::new();
        for (slot, wanted) in &desired.slots {
            let snapshot = self.standing(slot, wanted);
            standings.insert(slot, snapshot.filter(|snapshot| self.is_given_out(slot, snapshot)));
        }
        // 2. Every slot that Git knows: its traffic shared out over those versions.
        let slots: BTreeSet<&Slot> =
            standings.keys().copied().chain(desired.traffic.routes.keys()).collect();
        for slot in &slots {
            match self.record(slot, &standings) {
                Some(record) => self.slot(slot, record),
                None => self.leave(slot),
            }
        }
        // 3. What only KV knows stays.
        for slot in self.actual.slots.keys().filter(|slot| !slots.contains(slot)) {
            self.keep(slot);
        }
    }

    /// Whether a version may be given out; a slot that stands on a revoked one is refused.
    fn is_given_out(&mut self, slot: &Slot, snapshot: &Snapshot) -> bool {
        let after = self.versions.get(&snapshot.version);
        let record = after.and_then(|after| after.record.as_ref());
        let Some(reason) = record.and_then(|record| record.revoked.clone()) else { return true };
        let version = short(&snapshot.version);
        let what = format!("it stands on {version}, which is revoked ({reason}): the slot is left");
        let set = format!("slotctl tag set {} {slot} <version>", self.name);
        self.refuse(&self.slot_key(slot), what, &format!("set it to another version: {set}"));
        false
    }

    /// The record that Git would have; `None` where the slot has to be left.
    fn record(&mut self, slot: &'a Slot, standings: &Standings<'a>) -> Option<SlotRecord> {
        if self.is_frozen(slot) {
            return None;
        }
        let standing = |target: &Slot| standings.get(target).cloned().flatten();
        let Some(route) = self.desired.traffic.routes.get(slot) else {
            return standing(slot).map(|snapshot| SlotRecord::sole(slot.clone(), snapshot));
        };
        if let Some(missing) = route.named().find(|target| standing(target).is_none()) {
            // What is wrong with the slot itself was said.
            if missing != slot {
                let what =
                    format!("it sends callers to {missing}, which is refused: the slot is left");
                self.refuse(&self.slot_key(slot), what, &format!("see what is said of {missing}"));
            }
            return None;
        }
        let arm =
            |target: &Slot| standing(target).map(|snapshot| Arm { slot: target.clone(), snapshot });
        let target =
            |(target, weight): &(Slot, u32)| Some(Target { arm: arm(target)?, weight: *weight });
        let segment = |(group, target): (&String, &Slot)| Some((group.clone(), arm(target)?));
        Some(SlotRecord {
            format: FORMAT,
            slot: slot.clone(),
            targets: route.targets.iter().filter_map(target).collect(),
            segments: route.segments.iter().filter_map(segment).collect(),
            hold: None,
        })
    }

    /// Whether a mistake in `rollouts.toml` keeps the slot as it is.
    fn is_frozen(&mut self, slot: &Slot) -> bool {
        let traffic = &self.desired.traffic;
        if traffic.frozen.contains(slot) {
            return true;
        }
        let Some(stored) = self.actual.slots.get(slot) else { return false };
        if !traffic.keep_splits || traffic.routes.contains_key(slot) {
            return false;
        }
        match self.take(&self.slot_key(slot), stored.known()) {
            Some(Known::Record(record)) => record.is_routed(),
            Some(Known::Absent | Known::Unreadable(_)) => false,
            None => true,
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
        let pinned = pinned_to_commit(record);
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

    fn slot(&mut self, slot: &'a Slot, record: SlotRecord) {
        let key = self.slot_key(slot);
        let verdict = verdict::of_slot(&record, self.actual.slots.get(slot));
        let name = self.name.clone();
        match self.take(&key, verdict) {
            None => return,
            Some(SlotVerdict::Same) => self.part.unchanged += 1,
            Some(SlotVerdict::Held(held)) => {
                self.part.held.push(Held { name, record: held.clone(), wanted: record });
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

    /// Whether a slot that Git has not goes. A hold keeps it, and so does a mistake
    /// in `rollouts.toml`.
    fn goes(&mut self, slot: &'a Slot) -> bool {
        if !self.is_untagged(TagTarget::Slot(slot.clone())) || self.is_frozen(slot) {
            return false;
        }
        let stored = self.actual.slots.get(slot).map_or(Ok(Known::Absent), Stored::known);
        let hold = match self.take(&self.slot_key(slot), stored) {
            None => return false,
            Some(Known::Record(record)) => record.hold.as_ref(),
            Some(Known::Absent | Known::Unreadable(_)) => None,
        };
        if let Some(Hold { reason, by, .. }) = hold {
            let what = format!("no tag has it, and a hold keeps it ({reason}, by {by})");
            self.warn(&self.slot_key(slot), what);
        }
        hold.is_none()
    }

    /// Keeps a slot that Git has not.
    fn keep(&mut self, slot: &'a Slot) {
        if self.goes(slot) {
            self.part.deletions.push(self.slot_key(slot));
            return;
        }
        if !self.is_frozen(slot) {
            self.part.kept.push(self.slot_key(slot));
        }
        self.leave(slot);
        let Some(record) = self.slots.get(slot).map(Cow::as_ref) else { return };
        let revoked = |arm: &Arm| self.desired.traffic.revoked.get_key_value(&arm.snapshot.version);
        let Some((version, reason)) = record.arms().find_map(revoked) else { return };
        let what = format!(
            "no tag has it, and in KV it still leads to {version}, which is revoked ({reason})"
        );
        let help =
            format!("set it to another version: slotctl tag set {} {slot} <version>", self.name);
        self.refuse(&self.slot_key(slot), what, &help);
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
