//! The catalog record: all versions, and all slots with their moves.

use std::collections::BTreeMap;

use super::author;
use super::draft::ComponentDraft;
use vecmap::VecMap;

use crate::history::{Attribution, differs, moved};
use crate::plan::stored::{Known, Stored};
use crate::plan::write::Write;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::{
    self, CatalogMetadata, CatalogRecord, CatalogState, FORMAT, MAX_MOVES, MAX_VALUE, Move,
    SlotEntry, SlotRecord, VersionRecord,
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
pub(super) fn version_records(draft: &mut ComponentDraft<'_>) -> Vec<VersionRecord> {
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
    let slots = entries(draft, slots, before);
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
    draft: &ComponentDraft<'_>,
    slots: BTreeMap<&Slot, &SlotRecord>,
    before: Option<&CatalogRecord>,
) -> VecMap<Slot, SlotEntry> {
    let entry = |(slot, record): (&Slot, &SlotRecord)| {
        let known = before.and_then(|catalog| catalog.slots.get(slot));
        let mut moves = known.map(|entry| entry.moves.clone()).unwrap_or_default();
        let mut from = known.map(|entry| &entry.record);
        if let (Some(Stored::Record(there)), Some(recorded)) = (draft.actual.slots.get(slot), from)
            && differs(recorded, there)
            && differs(there, record)
        {
            moves.splice(0..0, unrecorded(draft, recorded, there, record));
            from = Some(there);
        }
        let newest = author::of(draft, from, record).and_then(|by| moved(from, record, by));
        moves.splice(0..0, newest);
        moves.truncate(MAX_MOVES);
        (slot.clone(), SlotEntry { record: record.clone(), moves })
    };
    slots.into_iter().map(entry).collect()
}

/// Returns the move to what `SLOTS` has, which the catalog does not have: callers got it.
///
/// Only a hold says who made this move; Git's tag already describes the next one.
fn unrecorded(
    draft: &ComponentDraft<'_>,
    from: &SlotRecord,
    there: &SlotRecord,
    next: &SlotRecord,
) -> Option<Move> {
    let by = match &there.hold {
        Some(hold) => author::of_hold(hold),
        None => {
            let next = author::of(draft, Some(there), next);
            let date = there.lead().map(|arm| arm.snapshot.date);
            // The time of this move is unknown, so it must not be later than the next move.
            let time = next.map(|next| next.time).or(date)?;
            let why = "found in KV by a sync".to_owned();
            Attribution { author: author::UNKNOWN.to_owned(), time, why }
        }
    };
    moved(Some(from), there, by)
}
