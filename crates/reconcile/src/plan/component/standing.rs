//! The version of each slot: by its tag, and by what may be served.

use std::borrow::Cow;

use super::draft::{ComponentDraft, Standing};
use super::versions;
use crate::desired::{DesiredSlot, Route, pinned_to_commit};
use crate::history;
use crate::plan::short::short;
use crate::plan::stored::Known;
use crate::tag::TagTarget;
use catalog::record::{Gone, Hold, SlotRecord, Snapshot};
use catalog::slot::Slot;
use catalog::version::Version;

/// The author of a hold that a sync sets if it is unknown who revoked the version.
const SYNC: &str = "slotctl sync";

/// Finds the version that each slot gives out.
pub(super) fn plan(draft: &mut ComponentDraft<'_>) {
    let desired = draft.desired;
    for (slot, wanted) in &desired.slots {
        let snapshot = git_standing(draft, slot, wanted);
        draft.git.extend(snapshot.map(|snapshot| (slot, snapshot)));
    }
    for (slot, snapshot) in draft.git.clone() {
        let standing = standing(draft, slot, snapshot);
        draft.standings.insert(slot, standing);
    }
}

/// Returns the version that a slot's tag names, or the same content by its commit if that
/// version is refused.
fn git_standing<'a>(
    draft: &mut ComponentDraft<'a>,
    slot: &'a Slot,
    wanted: &DesiredSlot,
) -> Option<Snapshot> {
    let Some(record) = draft.desired.versions.get(&wanted.version) else {
        let what = format!("the component has no version {}", short(&wanted.version));
        draft.refuse(&draft.slot_key(slot), what, "set the slot to one that is");
        return None;
    };
    if let Some(higher) = higher_latest(draft, slot, &wanted.version) {
        return Some(higher);
    }
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
    let what = format!("{from} is refused, and so is its commit {to}: the slot is not changed");
    draft.refuse(&draft.slot_key(slot), what, "set the slot to another version");
    None
}

/// Returns the release that `latest` has in KV, if it is higher than the highest release in
/// Git.
///
/// A release may be missing in this clone for many reasons. It is not returned if it was
/// revoked, or if its tag is deleted and pruning was asked for.
fn higher_latest(
    draft: &mut ComponentDraft<'_>,
    slot: &Slot,
    wanted: &Version,
) -> Option<Snapshot> {
    if *slot != Slot::latest() || draft.desired.tagged_latest {
        return None;
    }
    let version = draft.present(slot)?.own_version()?;
    let is_higher = version.is_stable() && version > wanted;
    if !is_higher
        || draft.desired.versions.contains_key(version)
        || draft.is_untagged(TagTarget::Version(version.clone()))
    {
        return None;
    }
    let snapshot = good(draft, version)?;
    let what = format!(
        "it stays on {version}, though the highest release in Git is {wanted}: `latest` goes \
         back only if {version} is revoked, or deleted with --prune"
    );
    draft.warn(&draft.slot_key(slot), what);
    Some(snapshot)
}

fn standing<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot, git: Snapshot) -> Standing {
    let reason = revocation(draft, &git.version);
    let standing = held(draft, slot).or_else(|| fallback(draft, slot, &git, reason.as_ref()));
    if let Some(reason) = reason {
        say_revoked(draft, slot, &git.version, &reason, standing.as_ref());
    }
    standing.unwrap_or(Standing::On(git, None))
}

/// Returns the version on which a hold keeps the slot.
fn held(draft: &mut ComponentDraft<'_>, slot: &Slot) -> Option<Standing> {
    let record = draft.present(slot)?;
    let hold = record.holds().find(|hold| hold.slot.is_none())?;
    let own = record.own()?;
    let counts = counts(draft, record, hold) && revocation(draft, &own.version).is_none();
    let hold = || Hold { further: None, ..hold.clone() };
    counts.then(|| Standing::On(own.clone(), Some(Box::new(hold()))))
}

/// Tells if a hold of a slot's record is still in force: nobody lifts it, and Git neither agrees
/// with it nor has moved the slot since.
pub(super) fn counts(draft: &mut ComponentDraft<'_>, record: &SlotRecord, hold: &Hold) -> bool {
    let lift = draft.rules.options.lift.as_ref();
    if lift.is_some_and(|(name, slot)| name == draft.name && *slot == record.slot) {
        return false;
    }
    let slot = hold.slot.as_ref().unwrap_or(&record.slot);
    if let Some(version) = &hold.revoked {
        let is_over = draft.desired.traffic.gone_if_revoked.contains(slot);
        if is_over || revocation(draft, version).is_none() {
            return false;
        }
    }
    let wanted = draft.desired.slots.get(slot).and_then(|wanted| wanted.tag.as_ref());
    if hold.tag.as_ref().zip(wanted).is_some_and(|(was, is)| was != is) {
        return false;
    }
    if let Some(weight) = hold.weight {
        let route = draft.desired.traffic.routes.get(&record.slot);
        return route.is_some_and(|route| gives_again(route, slot, weight, &hold.segments));
    }
    let git = draft.git.get(slot).map(|snapshot| &snapshot.version);
    git.is_none() || record.version_of(slot) != git
}

/// Tells if a route still gives an arm what a rollback took from it: at least its share, or one
/// of its segments. A route to the arm alone is a later decision.
fn gives_again(route: &Route, arm: &Slot, weight: u32, segments: &[String]) -> bool {
    let has_share = weight > 0 && route.weight_of(arm) >= weight;
    let has_segment = segments.iter().any(|group| route.segments.get(group) == Some(arm));
    let has_others = route.targets.iter().any(|(target, _)| target != arm);
    has_others && (has_share || has_segment)
}

/// Returns what a slot gives out in place of a revoked version.
fn fallback(
    draft: &mut ComponentDraft<'_>,
    slot: &Slot,
    git: &Snapshot,
    reason: Option<&String>,
) -> Option<Standing> {
    let (version, reason) = (git.version.clone(), reason?.clone());
    let gone = Standing::Gone(Gone { version: version.clone(), reason: reason.clone() });
    if draft.desired.traffic.gone_if_revoked.contains(slot) {
        return Some(gone);
    }
    let Some(snapshot) = last_good(draft, slot, &version) else { return Some(gone) };
    let hold = revocation_hold(draft, slot, version, &reason);
    Some(Standing::On(snapshot, Some(Box::new(hold))))
}

pub(super) fn revocation_hold(
    draft: &ComponentDraft<'_>,
    slot: &Slot,
    version: Version,
    reason: &str,
) -> Hold {
    let traffic = &draft.desired.traffic;
    let by = traffic.change.as_ref().map_or(SYNC, |change| &change.author).to_owned();
    let reason = format!("{} is revoked: {reason}", short(&version));
    let tag = draft.desired.slots.get(slot).and_then(|wanted| wanted.tag.clone());
    let hold = Hold::new(reason, by, draft.rules.options.now);
    Hold { tag, revoked: Some(version), ..hold }
}

fn say_revoked(
    draft: &mut ComponentDraft<'_>,
    slot: &Slot,
    version: &Version,
    reason: &str,
    standing: Option<&Standing>,
) {
    let instead = match standing {
        Some(Standing::On(snapshot, _)) => {
            format!("{} is served instead, on hold", short(&snapshot.version))
        }
        _ if draft.desired.traffic.gone_if_revoked.contains(slot) => return,
        _ => "no version of the slot before it is good, so it answers 410".to_owned(),
    };
    let what = format!("Git says {}, which is revoked ({reason}): {instead}", short(version));
    let help =
        format!("set it to another version: slotctl tag set {} {slot} <version>", draft.name);
    draft.refuse(&draft.slot_key(slot), what, &help);
}

/// Returns the reason why a version was revoked, if it was, from Git and the values read so
/// far.
pub(super) fn said_revocation(draft: &ComponentDraft<'_>, version: &Version) -> Option<String> {
    let said = draft.desired.traffic.revoked.get(version);
    let after = draft.versions.get(version).and_then(|after| after.record.as_ref());
    said.or_else(|| after?.revoked.as_ref()).cloned()
}

/// Returns the reason why a version was revoked, if it was; reads KV if necessary.
fn revocation(draft: &mut ComponentDraft<'_>, version: &Version) -> Option<String> {
    let said = said_revocation(draft, version);
    if said.is_some() || draft.versions.get(version).is_some_and(|after| after.record.is_some()) {
        return said;
    }
    let stored = draft.actual.versions.get(version)?;
    match draft.take(&draft.version_key(version), stored.value.known())? {
        Known::Record(record) => record.revoked.clone(),
        Known::Absent | Known::Unreadable(_) => None,
    }
}

/// Returns the last good version in the slot's own history; `now` is its current version if KV
/// does not have the slot.
pub(super) fn last_good(
    draft: &mut ComponentDraft<'_>,
    slot: &Slot,
    now: &Version,
) -> Option<Snapshot> {
    let present = draft.present(slot).and_then(SlotRecord::own_version);
    if let Some(own) = present
        && let Some(snapshot) = good(draft, own)
    {
        return Some(snapshot);
    }
    let catalog = draft.present_catalog()?;
    let moves = &catalog.slots.get(slot)?.moves;
    let earlier = history::before(moves, present.unwrap_or(now));
    earlier.iter().find_map(|version| good(draft, version))
}

/// Returns a version if it may be served.
fn good(draft: &mut ComponentDraft<'_>, version: &Version) -> Option<Snapshot> {
    if revocation(draft, version).is_some() {
        return None;
    }
    if let Some(record) = draft.versions.get(version).and_then(|after| after.record.as_ref()) {
        return Some(record.snapshot.clone());
    }
    let stored = draft.actual.versions.get(version)?;
    match draft.take(&draft.version_key(version), stored.value.known())? {
        Known::Record(record) => Some(record.snapshot.clone()),
        Known::Absent | Known::Unreadable(_) => None,
    }
}
