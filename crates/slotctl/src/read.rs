//! From a local Git repository to what Workers KV should hold.
//!
//! What the tags mean is `catalog`'s ([`catalog::tag`], [`catalog::source`],
//! [`catalog::compile`]); here is the order in which the repository is read for
//! it: refs, tag objects and commits, trees and registries, contents.

mod contents;
mod files;
mod peel;
mod registries;
mod rollouts;
mod state;
mod store;
pub(crate) mod tags;
mod trees;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use catalog::compile::{Compiled, Tag, outline};
use catalog::desired::Desired;
use catalog::digest::Digest;
use catalog::name::ComponentName;
use catalog::notice::{Notice, printable};
use catalog::policy;
use catalog::record::MAX_VALUE;
use catalog::tag::{RefReading, TagName, read_ref};
use catalog::version::CommitId;
use gix_hash::ObjectId;

pub(crate) use self::rollouts::Rollouts;
pub(crate) use self::state::State;
pub(crate) use catalog::compile::LogicTag;

use self::contents::read_contents;
use self::files::locate_all;
use self::peel::Peeler;
use self::registries::Registries;
use crate::git::Repository;
use crate::git::objects::{Answer, Ask, Objects};
use crate::git::refs::{Ref, Refs};

/// Where a content's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A blob in the object database.
    Git(ObjectId),
    /// A file that Git LFS keeps beside it.
    Lfs(PathBuf),
}

/// A content that can be read when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlobSource {
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Where it is.
    pub(crate) place: Place,
}

/// Reads contents, one at a time.
pub(crate) trait Blobs {
    /// The bytes of a content, exactly as they are stored.
    fn read(&mut self, source: &BlobSource) -> Result<Vec<u8>>;
}

/// What a repository says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// What Workers KV should hold.
    pub(crate) desired: Desired,
    /// Every content that `desired` names.
    pub(crate) contents: BTreeMap<Digest, BlobSource>,
    /// What was skipped or decided in a way that its owner may not expect.
    pub(crate) warnings: Vec<Notice>,
    /// What should be served and can't be; mistakes in `rollouts.toml` first.
    pub(crate) refused: Vec<Notice>,
    /// How slots share out their traffic, and where that was read.
    pub(crate) rollouts: Rollouts,
    /// The tags under `logic/`.
    pub(crate) logic: Vec<LogicTag>,
    /// Which state of the repository that is.
    pub(crate) state: State,
    /// The commit that HEAD is at; none where its branch has no commit yet.
    pub(crate) head: Option<CommitId>,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What is being read, in the plural: "tags", "files", "contents".
    pub(crate) what: &'static str,
    /// How many are done.
    pub(crate) done: usize,
    /// Out of how many.
    pub(crate) total: usize,
}

/// Who is told how far the reading is.
pub(crate) type Report<'a> = &'a dyn Fn(Progress);

/// Which part of a repository is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part<'a> {
    /// These components alone; none for all of them.
    pub(crate) only: &'a [ComponentName],
    /// With this in place of the default branch's `rollouts.toml`.
    pub(crate) rollouts: Option<Rollouts>,
}

/// Reads the repository that `repo` is, or lies in, or a part of it.
///
/// `registry` names a file in the shape of `.edgit/components.json` that is asked
/// before those of the repository. Only what makes all of the repository
/// unreadable is an error; what is wrong with one tag is a notice.
pub(crate) fn read_part(
    repo: &Path,
    registry: Option<&Path>,
    part: Part<'_>,
    progress: Report<'_>,
) -> Result<Reading> {
    let repository = Repository::open(repo)?;
    let mut registries = Registries::open(&repository, registry)?;
    let mut objects = Objects::of(&repository);
    let mut peeler = Peeler::new(repository.hash);
    let head = repository.head();

    // 1. What the names of the tags say, and where they lead.
    let Refs { refs, broken } = repository.tags(part.only)?;
    let (mut named, mut warnings) = read_names(&refs);
    warnings.extend(broken.iter().map(|name| broken_ref(name)));
    // A component's folder also has those of components below it.
    named.retain(|(name, _)| part.only.is_empty() || part.only.contains(&name.component));
    let ids = named.iter().map(|(_, id)| *id).chain(head);
    peeler.load(&mut objects, ids.collect(), progress)?;
    let tags: Vec<Tag> =
        named.into_iter().map(|(name, id)| Tag { name, target: peeler.peel(id) }).collect();

    // 2. Which files they want, where those are, what is in them.
    let mut outline = outline(&tags);
    registries.head = head.and_then(|head| peeler.tree_of(head));
    let located = locate_all(&mut objects, &peeler, &mut registries, &outline.wanted, progress)?;
    let (files, contents) = read_contents(&repository, &mut objects, located, progress)?;

    // 3. What that makes.
    let mut rollouts = part.rollouts.unwrap_or_else(|| rollouts::read(&repository, &mut objects));
    let state = State::of(&refs, &tags, &rollouts);
    let logic = std::mem::take(&mut outline.logic);
    let mut compiled = outline.compile(files, &rollouts.reading.policy);
    warnings.append(&mut compiled.warnings);
    warnings.append(&mut registries.warnings);
    warnings.append(&mut rollouts.warnings);
    warnings.sort();
    let refused = with_policy(&mut compiled, &mut rollouts, part.only);
    let broken = broken.iter().filter_map(|name| match read_ref(name) {
        RefReading::Tag(name) => Some(name),
        RefReading::Malformed(_) | RefReading::Ignored => None,
    });
    let broken: Vec<TagName> = broken.collect();
    compiled.desired.note_unserved(tags.iter().map(|tag| &tag.name).chain(&broken));
    let desired = compiled.desired;
    let head = head.and_then(|head| head.to_string().parse().ok());
    Ok(Reading { desired, contents, warnings, refused, rollouts, logic, state, head })
}

/// Puts the policy into what the tags make; returns all that can't be served.
fn with_policy(
    compiled: &mut Compiled,
    rollouts: &mut Rollouts,
    only: &[ComponentName],
) -> Vec<Notice> {
    if !only.is_empty() {
        rollouts.reading.restrict(only);
    }
    let Compiled { desired, refused, .. } = compiled;
    let errors = policy::apply(&rollouts.reading, rollouts.change.as_ref(), desired);
    refused.sort();
    errors.iter().map(Notice::from).chain(refused.drain(..)).collect()
}

/// Opens the repository for the contents that a [`Reading`] of it names.
pub(crate) fn open_blobs(repo: &Path) -> Result<Box<dyn Blobs>> {
    Ok(Box::new(RepositoryBlobs { objects: Objects::of(&Repository::open(repo)?) }))
}

struct RepositoryBlobs {
    objects: Objects,
}

impl Blobs for RepositoryBlobs {
    fn read(&mut self, source: &BlobSource) -> Result<Vec<u8>> {
        let bytes = match &source.place {
            Place::Git(id) => match self.objects.ask_one(Ask::Contents(MAX_VALUE), *id)? {
                Answer::Found { body, .. } => body,
                _ => bail!("the object {id} can't be read any more: was the repository repacked?"),
            },
            Place::Lfs(path) => {
                std::fs::read(path).with_context(|| format!("{} can't be read", path.display()))?
            }
        };
        match bytes.len() as u64 == source.size {
            true => Ok(bytes),
            false => bail!("a content changed while it was read: run the sync again"),
        }
    }
}

type Named = (TagName, ObjectId);

fn read_names(refs: &[Ref]) -> (Vec<Named>, Vec<Notice>) {
    let (mut named, mut malformed) = (Vec::with_capacity(refs.len()), Vec::new());
    for Ref { name, id } in refs {
        match read_ref(name) {
            RefReading::Tag(tag) => named.push((tag, *id)),
            RefReading::Malformed(notice) => malformed.push(notice),
            RefReading::Ignored => {}
        }
    }
    (named, malformed)
}

fn broken_ref(full_name: &[u8]) -> Notice {
    Notice {
        subject: printable(full_name.strip_prefix(b"refs/tags/").unwrap_or(full_name)),
        what: "skipped: Git itself calls the ref broken".to_owned(),
        help: Some("delete it, or fetch it again: git fetch --tags --force".to_owned()),
    }
}

#[cfg(test)]
mod tests;
