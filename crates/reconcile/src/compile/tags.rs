//! Tags, and the objects that they lead to.

use std::fmt;
use std::sync::Arc;

use crate::source::trailer::TrailerPath;
use crate::tag::TagName;
use catalog::timestamp::Timestamp;
use catalog::version::CommitId;

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

/// In lower-case hex, as Git writes it.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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

    /// The id of the object that the ref names, in hex: the outermost tag's, or a
    /// lightweight tag's commit's.
    pub fn id(&self) -> String {
        let commit = || self.commit.id.to_string();
        self.chain.first().map_or_else(commit, |tag| tag.id.to_string())
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
