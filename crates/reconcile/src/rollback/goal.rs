//! What a rollback of a slot goes back on: the slot's own version, or the share of an arm.

use super::Present;
use super::share::gets;
use catalog::record::{Hold, SlotRecord};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::Notice;

/// What a rollback changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The slot's own version, to this one.
    Version(Version),
    /// The share and the segments of this slot.
    Share(Slot),
}

/// Finds what a rollback changes. `to` and `arm` are what the command line names.
///
/// If neither is named, the slot's own version goes back to the previous one. A slot that sends
/// callers to another version may be meant differently: then that share is taken if the slot
/// has no previous version, and otherwise nothing is guessed.
///
/// # Errors
///
/// See [`Present::version`]. Also if it is not clear what is meant.
pub fn goal(
    present: &Present,
    slot: &Slot,
    to: Option<&Version>,
    arm: Option<&Slot>,
) -> Result<Goal, Notice> {
    let record = present.record(slot)?;
    match (to, arm) {
        (None, Some(arm)) if arm != slot => return Ok(Goal::Share(arm.clone())),
        (None, None) => {}
        _ => return present.version(slot, to).map(Goal::Version),
    }
    let suspects = suspects(record);
    if let Some(Hold { reason, by, slot: Some(arm), .. }) =
        record.holds().find(|hold| hold.arm().is_some())
    {
        // A second run of an interrupted command must not take more.
        let what = format!("the share of {arm} is on hold at 0 % already ({reason}, by {by})");
        let help =
            format!("name what goes back: --arm {slot} is its own version, or --to <version>");
        return Err(present.notice(slot, what, &help));
    }
    match (present.version(slot, None), suspects.as_slice()) {
        (own, []) => own.map(Goal::Version),
        (Err(notice), _) if record.hold.is_some() || is_alias(record) => Err(notice),
        (Err(_), [arm]) if record.own().is_some() => Ok(Goal::Share(arm.clone())),
        (own, suspects) => Err(unclear(present, record, own.ok().as_ref(), suspects)),
    }
}

/// Tells if all callers get the version of one other slot.
fn is_alias(record: &SlotRecord) -> bool {
    record.own().is_none() && record.targets.len() == 1 && record.segments.is_empty()
}

/// Returns the slots that get callers with another version than the slot's own.
fn suspects(record: &SlotRecord) -> Vec<Slot> {
    let own = record.own_version();
    let other = |slot: &&Slot| {
        gets(record, slot).is_some_and(|arm| Some(&arm.snapshot.version) != own)
            && **slot != record.slot
    };
    let mut slots: Vec<Slot> = record.arms().map(|arm| &arm.slot).filter(other).cloned().collect();
    slots.sort();
    slots.dedup();
    slots
}

/// The refusal of a rollback that could mean several things, with the options that say which.
fn unclear(
    present: &Present,
    record: &SlotRecord,
    own: Option<&Version>,
    suspects: &[Slot],
) -> Notice {
    let slot = &record.slot;
    let mut options: Vec<String> =
        suspects.iter().map(|arm| format!("--arm {arm} takes the callers of {arm} back")).collect();
    options.extend(own.map(|own| format!("--arm {slot} sets its own version back to {own}")));
    let arms: Vec<String> = suspects.iter().map(|arm| described(record, arm)).collect();
    let what = format!("it is not clear what goes back: it also serves {}", arms.join(" and "));
    present.notice(slot, what, &format!("say which: {}", options.join("; ")))
}

/// Describes what an arm gets: `canary v1.1.0 (10 %)`.
fn described(record: &SlotRecord, arm: &Slot) -> String {
    let version = record.version_of(arm).map(ToString::to_string).unwrap_or_default();
    match record.weight_of(arm) {
        0 => format!("{arm} {version} (segments)"),
        weight => format!("{arm} {version} ({} %)", crate::policy::percent(weight)),
    }
}
