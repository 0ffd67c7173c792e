//! The refs by which a command decides; no other module chooses them.
//!
//! These are the refs of the remote, as it has them now, if there is a remote: a clone may be
//! shallow, stale, or have tags that nobody pushed. One `git ls-remote` returns them, and
//! they are held in memory; objects that they lead to and that the clone lacks are fetched
//! when they are read. See `docs/decisions/0015-remote.md`.

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

/// The refs that count, and the means to read the objects that they lead to.
#[derive(Debug)]
pub(crate) struct Source {
    /// The clone. Its commands that read also find fetched objects.
    pub(crate) repository: Repository,
    /// The supply of missing objects; `None` if the refs are those of the clone.
    pub(crate) supply: Option<Supply>,
    /// The tags of the components that were asked for.
    pub(crate) refs: Refs,
    /// The default branch, from which `rollouts.toml` is read; `None` if there is no commit.
    ///
    /// # Errors
    ///
    /// If the default branch is unknown: the reason.
    pub(crate) branch: Result<Option<DefaultBranch>, String>,
    /// The origin of the refs.
    pub(crate) provenance: Provenance,
    /// Notices of what the owner may not expect: a tag that was not pushed.
    pub(crate) warnings: Vec<Notice>,
}

impl Source {
    /// Returns a reader of the objects that the refs lead to.
    pub(crate) fn objects(&self) -> Objects {
        Objects::of(&self.repository).with_supply(self.supply.clone())
    }

    /// Tells if a tag, given by its full name, is among the refs.
    pub(crate) fn has_tag(&self, full_name: &str) -> bool {
        self.refs.refs.iter().any(|found| found.name == full_name.as_bytes())
    }

    /// Returns the object id of a tag, given by its full name, that everybody sees: at the remote,
    /// or in a repository without one. `None` if it is not known.
    pub(crate) fn shared_tag(&self, full_name: &str) -> Option<ObjectId> {
        let is_shared = self.is_remote() || self.provenance.origin == Origin::Alone;
        let mut refs = self.refs.refs.iter().filter(|_| is_shared);
        refs.find(|found| found.name == full_name.as_bytes()).map(|found| found.id)
    }

    /// Tells if the refs are those of a remote.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.provenance.origin, Origin::Remote { .. })
    }
}

/// A source that the steps of a command share.
pub(crate) type SharedSource = Arc<Source>;
