//! From what Git's tags say to what Workers KV should hold.
//!
//! Two steps, because which files to look for follows from the tags, and what
//! the records say follows from the files: [`outline`] takes the tags and lists
//! the versions whose files are [`Wanted`]; [`Outline::compile`] takes those
//! files. Reading the repository in between is the caller's.

mod chain;
mod outline;
mod records;

use std::sync::Arc;

use crate::source::trailer::TrailerPath;
use crate::tag::{TagName, TagTarget};
use catalog::digest::Digest;
use catalog::media_type::MediaType;
use catalog::name::ComponentName;
use catalog::record::{VersionMetadata, VersionRecord};
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use catalog::version::{CommitId, Version};

pub use self::chain::{Lost, Standing, stands};
pub use self::outline::{Outline, outline};
pub use self::records::Compiled;

/// The longest reason that a slot's move keeps, in bytes. A catalog record holds
/// fifty moves a slot.
pub const MAX_WHY: usize = 200;

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The name, without the e-mail address.
    pub author: String,
    /// The moment.
    pub time: Timestamp,
}

/// A commit that a tag leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Who wrote it.
    pub author: String,
    /// Who committed it, and when.
    pub committer: Stamp,
    /// Its message's first line.
    pub subject: String,
}

/// A tag object's id, as the bytes that the repository's hash has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(Box<[u8]>);

impl ObjectId {
    /// The id with these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

/// An annotated tag's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagObject {
    /// Its id.
    pub id: ObjectId,
    /// The name in it: the ref that it was made for, which may not lead to it any more.
    pub name: Vec<u8>,
    /// Who made it; tags of 2005 have no tagger.
    pub tagger: Option<Stamp>,
    /// Its message's first line.
    pub why: String,
    /// The path in its message's trailer.
    pub path: Option<TrailerPath>,
}

/// What a tag leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeled {
    /// The tag objects on the way, from the ref inwards; none for a lightweight tag.
    pub chain: Vec<Arc<TagObject>>,
    /// The commit at the end.
    pub commit: Arc<Commit>,
}

impl Peeled {
    /// Who set the tag, and when: the tagger, or a lightweight tag's committer.
    pub fn stamp(&self) -> &Stamp {
        let tagger = self.chain.first().and_then(|tag| tag.tagger.as_ref());
        tagger.unwrap_or(&self.commit.committer)
    }

    /// Why: the tag's message, or a lightweight tag's commit's; the first line.
    pub fn why(&self) -> &str {
        self.chain.first().map_or(&self.commit.subject, |tag| &tag.why)
    }

    /// The outermost tag object's trailer.
    pub fn trailer(&self) -> Option<&TrailerPath> {
        self.chain.iter().find_map(|tag| tag.path.as_ref())
    }
}

/// Why a tag leads to no commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpeelable {
    /// It leads to a tree or a blob; which.
    NotACommit(&'static str),
    /// This clone does not have an object, or can't read it; which, and why.
    Unreadable(String),
    /// An object makes no sense; which, and why.
    Broken(String),
}

/// A component's tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What its name says.
    pub name: TagName,
    /// Where it leads.
    pub target: Result<Peeled, Unpeelable>,
}

/// A version whose file must be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The component.
    pub component: ComponentName,
    /// The version.
    pub version: Version,
    /// The commit that it was made at.
    pub commit: Arc<Commit>,
    /// What its tag's trailer says of the path.
    pub trailer: Option<TrailerPath>,
    /// What the file is found by, once the registries are known: see
    /// [`crate::source::directions`].
    pub found_by: Option<Digest>,
}

/// A version's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is in the commit.
    pub path: String,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// The content's media type.
    pub media_type: MediaType,
}

impl File {
    /// The file of a version as the metadata of its record in KV has it: a commit never
    /// changes, so what was found in it by the same directions is found again.
    ///
    /// `None` unless the record that this makes is the one whose hash KV has: nothing is
    /// taken over that Git would not say as well.
    pub fn remembered(
        wanted: &Wanted,
        known: &VersionMetadata,
        revoked: Option<&String>,
    ) -> Option<Self> {
        let found = known.file.as_ref()?;
        if wanted.found_by != Some(found.by) || wanted.commit.id != known.sha {
            return None;
        }
        let (path, media_type) = (found.path.clone(), known.media_type.clone());
        let file = Self { path, digest: known.digest, size: found.size, media_type };
        let record = VersionRecord { revoked: revoked.cloned(), ..wanted.record(file.clone()) };
        (record.hash() == known.hash).then_some(file)
    }
}

/// A tag under `logic/`: reported, so that CI can rebuild, never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicTag {
    /// The component.
    pub name: ComponentName,
    /// The version or slot that the tag names.
    pub target: TagTarget,
    /// The version that it stands on.
    pub version: Version,
    /// The commit that it leads to.
    pub commit: CommitId,
}

/// A slot as its tag has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SlotDraft {
    slot: Slot,
    version: Version,
    stamp: Stamp,
    why: String,
}

#[cfg(test)]
mod tests;
