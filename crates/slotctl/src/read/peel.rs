//! Follows refs to commits: reads tag objects and commits, each once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use catalog::record::VersionRecord;
use catalog::timestamp::Timestamp;
use encoding_rs::Encoding;
use gix_hash::ObjectId;
use gix_object::{CommitRef, Kind, TagRef};
use notice::one_line;
use reconcile::compile::{Commit, MAX_WHY, Peeled, Stamp, TagObject, Unpeelable};
use reconcile::source::trailer;

use super::model::{OnProgress, ReadProgress};
use git::Repository;
use git::objects::{ObjectAnswer, ObjectRequest, Objects};
use git::refs::Ref;

/// The largest tag object or commit that is read, in bytes. Only its message can be long.
const MAX_OBJECT: u64 = 16 * 1024 * 1024;

/// The greatest number of tags of tags that are followed. Two slots that are set to each
/// other daily make this many in a decade.
const MAX_CHAIN: usize = 4096;

/// An object on the way from a ref to its commit.
enum Node {
    Tag(Arc<TagObject>, ObjectId),
    Commit(Arc<Commit>, ObjectId),
    End(Unpeelable),
}

/// Tag objects and commits by their ids.
pub(crate) struct Peeler {
    hash: gix_hash::Kind,
    nodes: HashMap<ObjectId, Node>,
}

impl Peeler {
    pub(crate) fn new(hash: gix_hash::Kind) -> Self {
        Self { hash, nodes: HashMap::new() }
    }

    /// Reads the tags of a clone before it is known whether they count. An object that cannot be
    /// read is left out: it is read again, and fetched, if it counts.
    pub(crate) fn read_ahead(repository: &Repository, tags: &[Ref]) -> Self {
        let mut peeler = Self::new(repository.hash);
        let ids = tags.iter().map(|tag| tag.id).collect();
        // What was read before an error is of use.
        let _ = peeler.load(&mut Objects::of(repository), ids, &|_| ());
        peeler.nodes.retain(|_, node| !matches!(node, Node::End(Unpeelable::Unreadable(_))));
        peeler
    }

    /// Reads the objects and those that they lead to, from tag to tag down to the commits.
    pub(super) fn load(
        &mut self,
        objects: &mut Objects,
        ids: Vec<ObjectId>,
        progress: OnProgress<'_>,
    ) -> Result<()> {
        let mut next = self.unknown(ids);
        while !next.is_empty() {
            let readable = self.sort_out(objects, &next)?;
            let total = readable.len();
            let mut targets = Vec::new();
            objects.ask(ObjectRequest::Contents(MAX_OBJECT), &readable, &mut |at, answer| {
                progress(ReadProgress { what: "tags", done: at + 1, total });
                if let Some(id) = readable.get(at) {
                    targets.extend(self.add(*id, answer));
                }
                Ok(())
            })?;
            next = self.unknown(targets);
        }
        Ok(())
    }

    fn unknown(&self, mut ids: Vec<ObjectId>) -> Vec<ObjectId> {
        let mut seen = HashSet::with_capacity(ids.len());
        ids.retain(|id| !self.nodes.contains_key(id) && seen.insert(*id));
        ids
    }

    /// Asks for the types of the objects before it reads any: a tag may lead to a blob of any
    /// size. Returns the tags and commits among them.
    fn sort_out(&mut self, objects: &mut Objects, ids: &[ObjectId]) -> Result<Vec<ObjectId>> {
        let mut readable = Vec::with_capacity(ids.len());
        objects.ask(ObjectRequest::Info, ids, &mut |at, answer| {
            let Some(id) = ids.get(at).copied() else { return Ok(()) };
            match answer {
                ObjectAnswer::Found { kind: Kind::Tag | Kind::Commit, .. } => readable.push(id),
                ObjectAnswer::Found { kind, .. } => {
                    let kind = if kind == Kind::Tree { "tree" } else { "blob" };
                    self.nodes.insert(id, Node::End(Unpeelable::NotACommit(kind)));
                }
                other => drop(self.add(id, other)),
            }
            Ok(())
        })?;
        Ok(readable)
    }

    /// Adds an object that was read; returns the object that a tag leads to.
    fn add(&mut self, id: ObjectId, answer: ObjectAnswer) -> Option<ObjectId> {
        let node = match answer {
            ObjectAnswer::Found { kind: Kind::Tag, body, .. } => read_tag(id, &body, self.hash),
            ObjectAnswer::Found { kind: Kind::Commit, body, .. } => {
                read_commit(id, &body, self.hash)
            }
            ObjectAnswer::Found { .. } => None,
            ObjectAnswer::TooLarge { .. } => {
                Some(Node::End(Unpeelable::Broken(format!("its object {id} is over 16 MiB"))))
            }
            ObjectAnswer::Missing => Some(Node::End(Unpeelable::Unreadable(format!(
                "this clone does not have the object {id}"
            )))),
            ObjectAnswer::Unreadable(said) => Some(Node::End(Unpeelable::Unreadable(format!(
                "the object {id} cannot be read: {said}"
            )))),
        };
        let malformed = || Node::End(Unpeelable::Broken(format!("its object {id} is malformed")));
        let node = node.unwrap_or_else(malformed);
        let target = if let Node::Tag(_, target) = &node { Some(*target) } else { None };
        self.nodes.insert(id, node);
        target
    }

    /// Follows an object that was loaded to its commit.
    pub(super) fn peel(&self, mut id: ObjectId) -> Result<Peeled, Unpeelable> {
        let mut chain = Vec::new();
        while chain.len() < MAX_CHAIN {
            match self.nodes.get(&id) {
                Some(Node::Tag(tag, target)) => {
                    chain.push(Arc::clone(tag));
                    id = *target;
                }
                Some(Node::Commit(commit, _)) => {
                    return Ok(Peeled { chain, commit: Arc::clone(commit) });
                }
                Some(Node::End(why)) => return Err(why.clone()),
                None => {
                    return Err(Unpeelable::Unreadable(format!("the object {id} was not read")));
                }
            }
        }
        Err(Unpeelable::Broken(format!("it is a chain of over {MAX_CHAIN} tags")))
    }

    /// Returns the tree of a commit that was loaded.
    pub(super) fn tree_of(&self, commit: ObjectId) -> Option<ObjectId> {
        match self.nodes.get(&commit) {
            Some(Node::Commit(_, tree)) => Some(*tree),
            _ => None,
        }
    }
}

fn read_tag(id: ObjectId, body: &[u8], hash: gix_hash::Kind) -> Option<Node> {
    let tag = TagRef::from_bytes(body, hash).ok()?;
    // A tagger that can't be read is left out: the commit has a committer.
    let tagger = tag.tagger().ok().flatten();
    let object = TagObject {
        id: reconcile::compile::ObjectId::from_bytes(id.as_slice()),
        name: tag.name.to_vec(),
        tagger: tagger.map(|tagger| stamp(tagger.name, tagger.seconds())),
        why: one_line(tag.message, MAX_WHY),
        path: trailer::path_of(tag.message),
    };
    Some(Node::Tag(Arc::new(object), tag.target()))
}

fn read_commit(id: ObjectId, body: &[u8], hash: gix_hash::Kind) -> Option<Node> {
    let commit = CommitRef::from_bytes(body, hash).ok()?;
    let (author, committer) = (commit.author().ok()?, commit.committer().ok()?);
    let utf8 = |text| to_utf8(text, commit.encoding.map(std::convert::AsRef::as_ref));
    let facts = Commit {
        id: id.to_string().parse().ok()?,
        author: stamp(&utf8(author.name), 0).author,
        committer: stamp(&utf8(committer.name), committer.seconds()),
        subject: one_line(&utf8(commit.message), MAX_WHY),
    };
    Some(Node::Commit(Arc::new(facts), commit.tree()))
}

/// Converts a text of a commit to UTF-8, as `git log` shows it. The commit's header `encoding`
/// names the encoding of its texts. A label that is not in the WHATWG Encoding Standard is
/// ignored.
fn to_utf8<'a>(text: &'a [u8], label: Option<&[u8]>) -> Cow<'a, [u8]> {
    let Some(encoding) = label.and_then(Encoding::for_label) else { return Cow::Borrowed(text) };
    match encoding.decode_without_bom_handling(text).0 {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn stamp(name: &[u8], seconds: i64) -> Stamp {
    let author = one_line(name, VersionRecord::MAX_AUTHOR);
    Stamp { author, time: Timestamp::from_unix(seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "object 947e4e2247da185c97ee358273a064bc3e3e0fed
type commit
tag components/prompts/a/v1.0.0
tagger T <t@example.com> 1767229680 +0000

Release

Component-Path: prompts/a.md
";

    const COMMIT: &str = "tree 947e4e2247da185c97ee358273a064bc3e3e0fed
parent 947e4e2247da185c97ee358273a064bc3e3e0fed
author A <a@example.com> 1767229680 +0000
committer C <c@example.com> 1767229681 -0130
encoding ISO-8859-1
gpgsig -----BEGIN PGP SIGNATURE-----
 abc
 -----END PGP SIGNATURE-----

m
";

    #[test]
    fn damaged_tags_and_commits_do_not_panic() {
        let id = ObjectId::null(gix_hash::Kind::Sha1);
        for (whole, read) in [
            (TAG, read_tag as fn(ObjectId, &[u8], gix_hash::Kind) -> Option<Node>),
            (COMMIT, read_commit),
        ] {
            assert!(read(id, whole.as_bytes(), gix_hash::Kind::Sha1).is_some());
            for at in 0..whole.len() {
                let _ = read(id, whole.split_at(at).0.as_bytes(), gix_hash::Kind::Sha1);
                for byte in [0, b'\n', b' ', b'<', b'>', b'-', b'9', 0xff] {
                    let mut body = whole.as_bytes().to_vec();
                    body[at] = byte;
                    let _ = read(id, &body, gix_hash::Kind::Sha1);
                    let _ = read(id, &body, gix_hash::Kind::Sha256);
                }
            }
        }
    }
}
