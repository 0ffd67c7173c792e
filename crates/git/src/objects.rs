//! The repository's objects, from one long-lived `git cat-file --batch-command`.
//!
//! Requests are handed over in batches that end with `flush`: Git queues what it
//! is asked and answers at the flush, in the order asked. Two batches are with Git at
//! a time, so that it reads the one while the other's answers are worked on. It takes
//! no requests while it waits for room for its answers: a batch has to fit into a
//! pipe, or either side would wait for the other for ever.

use std::collections::{BTreeSet, VecDeque};

use anyhow::Result;
use gix_hash::ObjectId;

use crate::cat_file::Process;
use crate::command::Git;
use crate::fetch::{Supply, With, lock};
use crate::repository::Repository;

pub use crate::cat_file::{ObjectAnswer, ObjectRequest};

/// The bytes of the requests between two flushes: what every system's pipes hold.
const BATCH: usize = 4096;

/// How many requests a batch has.
fn batch_len(ids: &[ObjectId]) -> usize {
    // `contents`, a space, the id and a line end.
    let request = ids.first().map_or(1, |id| id.kind().len_in_hex() + 10);
    BATCH / request
}

/// Reads objects.
pub struct Objects {
    git: Git,
    process: Option<Process>,
    /// Where objects come from that are not here.
    supply: Option<Supply>,
}

/// Who takes the answers: the request's number, and what Git said.
type Take<'a> = dyn FnMut(usize, ObjectAnswer) -> Result<()> + 'a;

impl Objects {
    /// The objects of a repository. Git is started at the first request.
    pub fn of(repository: &Repository) -> Self {
        Self { git: repository.git.clone(), process: None, supply: None }
    }

    /// The same objects, of which those that are missing are fetched.
    #[must_use]
    pub fn with_supply(self, supply: Option<Supply>) -> Self {
        Self { supply, ..self }
    }

    /// Fetches objects that are known to be missing.
    ///
    /// # Errors
    ///
    /// If the remote sends nothing.
    pub fn bring(&mut self, missing: &[ObjectId]) -> Result<()> {
        let Some(supply) = self.supply.clone() else { return Ok(()) };
        lock(&supply).bring(missing, With::Commits)
    }

    /// Fetches the folders of commits, all of them, if the root of one is missing.
    ///
    /// # Errors
    ///
    /// If the remote sends nothing.
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

    /// Asks for objects and hands each answer over with its place in `ids`, in that order
    /// but for those that had to be fetched, which come last.
    ///
    /// Git ends at an object that is damaged. The rest of what it had is then asked
    /// one by one, so that the damage is told of the right object and stops no other.
    ///
    /// # Errors
    ///
    /// Fails if `git cat-file` ends or answers in an unexpected format, or if what is missing
    /// cannot be fetched.
    pub fn ask(&mut self, ask: ObjectRequest, ids: &[ObjectId], take: &mut Take<'_>) -> Result<()> {
        let mut missing = Vec::new();
        let fetches = self.supply.is_some();
        let ended = self.ask_all(ask, ids, &mut |at, answer| match answer {
            ObjectAnswer::Missing if fetches => {
                missing.push(at);
                Ok(())
            }
            answer => take(at, answer),
        });
        let ended = ended.and_then(|()| self.ask_elsewhere(ask, ids, &missing, take));
        if ended.is_err() {
            // What it still answers is of no use to whoever asks next.
            self.process = None;
        }
        ended
    }

    /// Fetches what is missing, and asks again.
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

    /// Asks for a single object.
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

    /// Hands a batch over to Git, which is started where there is none.
    fn request(&mut self, ask: ObjectRequest, batch: &[ObjectId]) -> Result<()> {
        let process = match &mut self.process {
            Some(process) if process.is_open() => process,
            _ => self.process.insert(Process::start(&self.git)?),
        };
        process.request(ask, batch);
        Ok(())
    }

    /// Takes the answers to a batch; says how many came before Git ended.
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

    /// What Git said when it ended.
    fn last_words(&mut self) -> String {
        let said = self.process.take().map(Process::end).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("git cat-file ended without a word").to_owned()
    }
}
