//! The slots: where Git would have them, on hold, frozen, or kept.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::draft::ComponentDraft;
use super::versions;
use crate::desired::{DesiredSlot, pinned_to_commit};
use crate::plan::short::short;
use crate::plan::stored::{Known, Stored};
use crate::plan::value::Held;
use crate::plan::verdict::{self, SlotVerdict};
use crate::plan::write::Write;
use crate::tag::TagTarget;
use catalog::record::{Arm, FORMAT, Hold, SlotRecord, Snapshot, Target};
use catalog::slot::Slot;

/// By slot with a tag, the version that it can stand on; `None` for one that is refused.
type Standings<'a> = BTreeMap<&'a Slot, Option<Snapshot>>;

pub(super) fn plan(draft: &mut ComponentDraft<'_>) {
    let desired = draft.desired;
    // 1. Which version each slot with a tag can stand on.
    let mut standings = Standings::new();
    for (slot, wanted) in &desired.slots {
        let snapshot = standing(draft, slot, wanted);
        standings.insert(slot, snapshot.filter(|snapshot| is_given_out(draft, slot, snapshot)));
    }
    // 2. Every slot that Git knows: its traffic shared out over those versions.
    let slots: BTreeSet<&Slot> =
        standings.keys().copied().chain(desired.traffic.routes.keys()).collect();
    for slot in &slots {
        match record(draft, slot, &standings) {
            Some(record) => place(draft, slot, record),
            None => leave(draft, slot),
        }
    }
    // 3. What only KV knows stays.
    for slot in draft.actual.slots.keys().filter(|slot| !slots.contains(slot)) {
        keep(draft, slot);
    }
}

/// Whether a version may be given out; a slot that stands on a revoked one is refused.
fn is_given_out(draft: &mut ComponentDraft<'_>, slot: &Slot, snapshot: &Snapshot) -> bool {
    let after = draft.versions.get(&snapshot.version);
    let record = after.and_then(|after| after.record.as_ref());
    let Some(reason) = record.and_then(|record| record.revoked.clone()) else { return true };
    let version = short(&snapshot.version);
    let what = format!("it stands on {version}, which is revoked ({reason}): the slot is left");
    let set = format!("slotctl tag set {} {slot} <version>", draft.name);
    draft.refuse(&draft.slot_key(slot), what, &format!("set it to another version: {set}"));
    false
}

/// The record that Git would have; `None` where the slot has to be left.
fn record<'a>(
    draft: &mut ComponentDraft<'a>,
    slot: &'a Slot,
    standings: &Standings<'a>,
) -> Option<SlotRecord> {
    if is_frozen(draft, slot) {
        return None;
    }
    let standing = |target: &Slot| standings.get(target).cloned().flatten();
    let Some(route) = draft.desired.traffic.routes.get(slot) else {
        return standing(slot).map(|snapshot| SlotRecord::sole(slot.clone(), snapshot));
    };
    if let Some(missing) = route.named().find(|target| standing(target).is_none()) {
        // What is wrong with the slot itself was said.
        if missing != slot {
            let what = format!("it sends callers to {missing}, which is refused: the slot is left");
            draft.refuse(&draft.slot_key(slot), what, &format!("see what is said of {missing}"));
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
fn is_frozen(draft: &mut ComponentDraft<'_>, slot: &Slot) -> bool {
    let traffic = &draft.desired.traffic;
    if traffic.frozen.contains(slot) {
        return true;
    }
    let Some(stored) = draft.actual.slots.get(slot) else { return false };
    if !traffic.keep_splits || traffic.routes.contains_key(slot) {
        return false;
    }
    match draft.take(&draft.slot_key(slot), stored.known()) {
        Some(Known::Record(record)) => record.is_routed(),
        Some(Known::Absent | Known::Unreadable(_)) => false,
        None => true,
    }
}

/// The version that a slot can stand on: its own, or in place of a refused
/// one the same content by its commit.
fn standing(draft: &mut ComponentDraft<'_>, slot: &Slot, wanted: &DesiredSlot) -> Option<Snapshot> {
    let Some(record) = draft.desired.versions.get(&wanted.version) else {
        let what = format!("{} is no version of the component", short(&wanted.version));
        draft.refuse(&draft.slot_key(slot), what, "set the slot to one that is");
        return None;
    };
    if !draft.refused.contains(&wanted.version) {
        return Some(record.snapshot.clone());
    }
    let pinned = pinned_to_commit(record);
    let snapshot = pinned.snapshot.clone();
    let (from, to) = (short(&wanted.version), short(&snapshot.version));
    let known = &snapshot.version;
    if !draft.versions.contains_key(known) && !draft.refused.contains(known) {
        versions::place(draft, Cow::Owned(pinned));
    }
    let placed = draft.versions.get(&snapshot.version).and_then(|after| after.record.as_ref());
    if placed.is_some_and(|placed| placed.snapshot.digest == snapshot.digest) {
        let what = format!("{from} is refused: the slot is pinned to its own commit {to}");
        draft.warn(&draft.slot_key(slot), what);
        return Some(snapshot);
    }
    let what = format!("{from} is refused, and so is its commit {to}: the slot is left");
    draft.refuse(&draft.slot_key(slot), what, "set the slot to another version");
    None
}

fn place<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot, record: SlotRecord) {
    let key = draft.slot_key(slot);
    let verdict = verdict::of_slot(&record, draft.actual.slots.get(slot));
    let name = draft.name.clone();
    match draft.take(&key, verdict) {
        None => return,
        Some(SlotVerdict::Same) => draft.part.unchanged += 1,
        Some(SlotVerdict::Held(held)) => {
            draft.part.held.push(Held { name, record: held.clone(), wanted: record });
            draft.slots.insert(slot, Cow::Borrowed(held));
            return;
        }
        Some(SlotVerdict::Write(known)) => {
            let before = draft.replaced(&key, known);
            let record = Box::new(record.clone());
            draft.part.writes.push(Write::Slot { name, record, before });
        }
    }
    draft.slots.insert(slot, Cow::Owned(record));
}

/// Whether a slot that Git has not goes. A hold keeps it, and so does a mistake
/// in `rollouts.toml`.
fn goes<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot) -> bool {
    if !draft.is_untagged(TagTarget::Slot(slot.clone())) || is_frozen(draft, slot) {
        return false;
    }
    let stored = draft.actual.slots.get(slot).map_or(Ok(Known::Absent), Stored::known);
    let hold = match draft.take(&draft.slot_key(slot), stored) {
        None => return false,
        Some(Known::Record(record)) => record.hold.as_ref(),
        Some(Known::Absent | Known::Unreadable(_)) => None,
    };
    if let Some(Hold { reason, by, .. }) = hold {
        let what = format!("no tag has it, and a hold keeps it ({reason}, by {by})");
        draft.warn(&draft.slot_key(slot), what);
    }
    hold.is_none()
}

/// Keeps a slot that Git has not.
fn keep<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot) {
    if goes(draft, slot) {
        draft.part.deletions.push(draft.slot_key(slot));
        return;
    }
    if !is_frozen(draft, slot) {
        draft.part.kept.push(draft.slot_key(slot));
    }
    leave(draft, slot);
    let Some(record) = draft.slots.get(slot).map(Cow::as_ref) else { return };
    let revoked = |arm: &Arm| draft.desired.traffic.revoked.get_key_value(&arm.snapshot.version);
    let Some((version, reason)) = record.arms().find_map(revoked) else { return };
    let what = format!(
        "no tag has it, and in KV it still leads to {version}, which is revoked ({reason})"
    );
    let help =
        format!("set it to another version: slotctl tag set {} {slot} <version>", draft.name);
    draft.refuse(&draft.slot_key(slot), what, &help);
}

/// Leaves a slot as KV has it.
fn leave<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot) {
    let Some(stored) = draft.actual.slots.get(slot) else { return };
    let key = draft.slot_key(slot);
    let Some(known) = draft.take(&key, stored.known()) else { return };
    if let Some(record) = draft.legible(&key, known) {
        draft.slots.insert(slot, Cow::Borrowed(record));
    }
}
