//! The rollback of a share: an arm of a slot gets no callers any more.

use super::{Present, Rollback, RollbackChange, attribution};
use crate::desired::Route;
use catalog::nearest::{BUDGET, nearest};
use catalog::record::{Arm, Hold, SlotRecord, Target};
use catalog::slot::Slot;
use notice::Notice;

/// Returns the writes that take the share and the segments of `arm` from a slot.
///
/// The slot's own version gets the share, or else the last other target. `hold` names the
/// reason, the author, the time and the tag of the arm.
///
/// # Errors
///
/// If the slot does not exist, if the arm gets none of its callers, or if it gets all of them.
pub fn take_share(
    present: &Present,
    slot: &Slot,
    arm: &Slot,
    hold: &Hold,
) -> Result<Rollback, Notice> {
    let before = present.record(slot)?;
    let bad = gets(before, arm).ok_or_else(|| refusal(present, before, arm))?;
    let to = heir(before, arm).ok_or_else(|| alias(present, slot, arm))?;
    let segments = before.segments.iter().filter(|(_, of)| of.slot == *arm);
    let hold = Hold {
        slot: Some(arm.clone()),
        weight: Some(before.weight_of(arm)),
        segments: segments.map(|(group, _)| group.clone()).collect(),
        ..hold.clone()
    };
    let now = without(before, arm, &hold);
    let mut writes = vec![present.write(before, &now)];
    writes.extend(present.catalog_write(&[(before, now.clone())], &attribution(&hold)));
    let (from, to) = (bad.snapshot.version.clone(), to.snapshot.version.clone());
    let change = RollbackChange::Share { from, to, hold: Box::new(hold) };
    Ok(Rollback { name: present.name.clone(), slot: slot.clone(), change, writes })
}

/// Returns the arm of a slot that gets a share or a segment.
pub(super) fn gets<'a>(record: &'a SlotRecord, arm: &Slot) -> Option<&'a Arm> {
    let targets = record.targets.iter().filter(|target| target.weight > 0);
    let targets = targets.map(|target| &target.arm);
    targets.chain(record.segments.values()).find(|of| of.slot == *arm)
}

/// Returns the record without the arm's share and segments, under one more hold.
fn without(before: &SlotRecord, arm: &Slot, hold: &Hold) -> SlotRecord {
    let route = Route::of(before).without_arm(arm, &before.slot);
    let mut now = before.clone();
    for Target { arm: Arm { slot, .. }, weight } in &mut now.targets {
        *weight = route.weight_of(slot);
    }
    now.segments = before
        .segments
        .iter()
        .filter(|(group, _)| route.segments.contains_key(*group))
        .map(|(group, of)| (group.clone(), of.clone()))
        .collect();
    let others = before.holds().filter(|other| other.arm() != Some(arm)).cloned();
    now.hold = Hold::join(others.chain([hold.clone()]).collect::<Vec<_>>().into_iter());
    now
}

/// Returns the arm that gets the share: see [`Route::without_arm`].
fn heir<'a>(record: &'a SlotRecord, arm: &Slot) -> Option<&'a Arm> {
    let mut others = record.targets.iter().map(|target| &target.arm).filter(|of| of.slot != *arm);
    let last = others.clone().next_back();
    others.find(|of| of.slot == record.slot).or(last)
}

fn refusal(present: &Present, record: &SlotRecord, arm: &Slot) -> Notice {
    let slot = &record.slot;
    if let Some(Hold { reason, by, .. }) = record.holds().find(|hold| hold.arm() == Some(arm)) {
        let what = format!("the share of {arm} is on hold at 0 % already ({reason}, by {by})");
        let help = format!("to end the hold: slotctl hold lift {} {slot}", present.name);
        return present.notice(slot, what, &help);
    }
    let arms = record.arms().map(|arm| &arm.slot).filter(|of| *of != slot);
    let mut arms: Vec<&str> = arms.map(Slot::as_str).collect();
    arms.dedup();
    let help = match nearest(arm.as_str(), arms.iter().copied(), &mut BUDGET.clone()) {
        Some(near) => format!("did you mean --arm {near}?"),
        None if arms.is_empty() => {
            format!("it sends callers to no other slot; see slotctl status --slot {slot}")
        }
        None => format!("it sends callers to: {}", arms.join(", ")),
    };
    present.notice(slot, format!("{arm} gets none of its callers"), &help)
}

fn alias(present: &Present, slot: &Slot, arm: &Slot) -> Notice {
    let name = &present.name;
    let what = format!("all of its callers go to {arm}: there is no other version for them");
    let help = format!(
        "`slotctl rollout {name} {slot} --alias <slot> --commit` switches it; or roll {arm} back: \
         slotctl rollback {name} {arm}"
    );
    present.notice(slot, what, &help)
}
