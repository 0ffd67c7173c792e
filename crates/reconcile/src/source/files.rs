//! What is read of a commit to find a component's file.

use std::fmt;
use std::sync::Arc;

use super::problem::{FileProblem, NotAFile};
use super::registry::{History, Registry};

/// The place of a registry, in the order in which registries are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegistryOrigin {
    /// The file that the caller named.
    Given,
    /// `.edgit/components.json` in the tagged commit.
    TaggedCommit,
    /// `.edgit/components.json` at HEAD.
    Head,
    /// `.edgit/components.json` in the work tree. edgit makes Git ignore this file, so it is
    /// usually in no commit.
    WorkTree,
}

impl fmt::Display for RegistryOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "the registry given with --registry",
            Self::TaggedCommit => "the registry in the tagged commit",
            Self::Head => "the registry at HEAD",
            Self::WorkTree => "the registry in the work tree",
        })
    }
}

/// The entry at a path of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeEntry<Id> {
    /// The path does not exist.
    Absent,
    /// A file with this content, executable or not.
    File(Id),
    /// Not a file: its kind, and its path, which is this path or one of its parents.
    Other(NotAFile, String),
}

/// The files of one commit and the registries, as far as they were read.
pub trait CommitFiles {
    /// The name of a file's content.
    type Id: Clone;
    /// Why a result is missing: a file must be read first, or it can't be read.
    type Halt: From<FileProblem>;

    /// Returns the entry `name` in `folder` (empty for the root).
    ///
    /// # Errors
    ///
    /// [`Self::Halt`] if the files cannot be read.
    fn entry(&self, folder: &str, name: &str) -> Result<TreeEntry<Self::Id>, Self::Halt>;

    /// Returns the entries of `folder` whose names begin with `start`; none if it is not a
    /// folder.
    ///
    /// # Errors
    ///
    /// [`Self::Halt`] if the files cannot be read.
    fn beginning(&self, folder: &str, start: &str) -> Result<TreeListing<Self::Id>, Self::Halt>;

    /// Returns the registry of an origin, if it exists and is valid.
    ///
    /// # Errors
    ///
    /// [`Self::Halt`] if the files cannot be read.
    fn registry(&self, origin: RegistryOrigin) -> Result<Option<Arc<Registry>>, Self::Halt>;

    /// Returns the registries of earlier commits, as far as the clone has them.
    ///
    /// # Errors
    ///
    /// [`Self::Halt`] if the files cannot be read.
    fn history(&self) -> Result<Arc<History>, Self::Halt>;
}

/// Tree entries with their names.
pub type TreeListing<Id> = Vec<(String, TreeEntry<Id>)>;
