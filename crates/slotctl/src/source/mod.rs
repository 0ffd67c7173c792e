//! Which refs a command decides by: the one place that says so.
//!
//! The refs of the remote, as it has them now, if there is a remote: a clone may be
//! shallow, stale, or have tags that nobody pushed. They are the answer to one
//! `git ls-remote`, held in memory; what the clone lacks of the objects that they lead
//! to is fetched when it is read. See `docs/decisions/0015-remote.md`.

mod ask;
mod local_tags;
mod provenance;

use std::sync::Arc;

use anyhow::Result;
use git::Repository;
use git::branch::DefaultBranch;
use git::fetch::Supply;
use git::objects::Objects;
use git::refs::Refs;
use gix_hash::ObjectId;
use notice::Notice;

pub(crate) use ask::{Asking, Certainty};
pub(crate) use provenance::{Origin, Provenance};

/// More tags than this are looked for in a list of all objects.
const MANY: usize = 4096;

/// The refs that count, and how what they lead to is read.
#[derive(Debug)]
pub(crate) struct Source {
    /// The clone. Its reading commands also find what was fetched.
    pub(crate) repository: Repository,
    /// What brings missing objects; none if the refs are the clone's own.
    pub(crate) supply: Option<Supply>,
    /// The tags of the components that were asked for.
    pub(crate) refs: Refs,
    /// The default branch, which `rollouts.toml` is read from; none without a commit.
    ///
    /// # Errors
    ///
    /// Why nothing tells which branch it is.
    pub(crate) branch: Result<Option<DefaultBranch>, String>,
    /// The tags that the clone has no ref of: their objects may be missing.
    pub(crate) elsewhere: Vec<ObjectId>,
    /// Where the refs come from.
    pub(crate) provenance: Provenance,
    /// What its owner may not expect: a tag that was not pushed.
    pub(crate) warnings: Vec<Notice>,
}

impl Source {
    /// The objects that the refs lead to.
    pub(crate) fn objects(&self) -> Objects {
        Objects::of(&self.repository).with_supply(self.supply.clone())
    }

    /// Brings the tags together that are missing, if there may be many: what a clone
    /// without tags lacks is not looked for one by one.
    ///
    /// # Errors
    ///
    /// If the remote sends nothing.
    pub(crate) fn bring_tags(&self, objects: &mut Objects) -> Result<()> {
        if self.elsewhere.len() < MANY {
            return Ok(());
        }
        objects.bring(&git::missing::missing(&self.repository, &self.elsewhere)?)
    }

    /// Whether a tag is among the refs, by its full name.
    pub(crate) fn has_tag(&self, full_name: &str) -> bool {
        self.refs.refs.iter().any(|found| found.name == full_name.as_bytes())
    }

    /// The object id of a tag where it counts for everybody, by its full name: at the
    /// remote, or in a repository without one. `None` if that is not known.
    pub(crate) fn shared_tag(&self, full_name: &str) -> Option<ObjectId> {
        let is_shared = self.is_remote() || self.provenance.origin == Origin::Alone;
        let mut refs = self.refs.refs.iter().filter(|_| is_shared);
        refs.find(|found| found.name == full_name.as_bytes()).map(|found| found.id)
    }

    /// Whether the refs are a remote's.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.provenance.origin, Origin::Remote { .. })
    }
}

/// A source that the steps of a command share.
pub(crate) type SharedSource = Arc<Source>;
