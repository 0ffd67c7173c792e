//! The index in a plan: the components that exist after the sync.

use std::collections::{BTreeMap, BTreeSet};

use super::actual::{Actual, StoredIndex};
use super::component::ComponentPlan;
use super::stored::{Blocked, Known, Stored};
use super::write::Write;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::IndexRecord;
use notice::Notice;

/// The plans of the components.
type Planned = BTreeMap<ComponentName, ComponentPlan>;

/// Plans the index; `planned` are the plans of the components.
pub(super) fn plan(actual: &Actual, planned: &Planned) -> Result<ComponentPlan, Blocked> {
    let mut part = ComponentPlan::default();
    let absent = |stored: &&StoredIndex| matches!(stored.value, Stored::Absent);
    let stored = actual.index.as_ref().filter(|stored| !absent(stored));
    let Some(names) = index_names(actual, planned, stored, &mut part)? else { return Ok(part) };
    let record = IndexRecord::new(names);
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

/// Returns the components that have a catalog record after the sync.
///
/// For components out of scope the index in KV is the only source; `None` if it can't be read.
fn index_names(
    actual: &Actual,
    planned: &Planned,
    stored: Option<&StoredIndex>,
    part: &mut ComponentPlan,
) -> Result<Option<BTreeSet<ComponentName>>, Blocked> {
    let mut names = BTreeSet::new();
    if let (Some(scope), Some(stored)) = (&actual.scope, stored) {
        match stored.value.known()? {
            Known::Absent => {}
            Known::Record(record) => names.extend(record.components.iter().cloned()),
            Known::Unreadable(_) => {
                part.warnings.push(unreadable());
                return Ok(None);
            }
        }
        names.retain(|name| !scope.contains(name));
    }
    let there = |name: &ComponentName| {
        let known = actual.components.get(name).and_then(|known| known.catalog.as_ref());
        known.is_some_and(|known| !matches!(known.value, Stored::Absent))
    };
    let remains = planned
        .iter()
        .filter(|(name, part)| part.writes_catalog() || there(name) && !part.deletes_catalog());
    names.extend(remains.map(|(name, _)| name.clone()));
    Ok(Some(names))
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
