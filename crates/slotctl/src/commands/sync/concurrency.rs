//! Concurrent syncs: the knowledge of a sync about others that run at the same time, or ran
//! from a newer state of the repository. See [`catalog::record::SyncRecord`].

use std::collections::BTreeMap;

use anyhow::Result;
use catalog::record::{Newest, RunId, SyncRecord};

use super::order::{Age, Lead, StateOrder};
use super::refusal::{overtaken, undecided};
use crate::args::SyncArgs;
use crate::context::Session;
use crate::runs::{self, Note};
use crate::session::GitReader;
use crate::store::Store;

/// The effect of other runs since the last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Other runs changed nothing that matters.
    None,
    /// The listing of KV may be out of date: list KV again.
    KvChanged,
    /// The repository has changed, and another run may have read its newer state: read it again.
    GitChanged,
}

/// An announcement of a run about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    /// The run is about to change KV.
    Start,
    /// The run has ended.
    End,
}

/// Another run: its record, and the age of its state once it is known.
#[derive(Clone, Debug)]
struct OtherRun {
    record: SyncRecord,
    age: Option<Age>,
}

/// A sync that may run at the same time as others.
pub(super) struct ConcurrentRun<'a> {
    store: &'a Store<'a>,
    run: RunId,
    mine: SyncRecord,
    order: StateOrder<'a>,
    /// The other runs, as this run last read them.
    known: BTreeMap<RunId, OtherRun>,
    /// Rollbacks that were recorded since this run began.
    rollbacks: Vec<RunId>,
    announced: Option<Announcement>,
    /// True if this run may overwrite a newer state in KV.
    allow_older: bool,
}

impl<'a> ConcurrentRun<'a> {
    /// Begins a run; `known` are the records of the other runs.
    pub(super) fn begin(
        session: &'a Session<'a, SyncArgs>,
        git: &GitReader<'_>,
        known: &BTreeMap<RunId, SyncRecord>,
    ) -> Result<Self> {
        let state = git.state();
        let newest = newest(session.args, state.newest.clone(), known);
        let mut source = git.source().provenance.record();
        let has_tag = newest.as_ref().is_some_and(|newest| newest.object.is_some());
        source.newest_tag = state.newest_tag.clone().filter(|_| !has_tag);
        let other = |(run, record): (&RunId, &SyncRecord)| {
            (*run, OtherRun { record: record.clone(), age: None })
        };
        Ok(Self {
            store: &session.store,
            run: runs::new_run()?,
            mine: SyncRecord::new(state.digest, newest).with_source(source),
            order: StateOrder::of(session, git),
            known: known.iter().map(other).collect(),
            rollbacks: Vec::new(),
            announced: None,
            allow_older: session.args.allow_older,
        })
    }

    /// Returns the run whose state is newer than that of this run, with the highest number.
    /// Returns `None` if an older state is allowed.
    ///
    /// # Errors
    ///
    /// If the states cannot be compared.
    pub(super) fn newer(&mut self) -> Result<Option<(SyncRecord, Lead)>> {
        if self.allow_older {
            return Ok(None);
        }
        self.compare()?;
        let newer = self.known.values().filter_map(|other| match &other.age {
            Some(Age::Newer(lead)) => Some((other.record.clone(), lead.clone())),
            _ => None,
        });
        Ok(newer.max_by_key(|(record, _)| record.run))
    }

    /// Tells if another run has not ended. It may still run, or it was interrupted; its record
    /// does not say which. KV must then be listed after this run has announced itself.
    pub(super) fn is_contested(&self) -> bool {
        self.known.values().any(|other| !other.record.ended)
    }

    /// Tells if this repository is newer than those of all known syncs. Such a run announces
    /// itself even if it has nothing to write, because one of the others may still run.
    ///
    /// # Errors
    ///
    /// If the states cannot be compared.
    pub(super) fn is_newest(&mut self) -> Result<bool> {
        let is_same = |other: &OtherRun| other.record.state == self.mine.state;
        if self.known.is_empty() || self.known.values().any(is_same) {
            return Ok(false);
        }
        self.compare()?;
        Ok(self.known.values().all(|other| other.age == Some(Age::Older)))
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
    pub(super) fn note(&mut self, what: Announcement) -> Result<Option<Note>> {
        if self.announced == Some(what) {
            return Ok(None);
        }
        let highest = runs::highest(self.known.values().map(|other| &other.record));
        self.mine.run = self.mine.run.max(highest.saturating_add(1));
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
    /// [`notice::Refused`] if another run has a newer state, or if it is unknown which state is newer.
    /// Otherwise if KV or the repository cannot be read.
    pub(super) fn conflict(&mut self) -> Result<Conflict> {
        let changed = self.look_again()?;
        self.compare()?;
        let mut conflict = Conflict::None;
        for other in changed.iter().filter_map(|run| self.known.get(run)) {
            match (&other.age, other.record.ended) {
                (Some(Age::Same), _) => {}
                (Some(Age::Newer(Lead::Changed)), _) => return Ok(Conflict::GitChanged),
                (Some(Age::Newer(lead)), _) => return Err(overtaken(lead)),
                (Some(Age::Unknown), false) => return Err(undecided()),
                _ => conflict = Conflict::KvChanged,
            }
        }
        Ok(conflict)
    }

    /// Lists the runs again; returns those whose record is new or has changed.
    fn look_again(&mut self) -> Result<Vec<RunId>> {
        let mut now = runs::list(self.store)?;
        now.remove(&self.run);
        let mut changed = Vec::new();
        let before = std::mem::take(&mut self.known);
        for (run, record) in now {
            let known = before.get(&run).filter(|known| known.record == record);
            if known.is_none() {
                changed.push(run);
                self.rollbacks.extend(record.rollback.then_some(run));
            }
            let other = known.cloned().unwrap_or(OtherRun { record, age: None });
            self.known.insert(run, other);
        }
        Ok(changed)
    }

    /// Compares the states of runs that were not compared yet.
    fn compare(&mut self) -> Result<()> {
        let open = || self.known.values().filter(|other| other.age.is_none());
        if open().next().is_none() {
            return Ok(());
        }
        let differs =
            |other: &OtherRun| !other.record.rollback && other.record.state != self.mine.state;
        // The repository is read after the records were listed: what they were made from is older.
        let is_current = !open().any(differs) || self.allow_older || self.order.is_current()?;
        for other in self.known.values_mut().filter(|other| other.age.is_none()) {
            other.age = Some(match self.allow_older {
                true => Age::Older,
                false => self.order.age_of(&other.record, is_current)?,
            });
        }
        Ok(())
    }

    /// Restores the slots of concurrent rollbacks that this run overwrote; returns their
    /// number.
    pub(super) fn put_back(&mut self) -> Result<usize> {
        let rollbacks = std::mem::take(&mut self.rollbacks);
        if rollbacks.is_empty() { Ok(0) } else { runs::put_back(self.store, &rollbacks) }
    }

    /// Deletes the records of runs that this run replaces once it has ended: of all known
    /// runs that are not newer, and that do not have a higher number.
    pub(super) fn replace_others(&self) -> Result<()> {
        let replaced = |other: &OtherRun| {
            other.record.run <= self.mine.run && !matches!(other.age, Some(Age::Newer(_)))
        };
        let known = self.known.iter().filter(|(_, other)| replaced(other));
        runs::delete(self.store, known.map(|(run, _)| *run))
    }
}

/// Returns the newest tag or change that the record of a run names. A run of a part of the
/// repository does not know how new the whole is: it counts as at least as new as the newest
/// known run.
fn newest(
    args: &SyncArgs,
    mine: Option<Newest>,
    known: &BTreeMap<RunId, SyncRecord>,
) -> Option<Newest> {
    let others = known.values().filter_map(|other| other.newest.clone());
    let others = others.filter(|_| !args.part.only.is_empty());
    others.chain(mine).max_by_key(|newest| newest.time)
}
