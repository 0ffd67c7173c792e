//! Finds the wanted files.
//!
//! [`reconcile::source::locate`] decides, and stops if it needs a tree or a registry that
//! is not in memory. The needs of many files are read together and the files tried
//! again, so that Git is asked in batches however deep the folders are.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use catalog::version::CommitId;
use gix_hash::ObjectId;
use reconcile::compile::WantedVersion;
use reconcile::source::{FileProblem, Located, Sought, locate};
use reconcile::tag::Prefix;

use super::model::{OnProgress, ReadProgress};
use super::peel::Peeler;
use super::registries::Registries;
use super::store::{Halt, Needs, ObjectCache, View, unread};
use git::objects::Objects;

/// The number of files that are looked for at a time. It bounds the memory that is used if
/// every version has a large tree of its own.
const TOGETHER: usize = 256;

/// The place of a file, or the problem with it.
pub(super) type LocatedFile = Result<Located<ObjectId>, FileProblem>;

/// The files found so far, by their indexes in the wanted files.
type ByPlace = BTreeMap<usize, LocatedFile>;

/// A wanted file that is not found yet: its index, the file, the tree of its commit.
type Open<'a> = (usize, &'a WantedVersion, ObjectId);

/// Looks for files.
pub(super) struct Finder<'a> {
    pub(super) objects: &'a mut Objects,
    pub(super) peeler: &'a Peeler,
    pub(super) registries: &'a mut Registries,
    pub(super) store: ObjectCache,
    pub(super) progress: OnProgress<'a>,
}

impl Finder<'_> {
    /// Finds the files of all wanted versions, in their order.
    pub(super) fn locate_all(&mut self, wanted: &[&WantedVersion]) -> Result<Vec<LocatedFile>> {
        let mut found = ByPlace::new();
        self.objects.bring_trees(&roots(wanted, self.peeler))?;
        for group in by_date(wanted).chunks(TOGETHER) {
            let mut open = with_trees(group, self.peeler, &mut found);
            while !open.is_empty() {
                let needs = try_all(&mut open, &self.store, self.registries, &mut found);
                self.store.read(self.objects, self.registries, &needs)?;
            }
            self.store.drop_if_large();
            let (done, total) = (found.len(), wanted.len());
            (self.progress)(ReadProgress { what: "files", done, total });
        }
        Ok(found.into_values().collect())
    }
}

/// Returns the commits of the wanted files, each with its tree.
fn roots(wanted: &[&WantedVersion], peeler: &Peeler) -> Vec<(ObjectId, ObjectId)> {
    let commits: BTreeSet<&CommitId> = wanted.iter().map(|wanted| &wanted.commit.id).collect();
    let ids = commits.iter().filter_map(|id| ObjectId::from_hex(id.as_str().as_bytes()).ok());
    ids.filter_map(|id| Some((id, peeler.tree_of(id)?))).collect()
}

/// Sorts the wanted files by the time of their commits: commits next to each other share most
/// of their trees, and Git stores the rest as differences between them.
fn by_date<'a>(wanted: &[&'a WantedVersion]) -> Vec<(usize, &'a WantedVersion)> {
    let mut sorted: Vec<(usize, &WantedVersion)> = wanted.iter().copied().enumerate().collect();
    sorted.sort_by_key(|(_, wanted)| (wanted.commit.committer.time, &wanted.commit.id));
    sorted
}

fn with_trees<'a>(
    group: &[(usize, &'a WantedVersion)],
    peeler: &Peeler,
    found: &mut ByPlace,
) -> Vec<Open<'a>> {
    let mut open = Vec::with_capacity(group.len());
    for (at, wanted) in group {
        let id = ObjectId::from_hex(wanted.commit.id.as_str().as_bytes()).ok();
        match id.and_then(|id| peeler.tree_of(id)) {
            Some(tree) => open.push((*at, *wanted, tree)),
            None => drop(found.insert(*at, Err(unread("its commit")))),
        }
    }
    open
}

/// Tries to locate every open file; returns the needs of those that stay open.
fn try_all<'a>(
    open: &mut Vec<Open<'a>>,
    store: &ObjectCache,
    registries: &Registries,
    found: &mut ByPlace,
) -> Needs<'a> {
    let mut needs = Needs::new();
    open.retain(|(at, wanted, root)| {
        let result = match look_for(wanted, &View { store, registries, root: *root }) {
            Ok(located) => Ok(located),
            Err(Halt::Failed(problem)) => Err(problem),
            Err(Halt::Need(used, id)) => {
                needs.entry((used, id)).or_insert(*wanted);
                return true;
            }
        };
        found.insert(*at, result);
        false
    });
    needs
}

fn look_for(wanted: &WantedVersion, view: &View<'_>) -> Result<Located<ObjectId>, Halt> {
    let sought = Sought {
        prefix: Prefix::Components,
        name: &wanted.component,
        trailer: wanted.trailer.as_ref(),
        recorded: wanted.recorded.as_ref(),
    };
    locate(sought, view)
}
