//! Whose turn it is: what a sync knows of others that run at the same time, or ran
//! from a newer state of the repository. See [`catalog::record::SyncRecord`].

use std::collections::BTreeMap;

use anyhow::Result;
use catalog::record::{Age, Newest, RunId, SyncRecord};
use notice::printable;

use crate::read::RepositoryState;
use crate::runs::{self, Note};
use crate::store::Store;
use notice::Refused;

/// What others have done since it was last looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Nothing that matters.
    None,
    /// What was listed may not be so any more: look at it anew.
    KvChanged,
}

/// What a run says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    /// That it is about to move something.
    Start,
    /// That it has done so.
    End,
}

/// A sync among others.
#[derive(Debug)]
pub(super) struct ConcurrentRun<'a> {
    store: &'a Store<'a>,
    run: RunId,
    mine: SyncRecord,
    /// The records of others, as they were last seen.
    known: BTreeMap<RunId, SyncRecord>,
    /// Rollbacks that came meanwhile.
    rollbacks: Vec<RunId>,
    announced: Option<Announcement>,
    /// Whether a newer state in KV is overwritten.
    allow_older: bool,
}

impl<'a> ConcurrentRun<'a> {
    /// Begins among the runs that are `known`. Of a part of a repository it is not known
    /// how new all of it is: such a run is as new as the newest that was before it.
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

    /// The newest thing that KV was synced from and that is newer than all that this
    /// run knows, unless that is allowed.
    pub(super) fn newer(&self) -> Option<&Newest> {
        let known = self.known.values().filter(|_| !self.allow_older);
        let newer = known.filter(|other| self.mine.age_of(other) == Age::Newer);
        newer.filter_map(|other| other.newest.as_ref()).max_by_key(|newest| newest.time)
    }

    /// Lets the run go on though KV was synced from a newer state.
    pub(super) fn allow_older(&mut self) {
        self.allow_older = true;
    }

    /// Whether another run did not come to its end: it goes on, or was stopped. Which
    /// of the two nobody can say, so a listing counts only after this run has announced of itself.
    pub(super) fn is_contested(&self) -> bool {
        self.known.values().any(|other| !other.ended)
    }

    /// Whether the repository has something newer than any sync before had: one of
    /// them that still runs has to learn of it, though nothing is to be written.
    pub(super) fn is_newest(&self) -> bool {
        let older = |other| self.mine.age_of(other) == Age::Older;
        !self.known.is_empty() && self.known.values().all(older)
    }

    /// Whether others know of this run.
    pub(super) fn is_known(&self) -> bool {
        self.announced.is_some()
    }

    /// Tells others, unless they were announced that last.
    pub(super) fn announce(&mut self, what: Announcement) -> Result<()> {
        if let Some(note) = self.note(what)? {
            note.write(self.store)?;
            self.set_announced(what);
        }
        Ok(())
    }

    /// What there is to write for that; nothing where it was announced last. Who has it written
    /// says so ([`Self::set_announced`]).
    pub(super) fn note(&self, what: Announcement) -> Result<Option<Note>> {
        if self.announced == Some(what) {
            return Ok(None);
        }
        let record = SyncRecord { ended: what == Announcement::End, ..self.mine.clone() };
        Note::of_sync(self.run, &record).map(Some)
    }

    /// Takes note that others were announced.
    pub(super) fn set_announced(&mut self, what: Announcement) {
        self.announced = Some(what);
    }

    /// What others have done since.
    ///
    /// # Errors
    ///
    /// [`Refused`] where another has the last word, or nobody can say who has.
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

    /// Puts back what rollbacks wrote meanwhile, where this run wrote over it; says how
    /// many slots.
    pub(super) fn put_back(&mut self) -> Result<usize> {
        let rollbacks = std::mem::take(&mut self.rollbacks);
        if rollbacks.is_empty() { Ok(0) } else { runs::put_back(self.store, &rollbacks) }
    }

    /// Takes away the records that this run, which has ended, stands for.
    pub(super) fn replace_others(&self) -> Result<()> {
        let replaced =
            |other: &SyncRecord| self.allow_older || self.mine.age_of(other) != Age::Newer;
        let known = self.known.iter().filter(|(_, other)| replaced(other));
        runs::delete(self.store, known.map(|(run, _)| *run))
    }

    /// The records of all other runs.
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

/// The refusal of a state that lacks something newer that KV was synced from.
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
