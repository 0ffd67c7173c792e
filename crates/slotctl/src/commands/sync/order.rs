//! The order of two states of the repository: which of them is newer.
//!
//! Clocks do not decide. Three questions do, each asked of Git:
//!
//! 1. Has the repository still the refs that this run has read? Another run wrote its record
//!    after it had read the refs. So if they are the same now, the state of this run is at least
//!    as new as that of every run whose record was listed before.
//! 2. Is the commit of the policy that the other run has read in the history of this run's? If it
//!    is not, this repository is older, or another one.
//! 3. Without a remote: has this repository ever had the newest tag that the other run has read?

use std::sync::Arc;

use anyhow::Result;
use catalog::digest::Digest;
use catalog::record::{Newest, SyncRecord};
use git::objects::{ObjectAnswer, ObjectRequest, Objects};
use gix_hash::ObjectId;
use reconcile::policy::FILE;

use crate::args::SyncArgs;
use crate::context::Session;
use crate::session::GitReader;
use crate::source::{Asking, Certainty, Origin, SharedSource};

/// The age of the state of another run, compared with that of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Both have the same state.
    Same,
    /// The state of the other run is older.
    Older,
    /// The state of the other run is newer, or may be: the reason.
    Newer(Lead),
    /// Both repositories have what the other has: the states cannot be compared.
    Unknown,
}

/// The reason why the state of another run is newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// The repository has changed since this run read it.
    Changed,
    /// The policy's commit of the other run is not in the history of this run's.
    Commit(ObjectId),
    /// This repository never had this tag.
    Tag(String),
}

/// The state of the repository that this run has read, and the means to compare it.
pub(super) struct StateOrder<'a> {
    session: &'a Session<'a, SyncArgs>,
    source: SharedSource,
    state: Digest,
    newest_tag: Option<Newest>,
}

impl<'a> StateOrder<'a> {
    /// Compares with the state that `git` has read.
    pub(super) fn of(session: &'a Session<'a, SyncArgs>, git: &GitReader<'_>) -> Self {
        let (source, state) = (Arc::clone(git.source()), git.state());
        Self { session, source, state: state.digest, newest_tag: state.newest_tag.clone() }
    }

    /// Tells if the repository still is in the state that this run has read. A dry run
    /// does not ask again.
    ///
    /// # Errors
    ///
    /// If the repository cannot be read, or the remote does not answer.
    pub(super) fn is_current(&self) -> Result<bool> {
        let Session { args, output, .. } = *self.session;
        if args.dry_run {
            return Ok(true);
        }
        let asking = Asking::open(&args.common, &args.part.only, Certainty::Needed)?;
        let now = asking.ask(output)?;
        if now.refs.refs != self.source.refs.refs {
            return Ok(false);
        }
        if now.provenance.commit == self.source.provenance.commit {
            return Ok(true);
        }
        // The branch has moved: what counts is whether the policy has changed.
        let (common, only) = (&args.common, args.part.only.as_slice());
        let again = GitReader::read_tags_of(common, only, Arc::new(now), output)?;
        Ok(again.state().digest == self.state)
    }

    /// Compares with the state of another run. `is_current` is the answer of
    /// [`Self::is_current`], asked after the record of the other run was listed.
    ///
    /// # Errors
    ///
    /// If the history that decides cannot be fetched.
    pub(super) fn age_of(&self, other: &SyncRecord, is_current: bool) -> Result<Age> {
        if other.state == self.state {
            return Ok(Age::Same);
        }
        if other.rollback {
            return Ok(Age::Older);
        }
        if !is_current {
            return Ok(Age::Newer(Lead::Changed));
        }
        if let Some(commit) = self.commit_ahead(other)? {
            return Ok(Age::Newer(Lead::Commit(commit)));
        }
        match self.source.is_remote() {
            true => Ok(Age::Older),
            false => self.by_newest_tag(other),
        }
    }

    /// Returns the policy's commit of the other run if it is not in the history of this run's.
    fn commit_ahead(&self, other: &SyncRecord) -> Result<Option<ObjectId>> {
        let theirs = other.source.as_ref().and_then(|source| source.commit.as_ref());
        let theirs = theirs.and_then(|id| ObjectId::from_hex(id.as_str().as_bytes()).ok());
        let (Some(theirs), Some(mine)) = (theirs, self.source.provenance.commit) else {
            return Ok(None);
        };
        let is_behind = theirs == mine
            // A repository without a remote is the truth, and its owner may rewrite its history.
            || self.source.provenance.origin == Origin::Alone && self.has(theirs)?
            || self.leads_to(theirs, mine)?;
        Ok((!is_behind).then_some(theirs))
    }

    fn leads_to(&self, old: ObjectId, new: ObjectId) -> Result<bool> {
        let (repository, supply) = (&self.source.repository, self.source.supply.as_ref());
        git::history::is_ancestor(repository, supply, old, new)
    }

    /// Compares the states of two repositories without a remote.
    fn by_newest_tag(&self, other: &SyncRecord) -> Result<Age> {
        let tag = other.source.as_ref().and_then(|source| source.newest_tag.as_ref());
        let newest = other.newest.as_ref().filter(|newest| newest.name != FILE);
        let Some(newest) = tag.or(newest) else { return Ok(Age::Older) };
        let id = newest.object.as_ref().and_then(|id| ObjectId::from_hex(id.as_bytes()).ok());
        let had = match id {
            Some(id) => self.has(id)?,
            // An earlier slotctl recorded no object.
            None => self.source.has_tag(&format!("refs/tags/{}", newest.name)),
        };
        let is_shared = self.newest_tag.as_ref().is_some_and(|mine| mine.object == newest.object);
        Ok(match had {
            false => Age::Newer(Lead::Tag(newest.name.clone())),
            true if is_shared => Age::Unknown,
            true => Age::Older,
        })
    }

    fn has(&self, id: ObjectId) -> Result<bool> {
        let answer = Objects::of(&self.source.repository).ask_one(ObjectRequest::Info, id)?;
        Ok(matches!(answer, ObjectAnswer::Found { .. } | ObjectAnswer::TooLarge { .. }))
    }
}
