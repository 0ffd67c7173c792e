//! Who changed a slot, when and why: by a hold, by `rollouts.toml`, or by a tag.

use super::draft::ComponentDraft;
use crate::desired::{DesiredSlot, Route};
use crate::history::{Attribution, differs};
use catalog::record::{Arm, Hold, SlotRecord};
use catalog::slot::Slot;

/// The author of a change that nothing names.
pub(super) const UNKNOWN: &str = "unknown";

/// Returns who changed a slot from one record to another; `None` if there is no difference, or
/// if a new slot comes from nowhere that is known.
pub(super) fn of(
    draft: &ComponentDraft<'_>,
    from: Option<&SlotRecord>,
    now: &SlotRecord,
) -> Option<Attribution> {
    if from.is_some_and(|from| !differs(from, now)) {
        return None;
    }
    if let Some(hold) = new_hold(from, now) {
        return Some(of_hold(hold));
    }
    let by_policy = policy(draft).filter(|_| is_of_policy(draft, from, now));
    let by_tag = || tag(draft, from, now).map(of_tag);
    by_policy.or_else(by_tag).or_else(|| from.map(|_| found(draft)))
}

pub(super) fn of_hold(Hold { reason, by, at, .. }: &Hold) -> Attribution {
    Attribution { author: by.clone(), time: *at, why: reason.clone() }
}

fn of_tag(DesiredSlot { author, time, why, .. }: &DesiredSlot) -> Attribution {
    Attribution { author: author.clone(), time: *time, why: why.clone() }
}

/// Returns the hold that the change set.
fn new_hold<'a>(from: Option<&SlotRecord>, now: &'a SlotRecord) -> Option<&'a Hold> {
    let same = |a: &Hold, b: &Hold| (a.at, &a.slot, &a.reason) == (b.at, &b.slot, &b.reason);
    let was = |hold: &Hold| from.is_some_and(|from| from.holds().any(|old| same(old, hold)));
    now.holds().find(|hold| !was(hold))
}

fn policy(draft: &ComponentDraft<'_>) -> Option<Attribution> {
    let change = draft.desired.traffic.change.as_ref()?;
    Some(Attribution { author: change.author.clone(), time: change.time, why: change.why.clone() })
}

/// Tells if `rollouts.toml` made the change: it shares the traffic out differently, and no tag
/// ended the hold of an arm; or it withdrew a version.
fn is_of_policy(draft: &ComponentDraft<'_>, from: Option<&SlotRecord>, now: &SlotRecord) -> bool {
    let Some(from) = from else { return now.own().is_none() };
    let of_arms = from.holds().filter(|hold| hold.arm().is_some());
    let by_tag = of_arms.into_iter().any(|hold| {
        let wanted = hold.arm().and_then(|arm| draft.desired.slots.get(arm));
        let tag = wanted.and_then(|wanted| wanted.tag.as_ref());
        hold.tag.as_ref().zip(tag).is_some_and(|(was, is)| was != is)
    });
    from.gone != now.gone || Route::of(from) != Route::of(now) && !by_tag
}

/// Returns the tag that made the change: of the slot whose version moved, the slot's own first.
fn tag<'a>(
    draft: &ComponentDraft<'a>,
    from: Option<&SlotRecord>,
    now: &SlotRecord,
) -> Option<&'a DesiredSlot> {
    let moved = |slot: &Slot| {
        let was = from.and_then(|from| from.version_of(slot));
        now.version_of(slot).is_some_and(|is| was != Some(is))
    };
    let lead = now.lead().map(|Arm { slot, .. }| slot);
    let arms = now.arms().map(|Arm { slot, .. }| slot);
    let slot = lead.into_iter().chain(arms).find(|slot| moved(slot)).or(lead)?;
    draft.desired.slots.get(slot)
}

/// Returns the attribution of a change that neither a hold, a policy nor a tag explains.
fn found(draft: &ComponentDraft<'_>) -> Attribution {
    let why = "found by a sync".to_owned();
    Attribution { author: UNKNOWN.to_owned(), time: draft.rules.options.now, why }
}
