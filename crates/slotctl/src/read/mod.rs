//! From a local Git repository to what Workers KV should hold.
//!
//! What the tags mean is `catalog`'s ([`reconcile::tag`], [`reconcile::source`],
//! [`reconcile::compile`]); here is the order in which the repository is read for
//! it: refs, tag objects and commits, trees and registries, contents.

mod contents;
mod files;
mod known;
mod opened;
mod peel;
mod registries;
mod rollouts;
mod state;
mod store;
pub(crate) mod tags;
mod trees;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use catalog::digest::Digest;
use catalog::name::ComponentName;
use catalog::record::MAX_VALUE;
use catalog::version::CommitId;
use gix_hash::ObjectId;
use notice::Notice;
use reconcile::desired::Desired;

pub(crate) use self::known::Known;
pub(crate) use self::opened::Opened;
pub(crate) use self::rollouts::Rollouts;
pub(crate) use self::state::RepositoryState;
pub(crate) use reconcile::compile::LogicTag;

use crate::source::{SharedSource, Source};
use git::objects::{ObjectAnswer, ObjectRequest, Objects};

/// Where a content's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContentPlace {
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
    pub(crate) place: ContentPlace,
}

/// Reads contents, one at a time.
pub(crate) trait Blobs {
    /// The bytes of a content, exactly as they are stored.
    fn read(&mut self, source: &BlobSource) -> Result<Vec<u8>>;
}

/// What a repository says.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Which refs it was made from.
    pub(crate) source: SharedSource,
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
    /// The commit that HEAD is at; none where its branch has no commit yet.
    pub(crate) head: Option<CommitId>,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadProgress {
    /// What is being read, in the plural: "tags", "files", "contents".
    pub(crate) what: &'static str,
    /// How many are done.
    pub(crate) done: usize,
    /// Out of how many.
    pub(crate) total: usize,
}

/// Who is told how far the reading is.
pub(crate) type OnProgress<'a> = &'a dyn Fn(ReadProgress);

/// Which part of a repository is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadPart<'a> {
    /// These components alone; none for all of them.
    pub(crate) only: &'a [ComponentName],
    /// With this in place of the default branch's `rollouts.toml`.
    pub(crate) rollouts: Option<Rollouts>,
}

/// Reads what a source says, or a part of it.
///
/// `registry` names a file in the shape of `.edgit/components.json` that is asked
/// before those of the repository. Only what makes all of the repository
/// unreadable is an error; what is wrong with one tag is a notice.
pub(crate) fn read_part(
    source: &SharedSource,
    registry: Option<&Path>,
    part: ReadPart<'_>,
    progress: OnProgress<'_>,
) -> Result<Reading> {
    let mut opened = Opened::open(Arc::clone(source), registry, part)?;
    opened.read_tags(progress)?;
    opened.read_files(None, progress)
}

/// Opens a source for the contents that a [`Reading`] of it names.
pub(crate) fn open_blobs(source: &Source) -> Box<dyn Blobs> {
    Box::new(RepositoryBlobs { objects: source.objects() })
}

struct RepositoryBlobs {
    objects: Objects,
}

impl Blobs for RepositoryBlobs {
    fn read(&mut self, source: &BlobSource) -> Result<Vec<u8>> {
        let bytes = match &source.place {
            ContentPlace::Git(id) => match self
                .objects
                .ask_one(ObjectRequest::Contents(MAX_VALUE), *id)?
            {
                ObjectAnswer::Found { body, .. } => body,
                _ => bail!("the object {id} cannot be read any more: was the repository repacked?"),
            },
            ContentPlace::Lfs(path) => {
                std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?
            }
        };
        match bytes.len() as u64 == source.size {
            true => Ok(bytes),
            false => bail!("a content changed while it was read: run the sync again"),
        }
    }
}

#[cfg(test)]
mod tests;
