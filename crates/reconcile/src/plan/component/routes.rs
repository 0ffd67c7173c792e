//! Slot records: the split of a slot's traffic between the versions of other slots.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{ComponentDraft, Standing};
use super::standing;
use crate::desired::Route;
use crate::plan::describe::traffic;
use crate::plan::short::short;
use crate::plan::traffic::changes;
use crate::policy::FILE;
use catalog::record::{self, Arm, FORMAT, Gone, Hold, SlotRecord, Snapshot, Target};
use catalog::slot::Slot;

/// The record that a slot should have.
pub(super) struct Wanted {
    /// The record after holds and revocations.
    pub(super) record: SlotRecord,
    /// The record by Git alone, if it is known.
    pub(super) git: Option<SlotRecord>,
}

/// Returns the record that a slot should have; `None` if the slot must be left unchanged.
pub(super) fn wanted<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot) -> Option<Wanted> {
    if draft.is_frozen(slot) {
        return None;
    }
    let desired = draft.desired;
    let by_git = desired.traffic.routes.get(slot).cloned();
    let git = record(slot, by_git.as_ref(), &|slot| draft.git.get(slot).cloned());
    let route = route(draft, slot, by_git);
    let hold = hold(draft, slot);
    let route = route.map(|route| without_arms(route, slot, hold.as_ref()));
    if let Some(missing) = missing(draft, slot, route.as_ref()) {
        // A problem with the slot itself was reported already.
        if missing != *slot {
            let what =
                format!("it sends callers to {missing}, which is refused: the slot is not changed");
            draft.refuse(&draft.slot_key(slot), what, &format!("see the message about {missing}"));
        }
        return None;
    }
    let record = match snapshots(draft, slot, route.as_ref()) {
        Ok(on) => record(slot, route.as_ref(), &|slot| on.get(slot).cloned())?,
        Err(Gone { version, reason }) => SlotRecord::gone(slot.clone(), version, reason),
    };
    let hold = hold.filter(|_| record.gone.is_none());
    let record = SlotRecord { hold, ..record };
    is_small(draft, &record).then_some(Wanted { record, git })
}

/// The maximum size of a slot record, in bytes: every request of the slot reads and parses it.
const MAX_SLOT_RECORD: usize = 64 << 10;

/// Tells if a slot record is small enough; refuses it otherwise.
fn is_small(draft: &mut ComponentDraft<'_>, wanted: &SlotRecord) -> bool {
    let size = record::write(wanted).len();
    if size > MAX_SLOT_RECORD {
        let what = format!(
            "its record would have {size} bytes, and {MAX_SLOT_RECORD} are allowed: the slot is \
             not changed"
        );
        let help = format!("name fewer slots and segments in its table in {FILE}");
        draft.refuse(&draft.slot_key(&wanted.slot), what, &help);
    }
    size <= MAX_SLOT_RECORD
}

/// Returns the first slot that the record would name and that has no known version.
fn missing(draft: &ComponentDraft<'_>, slot: &Slot, route: Option<&Route>) -> Option<Slot> {
    let missing = |slot: &&Slot| !draft.standings.contains_key(*slot);
    match route {
        Some(route) => route.named().find(missing).cloned(),
        None => Some(slot).filter(missing).cloned(),
    }
}

/// Returns the route by which a slot's traffic is split: the route in Git, or the route in KV
/// if `rollouts.toml` no longer has the table and its removal is not allowed.
fn route(draft: &mut ComponentDraft<'_>, slot: &Slot, by_git: Option<Route>) -> Option<Route> {
    if by_git.is_some() || draft.rules.options.allow_policy_removal {
        return by_git;
    }
    let present = draft.present(slot).filter(|record| record.is_routed())?;
    let route = Route::of(present);
    let of = |slot: &Slot| match draft.standings.get(slot) {
        Some(Standing::On(snapshot, _)) => Some(snapshot.clone()),
        _ => None,
    };
    let without = record(slot, None, &of)?;
    let with = record(slot, Some(&route), &of).unwrap_or_else(|| present.clone());
    // A table whose callers have no good version left keeps nothing: the slot follows its tag.
    let is_gone = mended(draft, present).is_some_and(|mended| mended.gone.is_some());
    if is_gone || with.serves_as(&without) {
        return None;
    }
    refuse_removal(draft, &with, Some(&without));
    Some(route)
}

/// Reports what callers would notice if a table were removed.
pub(super) fn refuse_removal(
    draft: &mut ComponentDraft<'_>,
    present: &SlotRecord,
    without: Option<&SlotRecord>,
) {
    let change = match without {
        Some(without) => {
            let changes = changes(Some(present), without);
            changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        None => "the slot would be deleted".to_owned(),
    };
    let what = format!(
        "{FILE} has no table for it any more, and callers would notice ({change}): its \
         traffic stays shared out as it is"
    );
    let end = match without {
        Some(_) => format!(
            "end it in Git with an empty table, `slotctl rollout {} {} --stop --commit`; or ",
            draft.name, present.slot
        ),
        None => String::new(),
    };
    let help =
        format!("put the table back; or {end}remove it: slotctl sync --allow-policy-removal");
    draft.refuse(&draft.slot_key(&present.slot), what, &help);
}

/// Returns the holds that the slot's record has after the sync.
fn hold(draft: &mut ComponentDraft<'_>, slot: &Slot) -> Option<Hold> {
    let own = match draft.standings.get(slot) {
        Some(Standing::On(_, Some(hold))) => Some(hold.as_ref().clone()),
        _ => None,
    };
    let mut holds: Vec<Hold> = own.into_iter().collect();
    if let Some(record) = draft.present(slot) {
        for hold in record.holds() {
            if is_of_arm(draft, record, hold, !holds.is_empty()) {
                holds.push(hold.clone());
            }
        }
    }
    Hold::join(holds.into_iter())
}

/// Tells if a hold that another slot ends is still in force. The version of an arm is on hold by
/// the record of that arm: a hold of the record itself then says more.
fn is_of_arm(
    draft: &mut ComponentDraft<'_>,
    record: &SlotRecord,
    hold: &Hold,
    has_other: bool,
) -> bool {
    match (&hold.slot, hold.arm()) {
        (_, Some(_)) => standing::counts(draft, record, hold),
        (Some(of), None) => {
            !has_other && matches!(draft.standings.get(of), Some(Standing::On(_, Some(_))))
        }
        (None, None) => false,
    }
}

/// Returns the route without what rollbacks took from its arms.
fn without_arms(route: Route, own: &Slot, hold: Option<&Hold>) -> Route {
    let arms = hold.into_iter().flat_map(Hold::all).filter_map(Hold::arm);
    arms.fold(route, |route, arm| route.without_arm(arm, own))
}

/// Returns the version of each slot that a record names.
///
/// A slot without a good version is replaced by the record's own slot, or else by the arm that
/// most callers get.
fn snapshots(
    draft: &mut ComponentDraft<'_>,
    slot: &Slot,
    route: Option<&Route>,
) -> Result<BTreeMap<Slot, Snapshot>, Gone> {
    let named: BTreeSet<&Slot> = match route {
        Some(route) => route.named().collect(),
        None => BTreeSet::from([slot]),
    };
    let (mut on, mut gone) = (BTreeMap::new(), BTreeMap::new());
    for of in named {
        match draft.standings.get(of) {
            Some(Standing::On(snapshot, _)) => drop(on.insert(of.clone(), snapshot.clone())),
            Some(Standing::Gone(is)) => drop(gone.insert(of.clone(), is.clone())),
            None => {}
        }
    }
    if let Some(own) = gone.remove(slot) {
        return Err(own);
    }
    let weight = |of: &&Slot| route.map_or(0, |route| route.weight_of(of));
    let most = on.keys().max_by_key(weight).cloned();
    let instead = on.get(slot).or_else(|| on.get(&most?)).cloned();
    for (of, gone) in gone {
        let Some(instead) = &instead else { return Err(gone) };
        say_replaced(draft, slot, &of, &gone, instead);
        on.insert(of, instead.clone());
    }
    Ok(on)
}

fn say_replaced(
    draft: &mut ComponentDraft<'_>,
    slot: &Slot,
    of: &Slot,
    gone: &Gone,
    instead: &Snapshot,
) {
    let what = format!(
        "{of} has no version that is good ({} is revoked): its callers get {}",
        short(&gone.version),
        short(&instead.version)
    );
    draft.refuse(&draft.slot_key(slot), what, &format!("see what is said of {of}"));
}

/// Returns a kept record with good versions in place of revoked ones, or a record that is gone
/// if there are none; `None` if nothing in the record is revoked.
pub(super) fn mended(draft: &mut ComponentDraft<'_>, present: &SlotRecord) -> Option<SlotRecord> {
    let revoked =
        |arm: &Arm| Some((arm.clone(), standing::said_revocation(draft, &arm.snapshot.version)?));
    let bad: Vec<(Arm, String)> = present.arms().filter_map(revoked).collect();
    let (Arm { snapshot: Snapshot { version, .. }, .. }, reason) = bad.first()?.clone();
    let is_good = |arm: &&Arm| !bad.iter().any(|(bad, _)| bad.snapshot == arm.snapshot);
    let other = present.arms().find(is_good).map(|arm| arm.snapshot.clone());
    let mut mended = present.clone();
    for (arm, _) in &bad {
        let Some(instead) = instead(draft, arm).or_else(|| other.clone()) else {
            return Some(SlotRecord::gone(present.slot.clone(), version, reason));
        };
        let targets = mended.targets.iter_mut().map(|target| &mut target.arm);
        let segments = mended.segments.iter_mut().map(|(_, arm)| arm);
        let same = |other: &&mut Arm| **other == *arm;
        targets.chain(segments).filter(same).for_each(|arm| arm.snapshot = instead.clone());
    }
    mended.hold = Some(standing::revocation_hold(draft, &present.slot, version, &reason));
    Some(mended)
}

fn instead(draft: &mut ComponentDraft<'_>, bad: &Arm) -> Option<Snapshot> {
    match draft.standings.get(&bad.slot) {
        Some(Standing::On(snapshot, _)) => Some(snapshot.clone()),
        _ => standing::last_good(draft, &bad.slot, &bad.snapshot.version),
    }
}

/// Reports where a kept record differs from Git because of a revocation.
pub(super) fn say_mended(draft: &mut ComponentDraft<'_>, record: &SlotRecord) {
    let held = record.hold.as_ref().and_then(|hold| hold.revoked.as_ref());
    let what = match (&record.gone, held) {
        (Some(gone), _) => format!(
            "in KV it led to {}, which is revoked ({}), and no version before it is good: it \
             answers 410",
            short(&gone.version),
            gone.reason
        ),
        (None, Some(version)) if standing::said_revocation(draft, version).is_some() => format!(
            "in KV it led to {}, which is revoked: {} is served instead, on hold",
            short(version),
            traffic(record)
        ),
        _ => return,
    };
    let help = format!(
        "set it to another version: slotctl tag set {} {} <version>",
        draft.name, record.slot
    );
    draft.refuse(&draft.slot_key(&record.slot), what, &help);
}

/// Returns the record of a slot; `None` if a slot that it names has no version.
fn record(
    slot: &Slot,
    route: Option<&Route>,
    version: &dyn Fn(&Slot) -> Option<Snapshot>,
) -> Option<SlotRecord> {
    let Some(route) = route else { return Some(SlotRecord::sole(slot.clone(), version(slot)?)) };
    let arm = |slot: &Slot| Some(Arm { slot: slot.clone(), snapshot: version(slot)? });
    let target = |(slot, weight): &(Slot, u32)| Some(Target { arm: arm(slot)?, weight: *weight });
    let segment = |(group, slot): (&String, &Slot)| Some((group.clone(), arm(slot)?));
    Some(SlotRecord {
        format: FORMAT,
        slot: slot.clone(),
        targets: route.targets.iter().map(target).collect::<Option<_>>()?,
        segments: route.segments.iter().map(segment).collect::<Option<_>>()?,
        hold: None,
        gone: None,
    })
}
