//! Reads the tags of one component or of all, without their files; and finds one file.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use catalog::name::ComponentName;
use catalog::version::Version;
use gix_hash::ObjectId;
use reconcile::compile::{Peeled, Tag, TaggedVersion, Unpeelable, WantedVersion, stands};
use reconcile::source::path::RepoPath;
use reconcile::source::{CommitFiles as _, FileProblem, Located, Sought, TreeEntry, locate};
use reconcile::tag::{Prefix, RefReading, TagName, TagTarget, read_ref};

use super::peel::Peeler;
use super::registries::Registries;
use super::store::{Halt, Needs, ObjectCache, View, unread};
use crate::nearest::probably;
use git::Repository;
use git::objects::Objects;

/// A tag of a component and the object that its ref leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tagged {
    /// The tag object of an annotated tag, else the commit.
    pub(crate) id: ObjectId,
    /// The tag's name, and the commit to which it leads.
    pub(crate) tag: Tag,
}

/// Reads the tags under a prefix, of one component or of all, sorted by name. Skips tags
/// with other names: `sync` reports them.
pub(crate) fn read_tags(
    repository: &Repository,
    prefix: Prefix,
    component: Option<&ComponentName>,
) -> Result<Vec<Tagged>> {
    let named = read_names(repository, prefix, component)?;
    let mut peeler = Peeler::new(repository.hash);
    let ids = named.iter().map(|(id, _)| *id).collect();
    peeler.load(&mut Objects::of(repository), ids, &|_| ())?;
    let tagged = |(id, name)| Tagged { id, tag: Tag { name, target: peeler.peel(id) } };
    let mut tags: Vec<Tagged> = named.into_iter().map(tagged).collect();
    tags.sort_by(|a, b| a.tag.name.cmp(&b.tag.name));
    Ok(tags)
}

/// Lists the names of the tags under a prefix, of one component or of all, each with the id of its
/// object. Skips tags with other names.
pub(crate) fn read_names(
    repository: &Repository,
    prefix: Prefix,
    component: Option<&ComponentName>,
) -> Result<Vec<(ObjectId, TagName)>> {
    let folder = match component {
        Some(component) => format!("refs/tags/{}/{component}", prefix.as_str()),
        None => format!("refs/tags/{}", prefix.as_str()),
    };
    let mut named = Vec::new();
    for found in git::refs::list(repository, &[&folder])?.refs {
        if let RefReading::Tag(name) = read_ref(&found.name)
            && component.is_none_or(|component| *component == name.component)
        {
            named.push((found.id, name));
        }
    }
    Ok(named)
}

/// Returns the nearest component that has a tag in the clone, for one that was probably mistyped.
pub(crate) fn nearest_component(
    repository: &Repository,
    prefix: Prefix,
    name: &ComponentName,
) -> Result<Option<ComponentName>> {
    let named = read_names(repository, prefix, None)?;
    let near = probably(name.as_str(), named.iter().map(|(_, tag)| tag.component.as_str()));
    let near = near.map(str::to_owned);
    Ok(named
        .into_iter()
        .map(|(_, tag)| tag.component)
        .find(|component| near.as_deref() == Some(component.as_str())))
}

/// Returns the version of a tag among the tags of its component; `None` if it can't be read.
pub(crate) fn standing(tagged: &Tagged, tags: &[Tag]) -> Option<TaggedVersion> {
    let peeled = tagged.tag.target.as_ref().ok()?;
    Some(match &tagged.tag.name.target {
        TagTarget::Version(version) => TaggedVersion { version: version.clone(), lost: None },
        TagTarget::Slot(_) => stands(&tagged.tag.name, peeled, tags),
    })
}

/// The file that is looked for, and the source of its path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileOf<'a> {
    /// The prefix of the component: hot-swappable or logic.
    pub(crate) prefix: Prefix,
    /// The component.
    pub(crate) component: &'a ComponentName,
    /// The path, if the caller names one.
    pub(crate) path: Option<&'a RepoPath>,
    /// A registry that is read first.
    pub(crate) registry: Option<&'a Path>,
}

/// Finds a component's file in a commit, by the same rules as `sync`.
pub(crate) fn find_file(
    repository: &Repository,
    file: FileOf<'_>,
    commit: ObjectId,
) -> Result<Result<Located<ObjectId>, FileProblem>> {
    let mut objects = Objects::of(repository);
    let mut peeler = Peeler::new(repository.hash);
    let mut registries = Registries::open(repository, file.registry)?;
    let head = repository.head();
    peeler.load(&mut objects, std::iter::once(commit).chain(head).collect(), &|_| ())?;
    (registries.head, registries.tip) = (head.and_then(|head| peeler.tree_of(head)), head);
    let (Some(root), Ok(peeled)) = (peeler.tree_of(commit), peeler.peel(commit)) else {
        return Ok(Err(unread("the commit")));
    };
    let wanted = WantedVersion {
        component: file.component.clone(),
        version: Version::Commit(peeled.commit.id.clone()),
        commit: Arc::clone(&peeled.commit),
        trailer: None,
        recorded: None,
    };
    let mut store = ObjectCache::default();
    loop {
        let (used, id) = match look(file, &View { store: &store, registries: &registries, root }) {
            Ok(located) => return Ok(Ok(located)),
            Err(Halt::Failed(problem)) => return Ok(Err(problem)),
            Err(Halt::Need(used, id)) => (used, id),
        };
        store.read(&mut objects, &mut registries, &Needs::from([((used, id), &wanted)]))?;
    }
}

fn look(file: FileOf<'_>, view: &View<'_>) -> Result<Located<ObjectId>, Halt> {
    let Some(path) = file.path else {
        let sought =
            Sought { prefix: file.prefix, name: file.component, trailer: None, recorded: None };
        return locate(sought, view);
    };
    let (folder, name) = path.split();
    let refused = |what| FileProblem::refused(what, "name a file of the commit with --path");
    match view.entry(folder, name)? {
        TreeEntry::File(id) => Ok(Located { path: path.as_str().to_owned(), id }),
        TreeEntry::Absent => Err(refused(format!("its commit has no file {path}")).into()),
        TreeEntry::Other(kind, _) => {
            Err(refused(format!("{path} is {kind} in that commit")).into())
        }
    }
}

/// Follows an object, which the ref of another repository may have named, to its commit.
pub(crate) fn read_object(
    repository: &Repository,
    id: ObjectId,
) -> Result<Result<Peeled, Unpeelable>> {
    let mut peeler = Peeler::new(repository.hash);
    peeler.load(&mut Objects::of(repository), vec![id], &|_| ())?;
    Ok(peeler.peel(id))
}
