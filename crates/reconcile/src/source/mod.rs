//! The search for the file of a component.
//!
//! Sources that never change come first. The first source that names a file wins: (1) the
//! trailer `Component-Path` in the tag's message; (2) the record of a version at the same
//! commit in Workers KV; (3) the registry that the caller gave; (4) `.edgit/components.json` in
//! the tagged commit; (5) its history, newest first; (6) convention; (7) the registry at HEAD,
//! then the registry in the work tree.
//!
//! The trailer comes before the record. So a version tag that was made again with another file
//! is found to be a changed version, which the plan refuses.
//!
//! The file in a trailer must exist. A registry describes the present, so an entry is ignored
//! if its path does not exist in the commit: a component that was moved keeps its old versions.
//! A path that leads out of the commit, or to something other than a file, is refused from
//! every source.

mod alike;
pub mod convention;
mod files;
pub mod path;
mod problem;
pub mod registry;
pub mod trailer;

use std::collections::BTreeMap;

pub use self::alike::is_alike;
pub use self::files::{CommitFiles, RegistryOrigin, TreeEntry, TreeListing};
pub use self::problem::{FileProblem, Grade, NotAFile};

use self::alike::{alike, alike_candidate};
use self::path::RepoPath;
use self::problem::{ambiguous, not_a_file, nothing_there};

use self::trailer::TrailerPath;
use crate::tag::Prefix;
use catalog::name::ComponentName;

/// A component's file in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<Id> {
    /// The path in the commit.
    pub path: String,
    /// The file's content.
    pub id: Id,
}

/// The component whose file is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// The prefix of its tags: hot-swappable or logic.
    pub prefix: Prefix,
    /// The component.
    pub name: &'a ComponentName,
    /// The path in the trailer of its tag.
    pub trailer: Option<&'a TrailerPath>,
    /// The path that Workers KV records for a version at the same commit.
    pub recorded: Option<&'a RepoPath>,
}

/// Finds the file of a component in a commit.
///
/// # Errors
///
/// [`CommitFiles::Halt`] if the files cannot be read.
pub fn locate<F: CommitFiles>(sought: Sought<'_>, files: &F) -> Result<Located<F::Id>, F::Halt> {
    if let Some(trailer) = sought.trailer {
        return by_trailer(trailer, files);
    }
    if let Some(located) = by_paths(sought.recorded, files)? {
        return Ok(located);
    }
    let mut looked_for = Vec::new();
    for origin in [RegistryOrigin::Given, RegistryOrigin::TaggedCommit] {
        if let Some(located) = by_registry(origin, sought.name, files, &mut looked_for)? {
            return Ok(located);
        }
    }
    if let Some(located) = by_paths(&files.history()?.paths_of(sought.name), files)? {
        return Ok(located);
    }
    let candidates = by_convention(sought, files)?;
    if let [(path, TreeEntry::File(id))] = candidates.as_slice() {
        return Ok(Located { path: path.clone(), id: id.clone() });
    }
    for origin in [RegistryOrigin::Head, RegistryOrigin::WorkTree] {
        if let Some(located) = by_registry(origin, sought.name, files, &mut looked_for)? {
            return Ok(located);
        }
    }
    let mut named = Vec::new();
    for (path, origin) in looked_for {
        named.push(format!("{path} ({origin}){}", alike(path.as_str(), files)?));
    }
    let alike = match candidates.is_empty() {
        true => alike_candidate(&convention::places(sought.prefix, sought.name), files)?,
        false => String::new(),
    };
    Err(not_located(sought, &candidates, named, &alike).into())
}

/// Returns the file at the first of these paths that is a file.
fn by_paths<'a, F: CommitFiles>(
    paths: impl IntoIterator<Item = &'a RepoPath>,
    files: &F,
) -> Result<Option<Located<F::Id>>, F::Halt> {
    for path in paths {
        let (folder, name) = path.split();
        if let TreeEntry::File(id) = files.entry(folder, name)? {
            return Ok(Some(Located { path: path.as_str().to_owned(), id }));
        }
    }
    Ok(None)
}

fn by_trailer<F: CommitFiles>(trailer: &TrailerPath, files: &F) -> Result<Located<F::Id>, F::Halt> {
    let help = "make the tag again with a `Component-Path` that is a file of the commit";
    let refused = |what: String| F::Halt::from(FileProblem::refused(what, help));
    let path = trailer.as_ref().map_err(|error| refused(format!("its trailer: {error}")))?;
    if let Some(located) = file_at(path, files, "its Component-Path trailer")? {
        return Ok(located);
    }
    let alike = alike(path.as_str(), files)?;
    let what = format!("its Component-Path trailer names {path}, which is not in the commit");
    Err(refused(what + &alike))
}

fn by_registry<F: CommitFiles>(
    origin: RegistryOrigin,
    name: &ComponentName,
    files: &F,
    looked_for: &mut Vec<(RepoPath, RegistryOrigin)>,
) -> Result<Option<Located<F::Id>>, F::Halt> {
    let Some(path) = files.registry(origin)?.and_then(|registry| registry.path_of(name)) else {
        return Ok(None);
    };
    let path = path.map_err(|error| {
        FileProblem::refused(format!("{origin}: {error}"), "correct the entry's path")
    })?;
    let located = file_at(&path, files, &origin.to_string())?;
    if located.is_none() {
        looked_for.push((path, origin));
    }
    Ok(located)
}

/// Returns the file at a path that `source` named; `None` if the path does not exist.
fn file_at<F: CommitFiles>(
    path: &RepoPath,
    files: &F,
    source: &str,
) -> Result<Option<Located<F::Id>>, F::Halt> {
    let (folder, name) = path.split();
    match files.entry(folder, name)? {
        TreeEntry::Absent => Ok(None),
        TreeEntry::File(id) => Ok(Some(Located { path: path.as_str().to_owned(), id })),
        TreeEntry::Other(kind, at) => {
            Err(not_a_file(kind, &at, &format!("{source} names {path}: ")).into())
        }
    }
}

/// Returns the entries that could be the component by convention. Folders are left out.
fn by_convention<F: CommitFiles>(
    sought: Sought<'_>,
    files: &F,
) -> Result<TreeListing<F::Id>, F::Halt> {
    let mut candidates = BTreeMap::new();
    for place in &convention::places(sought.prefix, sought.name) {
        for stem in &place.stems {
            for (name, entry) in files.beginning(&place.folder, &format!("{stem}."))? {
                let folder =
                    matches!(entry, TreeEntry::Absent | TreeEntry::Other(NotAFile::Folder, _));
                if !folder && place.admits(&name) {
                    candidates.insert(format!("{}/{name}", place.folder), entry);
                }
            }
        }
    }
    Ok(candidates.into_iter().collect())
}

/// Returns the reason why no source names exactly one file.
fn not_located<Id>(
    sought: Sought<'_>,
    candidates: &[(String, TreeEntry<Id>)],
    mut looked_for: Vec<String>,
    alike: &str,
) -> FileProblem {
    match candidates {
        [(path, TreeEntry::Other(kind, _))] => not_a_file(*kind, path, ""),
        [] | [_] => {
            let places = convention::places(sought.prefix, sought.name);
            looked_for.extend(places.iter().map(convention::CandidateFiles::pattern));
            nothing_there(&looked_for, alike)
        }
        several => ambiguous(several.iter().map(|(path, _)| path)),
    }
}

#[cfg(test)]
mod tests;
