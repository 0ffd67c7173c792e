//! The catalog record: all versions, and all slots with their moves.

use std::collections::BTreeMap;

use super::draft::ComponentDraft;
use vecmap::VecMap;

use crate::desired::DesiredComponent;
use crate::plan::stored::{Known, Stored};
use crate::plan::write::Write;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::{
    self, Arm, CatalogMetadata, CatalogRecord, CatalogState, FORMAT, Hold, MAX_MOVES, MAX_VALUE,
    Move, SlotEntry, SlotRecord, Snapshot, VersionRecord,
};
use catalog::slot::Slot;

pub(super) fn plan(draft: &mut ComponentDraft<'_>) {
    let (stored, hash) = (draft.actual.catalog.as_ref(), state_hash(draft));
    let key = Key::Catalog(draft.name.clone());
    let nothing = draft.versions.is_empty() && draft.slots.is_empty();
    let there = stored.is_some_and(|stored| !matches!(stored.value, Stored::Absent));
    if nothing && draft.rules.options.prune {
        let known = stored.map_or(Ok(Known::Absent), |stored| stored.value.known());
        match draft.take(&key, known) {
            None | Some(Known::Absent) => {}
            Some(_) => draft.part.deletions.push(key),
        }
        return;
    }
    if there && draft.desired.versions.is_empty() {
        draft.part.kept.push(key.clone());
    }
    let listed = stored.and_then(|stored| stored.metadata.as_ref());
    if listed.is_some_and(|metadata| metadata.hash == hash) {
        draft.part.unchanged += 1;
        return;
    }
    let known = stored.map_or(Ok(Known::Absent), |stored| stored.value.known());
    let known = draft.take(&key, known);
    if nothing && matches!(known, None | Some(Known::Absent)) {
        return;
    }
    let versions = version_records(draft);
    if let (Some(known), true) = (known, draft.is_open()) {
        let before = draft.replaced(&key, known);
        write_catalog(draft, key, versions, before.as_deref(), hash);
    }
}

fn state_hash(draft: &ComponentDraft<'_>) -> Digest {
    let versions = draft.versions.iter().map(|(version, after)| (version, after.hash));
    let slots = draft.slots.iter().map(|(slot, record)| (*slot, record.as_ref()));
    CatalogState::new(versions.collect(), slots.collect()).hash()
}

/// Returns the records of all versions, and notes the keys that must be read first.
fn version_records(draft: &mut ComponentDraft<'_>) -> Vec<VersionRecord> {
    let mut records = Vec::with_capacity(draft.versions.len());
    for (version, after) in &draft.versions {
        match &after.record {
            Some(record) => records.push(record.clone().into_owned()),
            None => draft.needs.push(Key::Version(draft.name.clone(), version.clone())),
        }
    }
    records
}

fn write_catalog(
    draft: &mut ComponentDraft<'_>,
    key: Key,
    versions: Vec<VersionRecord>,
    before: Option<&CatalogRecord>,
    hash: Digest,
) {
    let slots = draft.slots.iter().map(|(slot, record)| (*slot, record.as_ref())).collect();
    let slots = entries(draft.desired, slots, before, &draft.actual.slots);
    let record = Box::new(CatalogRecord { format: FORMAT, versions, slots });
    let size = record::write(&record).len() as u64;
    if size > MAX_VALUE {
        let what = format!("the catalog has {size} bytes, Workers KV takes {MAX_VALUE}");
        return draft.refuse(&key, what, "delete the tags of unused versions");
    }
    let (name, metadata) = (draft.name.clone(), CatalogMetadata { hash });
    draft.part.writes.push(Write::Catalog { name, record, metadata });
}

/// Returns the entries of the slots: their records, the moves that `before` has, and the moves
/// that happened since.
///
/// A move is found by comparison with the catalog, which is written last. If an interrupted
/// sync moved a slot in `SLOTS` only, the next sync records that move, even if it moves the
/// slot again.
fn entries(
    desired: &DesiredComponent,
    slots: BTreeMap<&Slot, &SlotRecord>,
    before: Option<&CatalogRecord>,
    stored: &BTreeMap<Slot, Stored<SlotRecord>>,
) -> VecMap<Slot, SlotEntry> {
    let entry = |(slot, record): (&Slot, &SlotRecord)| {
        let known = before.and_then(|catalog| catalog.slots.get(slot));
        let mut moves = known.map(|entry| entry.moves.clone()).unwrap_or_default();
        let mut from = known.and_then(|entry| entry.record.lead());
        if let Some(Stored::Record(there)) = stored.get(slot)
            && let Some(mut unrecorded) = unrecorded(there, record, from)
        {
            if there.hold.is_none()
                && let Some(next) = newest(desired, record, there.lead())
            {
                // The time of this move is unknown, so it must not be later than the next move.
                unrecorded.time = next.time;
            }
            moves.insert(0, unrecorded);
            from = there.lead();
        }
        if let Some(moved) = newest(desired, record, from) {
            moves.insert(0, moved);
        }
        moves.truncate(MAX_MOVES);
        (slot.clone(), SlotEntry { record: record.clone(), moves })
    };
    slots.into_iter().map(entry).collect()
}

/// Returns the move to the version that `SLOTS` has for the slot, if the catalog does not have
/// this move and the slot moves again: callers got that version.
///
/// Only a hold says who made this move; Git's tag already describes the next one.
fn unrecorded(there: &SlotRecord, next: &SlotRecord, from: Option<&Arm>) -> Option<Move> {
    let Snapshot { version, sha, date, .. } = &there.lead()?.snapshot;
    let is = |arm: Option<&Arm>| arm.is_some_and(|arm| arm.snapshot.version == *version);
    if from.is_none() || is(from) || is(next.lead()) {
        return None;
    }
    let (author, time, why) = match &there.hold {
        Some(Hold { reason, by, at, .. }) => (by.clone(), *at, reason.clone()),
        None => ("unknown".to_owned(), *date, "found in KV by a sync".to_owned()),
    };
    let (from, to) = (from.map(|arm| arm.snapshot.version.clone()), version.clone());
    Some(Move { from, to, commit: sha.clone(), author, time, why })
}

/// Returns the move to the slot's new version; `None` if the slot had this version before, or
/// if no hold, tag or change of `rollouts.toml` says who moved it.
///
/// An alias has no version of its own: it moves with the slot that it leads to, and with a
/// change of `rollouts.toml` that makes it lead to another slot.
fn newest(desired: &DesiredComponent, record: &SlotRecord, from: Option<&Arm>) -> Option<Move> {
    let Arm { slot, snapshot: Snapshot { version: to, sha: commit, .. } } = record.lead()?;
    if from.is_some_and(|from| from.snapshot.version == *to) {
        return None;
    }
    let rerouted =
        from.is_some_and(|from| from.slot != *slot) || from.is_none() && *slot != record.slot;
    let change = desired.traffic.change.as_ref().filter(|_| rerouted);
    let (author, time, why) = match (&record.hold, change, desired.slots.get(slot)) {
        (Some(hold), ..) => (&hold.by, hold.at, &hold.reason),
        (None, Some(change), _) => (&change.author, change.time, &change.why),
        (None, None, Some(tag)) => (&tag.author, tag.time, &tag.why),
        (None, None, None) => return None,
    };
    Some(Move {
        from: from.map(|from| from.snapshot.version.clone()),
        to: to.clone(),
        commit: commit.clone(),
        author: author.clone(),
        time,
        why: why.clone(),
    })
}
