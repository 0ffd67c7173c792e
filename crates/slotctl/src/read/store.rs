//! Keeps trees and registries in memory, and shows commits as far as they were read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::Result;
use gix_hash::ObjectId;
use gix_object::Kind;
use reconcile::compile::WantedVersion;
use reconcile::source::registry::{History, PATH, Registry};
use reconcile::source::{
    CommitFiles, FileProblem, NotAFile, RegistryOrigin, TreeEntry, TreeListing,
};

use super::registries::{MAX_REGISTRY, Registries};
use super::trees::{Tree, entry};
use git::objects::{ObjectAnswer, ObjectRequest, Objects};

/// The size in bytes above which trees and registries in memory are dropped.
const MAX_KEPT: usize = 64 * 1024 * 1024;

/// The largest tree that is read, in bytes: about a million entries.
const MAX_TREE: u64 = 64 * 1024 * 1024;

/// The reason why a file can't be located yet, or at all.
pub(super) enum Halt {
    /// This object must be read first.
    Need(Use, ObjectId),
    /// There is no file that can be served.
    Failed(FileProblem),
}

/// The way in which a needed object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Use {
    Tree,
    Registry,
    /// All registries in the history; the id is null.
    History,
}

/// The objects that must be read, each with a file that needs it.
pub(super) type Needs<'a> = BTreeMap<(Use, ObjectId), &'a WantedVersion>;

impl From<FileProblem> for Halt {
    fn from(problem: FileProblem) -> Self {
        Self::Failed(problem)
    }
}

/// An object that was read.
enum CachedObject {
    Tree(Tree),
    Registry(Arc<Registry>),
    /// A registry with a mistake in it, which was reported to the user.
    Nothing,
    Failed(FileProblem),
}

/// The objects of the repository that were read.
#[derive(Default)]
pub(super) struct ObjectCache {
    known: HashMap<(Use, ObjectId), CachedObject>,
    kept: usize,
}

/// A commit, as far as it was read.
pub(super) struct View<'a> {
    pub(super) store: &'a ObjectCache,
    pub(super) registries: &'a Registries,
    /// The commit's tree.
    pub(super) root: ObjectId,
}

/// Returns the problem of an object that this clone lacks or that is damaged.
pub(super) fn unread(what: &str) -> FileProblem {
    FileProblem::incomplete(
        format!("{what} cannot be read in this clone"),
        "fetch all of the repository: git fetch --unshallow, or --refetch --no-filter in a partial clone; \
         if that is not it, look for damage with git fsck",
    )
}

impl ObjectCache {
    /// Reads the needed objects.
    pub(super) fn read(
        &mut self,
        objects: &mut Objects,
        registries: &mut Registries,
        needs: &Needs<'_>,
    ) -> Result<()> {
        if needs.keys().any(|(used, _)| *used == Use::History) {
            registries.read_history(objects)?;
        }
        let of_use = |used: Use| needs.iter().filter(move |((needed, _), _)| *needed == used);
        let trees: Vec<ObjectId> = of_use(Use::Tree).map(|((_, id), _)| *id).collect();
        objects.ask(ObjectRequest::Contents(MAX_TREE), &trees, &mut |at, answer| {
            if let Some(id) = trees.get(at) {
                self.add(Use::Tree, *id, read_tree(*id, answer));
            }
            Ok(())
        })?;
        let (blobs, first_for): (Vec<ObjectId>, Vec<&WantedVersion>) =
            of_use(Use::Registry).map(|((_, id), wanted)| (*id, *wanted)).unzip();
        objects.ask(ObjectRequest::Contents(MAX_REGISTRY), &blobs, &mut |at, answer| {
            if let (Some(id), Some(wanted)) = (blobs.get(at), first_for.get(at)) {
                let known = read_registry(answer).unwrap_or_else(|why| {
                    let whence = format!("{id} (first met at commit {})", wanted.commit.id);
                    registries.warn(&whence, &why);
                    CachedObject::Nothing
                });
                self.add(Use::Registry, *id, known);
            }
            Ok(())
        })
    }

    fn add(&mut self, used: Use, id: ObjectId, known: CachedObject) {
        self.kept += match &known {
            CachedObject::Tree(tree) => tree.footprint(),
            CachedObject::Registry(registry) => registry.footprint(),
            CachedObject::Nothing | CachedObject::Failed(_) => 0,
        };
        self.known.insert((used, id), known);
    }

    /// Drops the objects in memory once they are large.
    pub(super) fn drop_if_large(&mut self) {
        if self.kept > MAX_KEPT {
            // A mistake in a registry stays known, so that it is reported once.
            self.known.retain(|_, known| matches!(known, CachedObject::Nothing));
            self.kept = 0;
        }
    }
}

fn read_tree(id: ObjectId, answer: ObjectAnswer) -> CachedObject {
    match answer {
        ObjectAnswer::Found { kind: Kind::Tree, body, .. } => match Tree::parse(body, id.kind()) {
            Some(tree) => CachedObject::Tree(tree),
            None => CachedObject::Failed(unread(&format!("the folder {id}, which is malformed,"))),
        },
        _ => CachedObject::Failed(unread(&format!("the folder {id}"))),
    }
}

fn read_registry(answer: ObjectAnswer) -> Result<CachedObject, String> {
    match answer {
        ObjectAnswer::Found { body, .. } => {
            Registry::parse(&body).map(|registry| CachedObject::Registry(Arc::new(registry)))
        }
        ObjectAnswer::TooLarge { .. } => Err("it is over 32 MiB".to_owned()),
        ObjectAnswer::Missing | ObjectAnswer::Unreadable(_) => {
            Ok(CachedObject::Failed(unread("the registry")))
        }
    }
}

/// A folder of a commit.
enum Folder<'a> {
    Tree(&'a Tree),
    Absent,
    /// A parent of the path is an entry whose contents do not belong to the commit.
    Blocked(NotAFile, String),
}

impl View<'_> {
    fn known(&self, used: Use, id: ObjectId) -> Result<&CachedObject, Halt> {
        match self.store.known.get(&(used, id)) {
            None => Err(Halt::Need(used, id)),
            Some(CachedObject::Failed(problem)) => Err(Halt::Failed(problem.clone())),
            Some(known) => Ok(known),
        }
    }

    fn folder(&self, root: ObjectId, path: &str) -> Result<Folder<'_>, Halt> {
        let mut id = root;
        let mut walked = 0;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            walked += segment.len() + 1;
            let CachedObject::Tree(tree) = self.known(Use::Tree, id)? else {
                return Ok(Folder::Absent);
            };
            let at = || path.get(..walked.saturating_sub(1)).unwrap_or(path).to_owned();
            let Some((kind, child)) = tree.find(segment.as_bytes()) else {
                return Ok(Folder::Absent);
            };
            match entry(kind, child, String::new()) {
                TreeEntry::Other(NotAFile::Folder, _) => id = child,
                TreeEntry::Other(kind, _) => return Ok(Folder::Blocked(kind, at())),
                TreeEntry::File(_) | TreeEntry::Absent => return Ok(Folder::Absent),
            }
        }
        match self.known(Use::Tree, id)? {
            CachedObject::Tree(tree) => Ok(Folder::Tree(tree)),
            _ => Ok(Folder::Absent),
        }
    }

    fn entry_in(
        &self,
        root: ObjectId,
        folder: &str,
        name: &str,
    ) -> Result<TreeEntry<ObjectId>, Halt> {
        Ok(match self.folder(root, folder)? {
            Folder::Absent => TreeEntry::Absent,
            Folder::Blocked(kind, at) => TreeEntry::Other(kind, at),
            Folder::Tree(tree) => match tree.find(name.as_bytes()) {
                Some((kind, id)) => entry(kind, id, join(folder, name)),
                None => TreeEntry::Absent,
            },
        })
    }

    /// Returns the registry in a commit; `None` if its path is not a file.
    fn registry_in(&self, root: ObjectId) -> Result<Option<Arc<Registry>>, Halt> {
        let (folder, name) = PATH.rsplit_once('/').unwrap_or(("", PATH));
        let TreeEntry::File(id) = self.entry_in(root, folder, name)? else { return Ok(None) };
        match self.known(Use::Registry, id)? {
            CachedObject::Registry(registry) => Ok(Some(Arc::clone(registry))),
            _ => Ok(None),
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

impl CommitFiles for View<'_> {
    type Id = ObjectId;
    type Halt = Halt;

    fn entry(&self, folder: &str, name: &str) -> Result<TreeEntry<ObjectId>, Halt> {
        self.entry_in(self.root, folder, name)
    }

    fn beginning(&self, folder: &str, start: &str) -> Result<TreeListing<ObjectId>, Halt> {
        let Folder::Tree(tree) = self.folder(self.root, folder)? else { return Ok(Vec::new()) };
        let listed = tree.beginning(start.as_bytes()).filter_map(|found| {
            // A component's name is always UTF-8.
            let name = std::str::from_utf8(found.filename).ok()?;
            let entry = entry(found.mode.kind(), found.oid.to_owned(), join(folder, name));
            Some((name.to_owned(), entry))
        });
        Ok(listed.collect())
    }

    fn history(&self) -> Result<Arc<History>, Halt> {
        let needed = Halt::Need(Use::History, ObjectId::null(self.root.kind()));
        self.registries.history.clone().ok_or(needed)
    }

    fn registry(&self, origin: RegistryOrigin) -> Result<Option<Arc<Registry>>, Halt> {
        match origin {
            RegistryOrigin::Given => Ok(self.registries.given.clone()),
            RegistryOrigin::TaggedCommit => self.registry_in(self.root),
            RegistryOrigin::Head => {
                self.registries.head.map_or(Ok(None), |tree| self.registry_in(tree))
            }
            RegistryOrigin::WorkTree => Ok(self.registries.work_tree.clone()),
        }
    }
}
