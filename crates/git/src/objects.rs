//! Reads the repository's objects through one long-running `git cat-file --batch-command`.
//!
//! Requests are sent in batches that end with `flush`: Git queues the requests and answers them
//! at the flush, in the same order. Two batches are sent ahead, so that Git reads one while the
//! answers of the other are processed. Git reads no requests while its output pipe is full. A
//! batch therefore has to fit into a pipe, or both sides would wait for each other forever.

use std::collections::{BTreeSet, VecDeque};

use anyhow::Result;
use gix_hash::ObjectId;

use crate::cat_file::Process;
use crate::command::Git;
use crate::fetch::{Supply, With, lock};
use crate::missing::missing;
use crate::repository::Repository;

pub use crate::cat_file::{ObjectAnswer, ObjectRequest};

/// The size in bytes of the requests between two flushes: a pipe holds it on every system.
const BATCH: usize = 4096;

/// The smallest number of objects among which the missing ones may be fetched before they are asked
/// for.
const MANY: usize = 4096;

/// The number of objects that are looked up to estimate how many are missing.
const PROBED: usize = 256;

/// The part of the probed objects, as a divisor, from which on all missing ones are found in a list.
const LIST_FROM: usize = 8;

/// Returns the number of requests in a batch.
fn batch_len(ids: &[ObjectId]) -> usize {
    // `contents`, a space, the id and a line end.
    let request = ids.first().map_or(1, |id| id.kind().len_in_hex() + 10);
    BATCH / request
}

/// Reads the objects of a repository.
pub struct Objects {
    git: Git,
    process: Option<Process>,
    /// The fetcher for missing objects.
    supply: Option<Supply>,
}

/// The function that receives the answers: the index of the request and the answer of Git.
type Take<'a> = dyn FnMut(usize, ObjectAnswer) -> Result<()> + 'a;

impl Objects {
    /// Creates a reader of the objects of a repository. Git is started at the first request.
    pub fn of(repository: &Repository) -> Self {
        Self { git: repository.git.clone(), process: None, supply: None }
    }

    /// Adds a fetcher for objects that are missing.
    #[must_use]
    pub fn with_supply(self, supply: Option<Supply>) -> Self {
        Self { supply, ..self }
    }

    /// Fetches the missing ones of many objects together, if a sample says that many are missing:
    /// the look-up of a missing object is slow.
    fn bring_many(&mut self, ids: &[ObjectId]) -> Result<()> {
        let Some(supply) = self.supply.clone().filter(|_| ids.len() >= MANY) else {
            return Ok(());
        };
        let sample: Vec<ObjectId> = ids.iter().step_by(ids.len() / PROBED).copied().collect();
        let mut absent = 0;
        self.ask_all(ObjectRequest::Info, &sample, &mut |_, answer| {
            absent += usize::from(answer == ObjectAnswer::Missing);
            Ok(())
        })?;
        match absent * LIST_FROM >= sample.len() {
            true => lock(&supply).bring(&missing(&self.git, ids)?, With::Commits),
            false => Ok(()),
        }
    }

    /// Fetches all trees of the commits if the root tree of one of them is missing.
    ///
    /// # Errors
    ///
    /// If the remote sends no objects.
    pub fn bring_trees(&mut self, commits: &[(ObjectId, ObjectId)]) -> Result<()> {
        let Some(supply) = self.supply.clone() else { return Ok(()) };
        let (trees, mut missing) =
            (commits.iter().map(|(_, tree)| *tree).collect::<Vec<_>>(), Vec::new());
        self.ask_all(ObjectRequest::Info, &trees, &mut |at, answer| {
            let commit = commits.get(at).filter(|_| answer == ObjectAnswer::Missing);
            missing.extend(commit.map(|(commit, _)| *commit));
            Ok(())
        })?;
        lock(&supply).bring(&missing, With::Trees)
    }

    /// Reads objects and passes each answer with its index in `ids` to `take`, in the order of
    /// `ids`. Objects that had to be fetched come last.
    ///
    /// Git ends at a damaged object. The remaining objects are then read one by one, so that
    /// the damage is reported for the right object and the others are still read.
    ///
    /// # Errors
    ///
    /// Fails if `git cat-file` ends or answers in an unexpected format, or if missing objects
    /// cannot be fetched.
    pub fn ask(&mut self, ask: ObjectRequest, ids: &[ObjectId], take: &mut Take<'_>) -> Result<()> {
        let ended = self.ask_with_supply(ask, ids, take);
        if ended.is_err() {
            // The remaining answers are useless for the next caller.
            self.process = None;
        }
        ended
    }

    fn ask_with_supply(
        &mut self,
        ask: ObjectRequest,
        ids: &[ObjectId],
        take: &mut Take<'_>,
    ) -> Result<()> {
        self.bring_many(ids)?;
        let mut missing = Vec::new();
        let fetches = self.supply.is_some();
        self.ask_all(ask, ids, &mut |at, answer| match answer {
            ObjectAnswer::Missing if fetches => {
                missing.push(at);
                Ok(())
            }
            answer => take(at, answer),
        })?;
        self.ask_elsewhere(ask, ids, &missing, take)
    }

    /// Fetches the missing objects and reads them again.
    fn ask_elsewhere(
        &mut self,
        ask: ObjectRequest,
        ids: &[ObjectId],
        missing: &[usize],
        take: &mut Take<'_>,
    ) -> Result<()> {
        let Some(supply) = self.supply.clone().filter(|_| !missing.is_empty()) else {
            return Ok(());
        };
        let wanted: Vec<ObjectId> = missing.iter().filter_map(|at| ids.get(*at).copied()).collect();
        let distinct: BTreeSet<ObjectId> = wanted.iter().copied().collect();
        lock(&supply).bring(&distinct.into_iter().collect::<Vec<_>>(), With::Commits)?;
        self.ask_all(ask, &wanted, &mut |at, answer| match missing.get(at) {
            Some(at) => take(*at, answer),
            None => Ok(()),
        })
    }

    fn ask_all(&mut self, ask: ObjectRequest, ids: &[ObjectId], take: &mut Take<'_>) -> Result<()> {
        let (mut answered, mut batches) = (0, ids.chunks(batch_len(ids)));
        let mut open: VecDeque<&[ObjectId]> = VecDeque::new();
        loop {
            while open.len() < 2 {
                let Some(batch) = batches.next() else { break };
                self.request(ask, batch)?;
                open.push_back(batch);
            }
            let Some(batch) = open.pop_front() else { return Ok(()) };
            let in_batch =
                self.answers(ask, batch.len(), &mut |at, answer| take(answered + at, answer))?;
            if in_batch < batch.len() {
                let next = open.pop_front().unwrap_or_default();
                let rest = batch.iter().chain(next).skip(in_batch);
                for (at, id) in (answered + in_batch..).zip(rest) {
                    take(at, self.ask_alone(ask, *id)?)?;
                }
                answered += next.len();
            }
            answered += batch.len();
        }
    }

    fn ask_alone(&mut self, ask: ObjectRequest, id: ObjectId) -> Result<ObjectAnswer> {
        let mut answer = None;
        self.request(ask, &[id])?;
        self.answers(ask, 1, &mut |_, found| {
            answer = Some(found);
            Ok(())
        })?;
        Ok(answer.unwrap_or_else(|| ObjectAnswer::Unreadable(self.last_words())))
    }

    /// Reads a single object.
    ///
    /// # Errors
    ///
    /// Fails if `git cat-file` ends, or answers in an unexpected format.
    pub fn ask_one(&mut self, ask: ObjectRequest, id: ObjectId) -> Result<ObjectAnswer> {
        let mut answer = ObjectAnswer::Missing;
        self.ask(ask, &[id], &mut |_, found| {
            answer = found;
            Ok(())
        })?;
        Ok(answer)
    }

    /// Sends a batch to Git, which is started if it does not run.
    fn request(&mut self, ask: ObjectRequest, batch: &[ObjectId]) -> Result<()> {
        let process = match &mut self.process {
            Some(process) if process.is_open() => process,
            _ => self.process.insert(Process::start(&self.git)?),
        };
        process.request(ask, batch);
        Ok(())
    }

    /// Reads the answers to a batch. Returns the number of answers before Git ended.
    fn answers(&mut self, ask: ObjectRequest, batch: usize, take: &mut Take<'_>) -> Result<usize> {
        for at in 0..batch {
            let process = self.process.as_mut();
            match process.map_or(Ok(None), |process| process.answer(ask))? {
                Some(answer) => take(at, answer)?,
                None => return Ok(at),
            }
        }
        Ok(batch)
    }

    /// Returns the error message with which Git ended.
    fn last_words(&mut self) -> String {
        let said = self.process.take().map(Process::end).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("git cat-file ended without a word").to_owned()
    }
}
