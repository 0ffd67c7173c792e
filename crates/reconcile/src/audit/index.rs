//! The checks that the index agrees with the records.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::audited::AuditedIndex;
use super::finding::disagrees;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::slot::Slot;
use notice::Notice;

/// The keys of KV that the index tells of.
pub(super) struct Listed<'a> {
    /// All keys except those of contents.
    pub(super) keys: &'a BTreeMap<Key, Option<Digest>>,
    /// The components that are audited; `None` for all.
    pub(super) scope: Option<&'a BTreeSet<ComponentName>>,
}

impl Listed<'_> {
    /// Tells if a component exists, or is not part of the audit.
    fn has_component(&self, name: &ComponentName) -> bool {
        let is_audited = self.scope.is_none_or(|scope| scope.contains(name));
        !is_audited || self.keys.contains_key(&Key::Catalog(name.clone()))
    }

    fn slots(&self) -> BTreeMap<&ComponentName, BTreeSet<&Slot>> {
        let mut slots = BTreeMap::<_, BTreeSet<_>>::new();
        for key in self.keys.keys() {
            if let Key::Slot(name, slot) = key {
                slots.entry(name).or_default().insert(slot);
            }
        }
        slots
    }
}

/// Compares the index with the components that have a catalog, and with the keys of KV.
pub(super) fn findings<'a>(
    components: impl Iterator<Item = &'a ComponentName>,
    index: Option<&AuditedIndex>,
    listed: &Listed<'_>,
) -> Vec<Notice> {
    let Some(index) = index else {
        let missing = || disagrees(&Key::Index, "it does not exist".to_owned());
        return components.take(1).map(|_| missing()).collect();
    };
    let (mut found, mut existing) = (Vec::new(), listed.slots());
    for name in components {
        match index.get(name) {
            None => found.push(disagrees(&Key::Index, format!("it does not list {name}"))),
            Some(Some(slots)) => {
                let existing = existing.remove(name).unwrap_or_default();
                slot_findings(name, &existing, slots, &mut found);
            }
            // An index of an earlier release lists no slots. The next sync writes them.
            Some(None) => {}
        }
    }
    let absent = index.keys().filter(|name| !listed.has_component(name));
    found.extend(absent.map(no_such));
    found
}

/// Adds a finding for each difference between the slots that the index lists and those that
/// exist.
fn slot_findings(
    name: &ComponentName,
    existing: &BTreeSet<&Slot>,
    slots: &[Slot],
    found: &mut Vec<Notice>,
) {
    let absent = slots.iter().filter(|slot| !existing.contains(slot));
    found.extend(absent.map(|slot| no_such(format_args!("{name}@{slot}"))));
    let unlisted = existing.iter().filter(|slot| !slots.contains(slot));
    let not_listed = |slot| format!("it does not list {name}@{slot}");
    found.extend(unlisted.map(|slot| disagrees(&Key::Index, not_listed(slot))));
}

fn no_such(what: impl Display) -> Notice {
    disagrees(&Key::Index, format!("it lists {what}, which does not exist"))
}
