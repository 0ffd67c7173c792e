//! The copies in a namespace for Conductor, for Workers that still read that namespace
//! themselves: their keys, the order of writing, and the changes to existing copies.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use catalog::conductor::{Meaning, Metadata, VERSIONS, entries, keys, meanings, versions_index};
use catalog::digest::Digest;
use catalog::name::ComponentName;
use catalog::record::CatalogRecord;
use catalog::version::Version;
use notice::Notice;

/// A key of the namespace with the value that it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyItem {
    /// The key.
    pub key: String,
    /// The value.
    pub value: CopyValue,
    /// The key's metadata; `None` for an index.
    pub metadata: Option<Metadata>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyValue {
    /// The content with this digest.
    Content(Digest),
    /// The list of a component's versions.
    Index(String),
}

/// The state of a namespace: its keys with their metadata, and the values of indexes.
#[derive(Clone, Debug, Default)]
pub struct HeldCopies {
    /// Every key.
    pub keys: BTreeMap<String, Option<Json>>,
    /// The values of the keys that [`index_keys`] names.
    pub indexes: BTreeMap<String, String>,
}

/// The changes to a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyPlan {
    /// The writes in the safe order: versions, the slots that lead to them, the indexes that
    /// name them.
    pub writes: Vec<CopyItem>,
    /// The keys to delete after the writes, in the opposite order; empty without pruning.
    pub deletions: Vec<String>,
    /// Copies whose component, version or slot no longer exists, and that are kept.
    pub kept: Vec<String>,
    /// The number of keys that this software did not write; they are left unchanged.
    pub foreign: usize,
    /// The number of keys that are up to date.
    pub unchanged: usize,
    /// The reason why the plan must not be carried out, if there is one.
    pub blocked: Option<Notice>,
}

impl CopyPlan {
    /// Tells if there is nothing to write and nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.deletions.is_empty()
    }
}

/// The kind of a key, in the order of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CopyKind {
    Version,
    Slot,
    Index,
}

fn kind(reference: &str) -> CopyKind {
    match reference.parse::<Version>() {
        _ if reference == VERSIONS => CopyKind::Index,
        Ok(_) => CopyKind::Version,
        Err(_) => CopyKind::Slot,
    }
}

/// Returns the keys of the indexes. Their values show if they are up to date.
pub fn index_keys(names: impl IntoIterator<Item = ComponentName>) -> Vec<String> {
    names.into_iter().flat_map(|name| indexes_of(&name)).collect()
}

/// Returns the keys of a component's indexes; an index has no `@` form.
fn indexes_of(name: &ComponentName) -> [String; 2] {
    let [tree, slash, _] = keys(name, VERSIONS);
    [tree, slash]
}

/// Returns all keys that should exist, in the safe order.
fn items(catalogs: &BTreeMap<ComponentName, CatalogRecord>) -> Vec<CopyItem> {
    let mut items = Vec::new();
    for (name, catalog) in catalogs {
        for entry in entries(name, catalog) {
            let of = |key| CopyItem {
                key,
                value: CopyValue::Content(entry.snapshot.digest),
                metadata: Some(entry.metadata.clone()),
            };
            let kind = kind(&entry.reference);
            items.extend(keys(name, &entry.reference).map(|key| (kind, of(key))));
        }
        let text = versions_index(catalog);
        let index = |key| CopyItem { key, value: CopyValue::Index(text.clone()), metadata: None };
        items.extend(indexes_of(name).map(|key| (CopyKind::Index, index(key))));
    }
    items.sort_by_key(|(kind, _)| *kind);
    items.into_iter().map(|(_, item)| item).collect()
}

/// Plans the changes to a namespace, so that Conductor finds the state in `catalogs` there.
///
/// With `only`, keys of other components are ignored. With `prune`, copies without a tag are
/// deleted, but not if they are more than half of all copies, unless `allow_mass_delete` is
/// set.
pub fn layout(
    catalogs: &BTreeMap<ComponentName, CatalogRecord>,
    held: &HeldCopies,
    only: &[ComponentName],
    prune: bool,
    allow_mass_delete: bool,
) -> CopyPlan {
    let mut layout = CopyPlan::default();
    let items = items(catalogs);
    let wanted: BTreeSet<&str> = items.iter().map(|item| item.key.as_str()).collect();
    let (mut gone, mut copies) = (Vec::new(), 0);
    for (key, metadata) in &held.keys {
        let Some((name, kind)) = copy_of(key) else {
            layout.foreign += 1;
            continue;
        };
        if !only.is_empty() && !only.contains(&name) {
            continue;
        }
        let own = wanted.contains(key.as_str()) || is_own(metadata.as_ref(), kind, &name, held);
        match (own, wanted.contains(key.as_str())) {
            (false, _) => layout.foreign += 1,
            (true, true) => copies += 1,
            (true, false) => {
                copies += 1;
                gone.push((kind, key.clone()));
            }
        }
    }
    gone.sort_by(|(a, _), (b, _)| b.cmp(a));
    let gone: Vec<String> = gone.into_iter().map(|(_, key)| key).collect();
    if prune && !allow_mass_delete && 2 * gone.len() > copies {
        layout.blocked = Some(too_much(gone.len(), copies));
    }
    *(if prune { &mut layout.deletions } else { &mut layout.kept }) = gone;
    for item in items {
        match is_there(&item, held) {
            true => layout.unchanged += 1,
            false => layout.writes.push(item),
        }
    }
    layout
}

fn too_much(gone: usize, copies: usize) -> Notice {
    Notice {
        subject: "layout".to_owned(),
        what: format!("{gone} of the {copies} copies for Conductor would be deleted"),
        help: Some("if this is intended: --prune --allow-mass-delete".to_owned()),
    }
}

/// Returns the component that a key is a copy of, by the form of the key only.
fn copy_of(key: &str) -> Option<(ComponentName, CopyKind)> {
    let written = |name: &ComponentName, reference: &str| {
        keys(name, reference).iter().any(|form| form == key)
    };
    meanings(key).into_iter().find_map(|meaning| {
        let (name, reference) = match meaning {
            Meaning::Versions(name) => (name, VERSIONS.to_owned()),
            Meaning::Content(name, reference) => (name, reference.to_string()),
        };
        written(&name, &reference).then(|| (name, kind(&reference)))
    })
}

/// Tells if a sync wrote the key: its metadata has a digest. An index has none, so the keys
/// beside it decide.
fn is_own(metadata: Option<&Json>, of: CopyKind, name: &ComponentName, held: &HeldCopies) -> bool {
    let named = |metadata: &Json| metadata.get("digest").is_some_and(Json::is_string);
    if of != CopyKind::Index {
        return metadata.is_some_and(named);
    }
    let prefix = format!("{name}@");
    let beside = held.keys.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
    beside.into_iter().any(|(_, metadata)| metadata.as_ref().is_some_and(named))
}

fn is_there(item: &CopyItem, held: &HeldCopies) -> bool {
    match (&item.value, &item.metadata) {
        (CopyValue::Index(text), _) => held.indexes.get(&item.key) == Some(text),
        (CopyValue::Content(_), metadata) => {
            let wanted = serde_json::to_value(metadata).ok();
            held.keys.get(&item.key).is_some_and(|there| there.is_some() && *there == wanted)
        }
    }
}

#[cfg(test)]
mod tests;
