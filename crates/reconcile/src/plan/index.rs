//! The index in a plan: the components that exist after the sync.

use std::collections::{BTreeMap, BTreeSet};

use super::actual::{Actual, ActualComponent, StoredIndex};
use super::component::ComponentPlan;
use super::stored::{Blocked, Known, Stored};
use super::write::Write;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{IndexRecord, IndexedSlots};
use catalog::slot::Slot;
use notice::Notice;

/// The plans of the components.
type Planned = BTreeMap<ComponentName, ComponentPlan>;

/// Plans the index; `planned` are the plans of the components.
pub(super) fn plan(actual: &Actual, planned: &Planned) -> Result<ComponentPlan, Blocked> {
    let mut part = ComponentPlan::default();
    let absent = |stored: &&StoredIndex| matches!(stored.value, Stored::Absent);
    let stored = actual.index.as_ref().filter(|stored| !absent(stored));
    let Some(entries) = entries(actual, planned, stored, &mut part)? else { return Ok(part) };
    let record = IndexRecord::new(entries);
    let metadata = stored.and_then(|stored| stored.metadata.as_ref());
    if metadata.is_some_and(|metadata| *metadata == record.metadata()) {
        part.unchanged = 1;
    } else if stored.is_some() || !record.components.is_empty() {
        // An outdated or invalid index is rewritten, but not one of a later format.
        stored.map_or(Ok(Known::Absent), |stored| stored.value.known())?;
        part.writes.push(Write::Index { record });
    }
    Ok(part)
}

/// The components of an index, with their slots.
type Entries = BTreeMap<ComponentName, IndexedSlots>;

/// Returns the components that have a catalog record after the sync, with the slots that they
/// have then.
///
/// For components out of scope the index in KV is the only source; `None` if it can't be read.
fn entries(
    actual: &Actual,
    planned: &Planned,
    stored: Option<&StoredIndex>,
    part: &mut ComponentPlan,
) -> Result<Option<Entries>, Blocked> {
    let mut entries = Entries::new();
    if let (Some(scope), Some(stored)) = (&actual.scope, stored) {
        match stored.value.known()? {
            Known::Absent => {}
            Known::Record(record) => entries.extend(
                record.entries().map(|(name, slots)| (name.clone(), slots.map(<[Slot]>::to_vec))),
            ),
            Known::Unreadable(_) => {
                part.warnings.push(unreadable());
                return Ok(None);
            }
        }
        entries.retain(|name, _| !scope.contains(name));
    }
    for (name, part) in planned {
        let known = actual.components.get(name);
        let catalog = known.and_then(|known| known.catalog.as_ref());
        let there = catalog.is_some_and(|known| !matches!(known.value, Stored::Absent));
        if part.writes_catalog() || there && !part.deletes_catalog() {
            entries.insert(name.clone(), Some(slots_after(known, part)));
        }
    }
    Ok(Some(entries))
}

/// Returns the slots of a component after the sync, in order.
fn slots_after(known: Option<&ActualComponent>, part: &ComponentPlan) -> Vec<Slot> {
    let existing = known.into_iter().flat_map(|known| &known.slots);
    let existing = existing.filter(|(_, stored)| !matches!(stored, Stored::Absent));
    let mut slots: BTreeSet<&Slot> = existing.map(|(slot, _)| slot).collect();
    slots.extend(part.writes.iter().filter_map(|write| match write {
        Write::Slot { record, .. } => Some(&record.slot),
        _ => None,
    }));
    for key in &part.deletions {
        if let Key::Slot(_, slot) = key {
            slots.remove(slot);
        }
    }
    slots.into_iter().cloned().collect()
}

fn unreadable() -> Notice {
    Notice {
        subject: Key::Index.to_string(),
        what:
            "the record in KV is invalid and is not changed: it lists components outside of --only"
                .to_owned(),
        help: Some("run a sync without --only, which rewrites it".to_owned()),
    }
}
