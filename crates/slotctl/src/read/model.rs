//! The input and the result of reading a repository.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use catalog::digest::Digest;
use catalog::name::ComponentName;
use catalog::version::CommitId;
use gix_hash::ObjectId;
use notice::Notice;
use reconcile::compile::LogicTag;
use reconcile::desired::Desired;

use super::rollouts::Rollouts;
use crate::source::SharedSource;

/// The place of a content's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContentPlace {
    /// A blob in the object database.
    Git(ObjectId),
    /// A file in the storage of Git LFS.
    Lfs(PathBuf),
}

/// A content that can be read when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlobSource {
    /// The size in bytes.
    pub(crate) size: u64,
    /// The place of the bytes.
    pub(crate) place: ContentPlace,
}

/// Reads contents, one at a time.
pub(crate) trait Blobs {
    /// Returns the bytes of a content, exactly as they are stored.
    fn read(&mut self, source: &BlobSource) -> Result<Vec<u8>>;
}

/// The result of reading a repository.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// The refs that it was made from.
    pub(crate) source: SharedSource,
    /// The state that Workers KV should have.
    pub(crate) desired: Desired,
    /// Every content that `desired` names.
    pub(crate) contents: BTreeMap<Digest, BlobSource>,
    /// Notices of tags that were skipped, and of decisions that their owner may not expect.
    pub(crate) warnings: Vec<Notice>,
    /// Versions and slots that should be served and cannot be; mistakes in `rollouts.toml` first.
    pub(crate) refused: Vec<Notice>,
    /// The policy of the slots' traffic, and the place where it was read.
    pub(crate) rollouts: Rollouts,
    /// The tags under `logic/`.
    pub(crate) logic: Vec<LogicTag>,
    /// The commit of HEAD, if its branch has one.
    pub(crate) head: Option<CommitId>,
}

/// The progress of reading a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadProgress {
    /// The kind of object that is being read, in the plural: "tags", "files", "contents".
    pub(crate) what: &'static str,
    /// The number of objects that were read.
    pub(crate) done: usize,
    /// The number of all objects.
    pub(crate) total: usize,
}

/// The receiver of the progress.
pub(crate) type OnProgress<'a> = &'a dyn Fn(ReadProgress);

/// The part of a repository that is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadPart<'a> {
    /// Only these components; all if empty.
    pub(crate) only: &'a [ComponentName],
    /// A policy that replaces the default branch's `rollouts.toml`.
    pub(crate) rollouts: Option<Rollouts>,
}
