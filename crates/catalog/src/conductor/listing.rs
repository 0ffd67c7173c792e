//! The keys of a namespace for Conductor, as a listing shows them.

use super::meaning::{TREE, VERSIONS};
use super::metadata::Metadata;
use crate::assign::Assignment;
use crate::name::ComponentName;
use crate::record::{Arm, CatalogRecord, FULL_WEIGHT, SlotRecord, Snapshot, Target, VersionRecord};

/// A version or a slot of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `v1.1.0`, `production`.
    pub reference: String,
    /// Its version.
    pub snapshot: Snapshot,
    /// Its metadata.
    pub metadata: Metadata,
}

/// Lists the versions of a component, lowest first, then its slots. Revoked versions are left
/// out.
///
/// The version of a split slot is its own version, else the version with the largest share,
/// because a listing has no caller.
pub fn entries(name: &ComponentName, catalog: &CatalogRecord) -> Vec<Entry> {
    let author = |snapshot: &Snapshot| {
        let mut same = catalog.versions.iter();
        let same = same.find(|record| record.snapshot.version == snapshot.version);
        same.map(|record| record.author.as_str())
    };
    let version = |record: &VersionRecord| Entry {
        reference: record.snapshot.version.to_string(),
        snapshot: record.snapshot.clone(),
        metadata: Metadata::of(name, &record.snapshot, Some(&record.author)),
    };
    let live = catalog.versions.iter().filter(|record| record.revoked.is_none());
    let slots = catalog.slots.iter().filter_map(|(slot, entry)| {
        let (arm, assignment) = steady(&entry.record)?;
        let metadata = Metadata::of(name, &arm.snapshot, author(&arm.snapshot));
        Some(Entry {
            reference: slot.to_string(),
            snapshot: arm.snapshot.clone(),
            metadata: metadata.by(arm.slot.clone(), assignment),
        })
    });
    live.map(version).chain(slots).collect()
}

/// Returns the version of a slot without a known caller.
fn steady(record: &SlotRecord) -> Option<(&Arm, Option<Assignment>)> {
    let sole = record.targets.iter().find(|target| target.weight == FULL_WEIGHT);
    if let Some(Target { arm, .. }) = sole {
        return Some((arm, Some(Assignment::Sole)));
    }
    let heaviest = record.targets.iter().rev().max_by_key(|target| target.weight);
    record.lead().or(heaviest.map(|target| &target.arm)).map(|arm| (arm, None))
}

/// Returns the value of `<type>/<name>/_versions`: the releases and pre-releases, lowest first,
/// as a JSON array.
pub fn versions_index(catalog: &CatalogRecord) -> String {
    let live = catalog.versions.iter().filter(|record| record.revoked.is_none());
    let named = live.filter(|record| record.snapshot.version.semver().is_some());
    let names: Vec<String> = named.map(|record| record.snapshot.version.to_string()).collect();
    serde_json::to_string(&names).unwrap_or_default()
}

/// Returns the keys under which Conductor looks up a reference of a component.
pub fn keys(name: &ComponentName, reference: &str) -> [String; 3] {
    stems(name).map(|stem| format!("{stem}{reference}"))
}

/// Returns the prefixes of a component's keys. The index has no key with the last one.
fn stems(name: &ComponentName) -> [String; 3] {
    [format!("{TREE}{name}/"), format!("{name}/"), format!("{name}@")]
}

/// Keys, or their parts after a stem, each with its metadata.
pub type Keys = Vec<(String, Option<Metadata>)>;

/// A page of keys in the order of their bytes, built without I/O: it names the catalog records
/// that it needs next and receives them.
#[derive(Debug)]
pub struct Listing {
    prefix: String,
    after: String,
    limit: usize,
    names: Vec<ComponentName>,
    /// The prefixes of keys and the places of their components, the next one last.
    stems: Vec<(String, usize)>,
    /// The keys after a component's stems, if they are loaded.
    loaded: Vec<Option<Keys>>,
    /// Keys, the next one last, each with the place of its metadata in `metadata`.
    pending: Vec<(String, usize)>,
    metadata: Vec<Option<Metadata>>,
    page: Page,
}

/// The keys of a page, each with its metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of their bytes.
    pub keys: Keys,
    /// More keys follow the last one.
    pub more: bool,
}

impl Listing {
    /// Begins a page of at most `limit` keys of these components. The keys begin with `prefix`
    /// and follow `after`.
    pub fn new(names: &[ComponentName], prefix: &str, after: &str, limit: usize) -> Self {
        let may_match = |stem: &str| {
            (stem.starts_with(prefix) || prefix.starts_with(stem))
                && (stem >= after || after.starts_with(stem))
        };
        let all = names.iter().enumerate();
        let all = all.flat_map(|(at, name)| stems(name).map(|stem| (stem, at)));
        let mut stems: Vec<(String, usize)> = all.filter(|(stem, _)| may_match(stem)).collect();
        last_first(&mut stems);
        Self {
            prefix: prefix.to_owned(),
            after: after.to_owned(),
            limit,
            names: names.to_vec(),
            stems,
            loaded: vec![None; names.len()],
            pending: Vec::new(),
            metadata: Vec::new(),
            page: Page::default(),
        }
    }

    /// Returns the components whose catalog records are needed next, at most `most`. The list
    /// is empty once the page is complete.
    pub fn wants(&mut self, most: usize) -> Vec<ComponentName> {
        loop {
            while let Some((stem, at)) = self.due() {
                let Some(Some(keys)) = self.loaded.get(at) else { return self.unknown(most) };
                for (reference, metadata) in keys {
                    let key = format!("{stem}{reference}");
                    let indexed = metadata.is_some() || stem.ends_with('/');
                    if indexed && key.starts_with(&self.prefix) && key > self.after {
                        self.pending.push((key, self.metadata.len()));
                        self.metadata.push(metadata.clone());
                    }
                }
                last_first(&mut self.pending);
                self.stems.pop();
            }
            let Some((key, at)) = self.pending.pop() else { return Vec::new() };
            if self.page.keys.len() == self.limit {
                self.page.more = true;
                return Vec::new();
            }
            self.page.keys.push((key, self.metadata.get_mut(at).and_then(Option::take)));
        }
    }

    /// Returns the next stem if one of its keys can precede all pending keys.
    fn due(&self) -> Option<(String, usize)> {
        let next = self.stems.last()?;
        let first = self.pending.last();
        first.is_none_or(|(key, _)| next.0 <= *key).then(|| next.clone())
    }

    fn unknown(&self, most: usize) -> Vec<ComponentName> {
        let mut wanted: Vec<usize> = Vec::new();
        for (_, at) in self.stems.iter().rev() {
            let known = self.loaded.get(*at).is_some_and(Option::is_some);
            if wanted.len() < most && !known && !wanted.contains(at) {
                wanted.push(*at);
            }
        }
        wanted.into_iter().filter_map(|at| self.names.get(at).cloned()).collect()
    }

    /// Receives the catalog record of a component, or `None` if it has no record.
    pub fn supply(&mut self, name: &ComponentName, catalog: Option<&CatalogRecord>) {
        let mut keys = Keys::new();
        if let Some(catalog) = catalog {
            let described = |entry: Entry| (entry.reference, Some(entry.metadata));
            keys.extend(entries(name, catalog).into_iter().map(described));
            keys.push((VERSIONS.to_owned(), None));
        }
        let at = self.names.iter().position(|known| known == name);
        if let Some(loaded) = at.and_then(|at| self.loaded.get_mut(at)) {
            *loaded = Some(keys);
        }
    }

    /// Returns the page.
    pub fn finish(self) -> Page {
        self.page
    }
}

/// Sorts keys in descending order. One function keeps a single instance of the sort in the
/// Wasm.
fn last_first(keys: &mut [(String, usize)]) {
    keys.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
}
