//! The ways to end a hold: Git agrees with it, or it is lifted.

use super::value::Held;
use catalog::name::ComponentName;
use catalog::record::{Hold, SlotRecord};
use catalog::slot::Slot;

/// Returns the command line that makes Git agree with the holds of a slot.
pub fn way_out(Held { name, record, .. }: &Held) -> String {
    let mut commands = Vec::new();
    for hold in record.holds() {
        match hold.arm() {
            Some(arm) => commands.extend(policy_changes(name, &record.slot, arm, hold)),
            None => commands.extend(tag_move(name, record, hold)),
        }
    }
    commands.join(" && ")
}

/// Returns the slot whose hold has to be lifted for Git's state to be served; `None` if a
/// revocation forbids that state.
pub fn liftable(Held { record, .. }: &Held) -> Option<&Slot> {
    if record.holds().any(|hold| hold.revoked.is_some()) {
        return None;
    }
    let hold = record.hold.as_ref()?;
    let of_other = hold.slot.as_ref().filter(|_| hold.arm().is_none());
    Some(of_other.unwrap_or(&record.slot))
}

/// Returns the commands that change `rollouts.toml` and push the change.
fn policy_changes(name: &ComponentName, slot: &Slot, arm: &Slot, hold: &Hold) -> Vec<String> {
    let mut commands = take_out(name, slot, arm, hold);
    commands.push("slotctl push".to_owned());
    commands
}

/// Returns the commands that take an arm's share and segments out of `rollouts.toml`.
pub fn take_out(name: &ComponentName, slot: &Slot, arm: &Slot, hold: &Hold) -> Vec<String> {
    let share = hold.weight.filter(|weight| *weight > 0);
    let share =
        share.map(|_| format!("slotctl rollout {name} {slot} --to {arm} --percent 0 --commit"));
    let segment =
        |group: &String| format!("slotctl rollout {name} {slot} --segment {group} --stop --commit");
    share.into_iter().chain(hold.segments.iter().map(segment)).collect()
}

/// Returns the commands that set a slot's tag to the version that the hold keeps.
fn tag_move(name: &ComponentName, record: &SlotRecord, hold: &Hold) -> [String; 2] {
    let slot = hold.slot.as_ref().unwrap_or(&record.slot);
    let version = record.version_of(slot).map_or("<version>".to_owned(), ToString::to_string);
    let set = format!("slotctl tag set {name} {slot} {version}");
    [set, "slotctl push --tags --force".to_owned()]
}
