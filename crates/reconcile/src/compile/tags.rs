//! Tags, and the objects that they lead to.

use std::fmt;
use std::sync::Arc;

use crate::source::trailer::TrailerPath;
use crate::tag::TagName;
use catalog::timestamp::Timestamp;
use catalog::version::CommitId;

/// The longest reason of a slot's move, in bytes. A catalog record has up to fifty moves per
/// slot.
pub const MAX_WHY: usize = 200;

/// The author and the time of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The author's name, without the e-mail address.
    pub author: String,
    /// The time of the action.
    pub time: Timestamp,
}

/// A commit that a tag leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The commit's id.
    pub id: CommitId,
    /// The name of the commit's author.
    pub author: String,
    /// The committer, with the time of the commit.
    pub committer: Stamp,
    /// The first line of the commit's message.
    pub subject: String,
}

/// The id of a tag object, in the bytes of the repository's hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(Box<[u8]>);

impl ObjectId {
    /// Creates an id from its bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

/// Formats the id in lower-case hex, as Git does.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The object of an annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagObject {
    /// The object's id.
    pub id: ObjectId,
    /// The name in the object: the ref that it was made for, which may lead to another object
    /// now.
    pub name: Vec<u8>,
    /// The tagger; tags of 2005 have none.
    pub tagger: Option<Stamp>,
    /// The first line of the tag's message.
    pub why: String,
    /// The path in the trailer of the tag's message.
    pub path: Option<TrailerPath>,
}

/// The objects from a tag to its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeled {
    /// The tag objects on the way, from the ref inwards; empty for a lightweight tag.
    pub chain: Vec<Arc<TagObject>>,
    /// The commit at the end.
    pub commit: Arc<Commit>,
}

impl Peeled {
    /// Returns the tagger and the time of the tag; for a lightweight tag, those of the
    /// committer.
    pub fn stamp(&self) -> &Stamp {
        let tagger = self.chain.first().and_then(|tag| tag.tagger.as_ref());
        tagger.unwrap_or(&self.commit.committer)
    }

    /// Returns the first line of the tag's message; for a lightweight tag, of the commit's
    /// message.
    pub fn why(&self) -> &str {
        self.chain.first().map_or(&self.commit.subject, |tag| &tag.why)
    }

    /// Returns the id of the object that the ref names, in hex: of the outermost tag object, or
    /// of the commit for a lightweight tag.
    pub fn id(&self) -> String {
        let commit = || self.commit.id.to_string();
        self.chain.first().map_or_else(commit, |tag| tag.id.to_string())
    }

    /// Returns the trailer of the outermost tag object that has one.
    pub fn trailer(&self) -> Option<&TrailerPath> {
        self.chain.iter().find_map(|tag| tag.path.as_ref())
    }
}

/// The reason why a tag leads to no commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpeelable {
    /// The tag leads to a tree or a blob; the text says which.
    NotACommit(&'static str),
    /// This clone lacks an object or can't read it; the text says which, and why.
    Unreadable(String),
    /// An object is invalid; the text says which, and why.
    Broken(String),
}

/// A component's tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The parts of the tag's name.
    pub name: TagName,
    /// The objects that the tag leads to, or the reason why it leads to no commit.
    pub target: Result<Peeled, Unpeelable>,
}
