//! Concurrent syncs: the knowledge of a sync about others that run at the same time, or ran
//! from a newer state of the repository. See [`catalog::record::SyncRecord`].

use std::collections::BTreeMap;

use anyhow::Result;
use catalog::record::{Age, Newest, RunId, SyncRecord};
use notice::printable;

use crate::read::RepositoryState;
use crate::runs::{self, Note};
use crate::store::Store;
use notice::Refused;

/// The effect of other runs since the last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Other runs changed nothing that matters.
    None,
    /// The listing of KV may be out of date: list KV again.
    KvChanged,
}

/// An announcement of a run about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    /// The run is about to change KV.
    Start,
    /// The run has ended.
    End,
}

/// A sync that may run at the same time as others.
#[derive(Debug)]
pub(super) struct ConcurrentRun<'a> {
    store: &'a Store<'a>,
    run: RunId,
    mine: SyncRecord,
    /// The records of other runs, as this run last read them.
    known: BTreeMap<RunId, SyncRecord>,
    /// Rollbacks that were recorded since this run began.
    rollbacks: Vec<RunId>,
    announced: Option<Announcement>,
    /// True if this run may overwrite a newer state in KV.
    allow_older: bool,
}

impl<'a> ConcurrentRun<'a> {
    /// Begins a run; `known` are the records of the other runs. A run that syncs a `part` of
    /// the repository does not know how new the whole is: it counts as at least as new as
    /// the newest known run.
    pub(super) fn begin(
        store: &'a Store<'a>,
        state: &RepositoryState,
        part: bool,
        known: &BTreeMap<RunId, SyncRecord>,
    ) -> Result<Self> {
        let mine = SyncRecord::new(state.digest, state.newest.clone());
        let (run, known) = (runs::new_run()?, known.clone());
        let (rollbacks, announced, allow_older) = (Vec::new(), None, false);
        let mut turn = Self { store, run, mine, known, rollbacks, announced, allow_older };
        if let (true, Some(newest)) = (part, turn.newest_known()) {
            let mine = turn.mine.newest.take().filter(|mine| mine.time >= newest.time);
            turn.mine.newest = mine.or(Some(newest));
        }
        Ok(turn)
    }

    /// Returns the newest tag or change of `rollouts.toml` that KV was synced from, if it is
    /// newer than all that this run has. Returns `None` if an older state is allowed.
    pub(super) fn newer(&self) -> Option<&Newest> {
        let known = self.known.values().filter(|_| !self.allow_older);
        let newer = known.filter(|other| self.mine.age_of(other) == Age::Newer);
        newer.filter_map(|other| other.newest.as_ref()).max_by_key(|newest| newest.time)
    }

    /// Lets the run continue although KV was synced from a newer state.
    pub(super) fn allow_older(&mut self) {
        self.allow_older = true;
    }

    /// Tells if another run has not ended. It may still run, or it was interrupted; its record
    /// does not say which. KV must then be listed after this run has announced itself.
    pub(super) fn is_contested(&self) -> bool {
        self.known.values().any(|other| !other.ended)
    }

    /// Tells if this repository is newer than those of all known syncs. Such a run announces
    /// itself even if it has nothing to write, because one of the others may still run.
    pub(super) fn is_newest(&self) -> bool {
        let older = |other| self.mine.age_of(other) == Age::Older;
        !self.known.is_empty() && self.known.values().all(older)
    }

    /// Tells if this run has announced itself.
    pub(super) fn is_known(&self) -> bool {
        self.announced.is_some()
    }

    /// Writes an announcement, unless it is the last one that was made.
    pub(super) fn announce(&mut self, what: Announcement) -> Result<()> {
        if let Some(note) = self.note(what)? {
            note.write(self.store)?;
            self.set_announced(what);
        }
        Ok(())
    }

    /// Returns the note for an announcement, or `None` if it is the last one that was made.
    /// The caller writes the note and then calls [`Self::set_announced`].
    pub(super) fn note(&self, what: Announcement) -> Result<Option<Note>> {
        if self.announced == Some(what) {
            return Ok(None);
        }
        let record = SyncRecord { ended: what == Announcement::End, ..self.mine.clone() };
        Note::of_sync(self.run, &record).map(Some)
    }

    /// Records that an announcement was written.
    pub(super) fn set_announced(&mut self, what: Announcement) {
        self.announced = Some(what);
    }

    /// Reads the records of other runs and returns their effect since the last check.
    ///
    /// # Errors
    ///
    /// [`Refused`] if another run has a newer state, or if it is unknown which state is newer.
    /// Otherwise if KV cannot be read.
    pub(super) fn conflict(&mut self) -> Result<Conflict> {
        let now = self.others()?;
        let mut conflict = Conflict::None;
        for (run, other) in &now {
            if self.known.get(run) == Some(other) {
                continue;
            }
            if other.rollback {
                self.rollbacks.push(*run);
            }
            match (self.mine.age_of(other), other.ended) {
                (Age::Same, _) => {}
                (Age::Newer, _) if !self.allow_older => return Err(overtaken(other)),
                (Age::Unknown, false) => return Err(undecided()),
                _ => conflict = Conflict::KvChanged,
            }
        }
        self.known = now;
        Ok(conflict)
    }

    /// Restores the slots of concurrent rollbacks that this run overwrote; returns their
    /// number.
    pub(super) fn put_back(&mut self) -> Result<usize> {
        let rollbacks = std::mem::take(&mut self.rollbacks);
        if rollbacks.is_empty() { Ok(0) } else { runs::put_back(self.store, &rollbacks) }
    }

    /// Deletes the records of runs that this run replaces once it has ended: of all known
    /// runs that are not newer, or of all if an older state is allowed.
    pub(super) fn replace_others(&self) -> Result<()> {
        let replaced =
            |other: &SyncRecord| self.allow_older || self.mine.age_of(other) != Age::Newer;
        let known = self.known.iter().filter(|(_, other)| replaced(other));
        runs::delete(self.store, known.map(|(run, _)| *run))
    }

    /// Reads the records of all other runs.
    fn others(&self) -> Result<BTreeMap<RunId, SyncRecord>> {
        let mut runs = runs::list(self.store)?;
        runs.remove(&self.run);
        Ok(runs)
    }

    fn newest_known(&self) -> Option<Newest> {
        let newest = self.known.values().filter_map(|other| other.newest.clone());
        newest.max_by_key(|newest| newest.time)
    }
}

/// The refusal of a repository that lacks newer tags that KV was synced from.
pub(super) fn stale(newer: &Newest) -> anyhow::Error {
    let name = printable(newer.name.as_bytes());
    let what = format!(
        "KV was synced from newer tags (as of {}) than this repository has; nothing was written",
        newer.time
    );
    let help = "check if the remote has it: git ls-remote; if the older state is meant to count, \
                run this again with --allow-older";
    Refused::new(name, what, help).into()
}

fn overtaken(other: &SyncRecord) -> anyhow::Error {
    let newest = other.newest.as_ref().map(|newest| printable(newest.name.as_bytes()));
    let what = format!(
        "another sync started from a newer state of the repository (it has {}) while this one \
         ran; the newer state wins",
        newest.unwrap_or_default()
    );
    let help = "run this command again when the other has ended";
    Refused::new("conflict", what, help).into()
}

fn undecided() -> anyhow::Error {
    let what = "another sync runs at the same time, from another state of the repository, and \
                nothing tells which of the two is newer";
    Refused::new("conflict", what, "run this command again when it has ended").into()
}
