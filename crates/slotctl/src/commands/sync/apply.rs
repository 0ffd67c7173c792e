//! Carries out a plan stage by stage. Each stage is complete before the next begins, so that
//! no record names a missing key, even if the sync is interrupted.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::record::{self, UnreferencedRecord, is_due};
use reconcile::plan::{Plan, Stage, Write};

use super::check;
use super::concurrency::{Announcement, ConcurrentRun, Conflict};
use super::outcome::SyncOutcome;
use crate::args::SyncArgs;
use crate::context::Session;
use crate::interrupt;
use crate::output::leftover::Leftover;
use crate::output::{Meter, count};
use crate::read::{self, Blobs, Reading};
use crate::runs::Note;
use kv_api::{self, ApiError, Batch, Pair};

/// The inputs for carrying out a plan.
pub(super) struct Apply<'a> {
    /// The command.
    pub(super) session: &'a Session<'a, SyncArgs>,
    /// The plan.
    pub(super) plan: &'a Plan,
    /// The result of reading Git.
    pub(super) reading: &'a Reading,
}

impl Apply<'_> {
    /// Carries out the plan and reads a sample back. Ends with a conflict if others have
    /// changed what the plan was made from. That is checked before slots are moved, before
    /// keys are deleted, and at the end. The run's announcements are written in the same
    /// calls as the plan if possible.
    pub(super) fn run(
        &self,
        run: &mut ConcurrentRun<'_>,
        outcome: &mut SyncOutcome,
    ) -> Result<Conflict> {
        if self.plan.is_empty() {
            run.announce(Announcement::End)?;
            return run.conflict();
        }
        let (named, naming): (Vec<_>, Vec<_>) =
            Stage::ALL.into_iter().partition(|stage| *stage < Stage::Slots);
        self.write(&named, Some(Announcement::Start), run, outcome)?;
        run.announce(Announcement::Start)?;
        let conflict = run.conflict()?;
        if conflict != Conflict::None {
            return Ok(conflict);
        }
        let deletes = !self.plan.deletions.is_empty();
        self.write(&naming, (!deletes).then_some(Announcement::End), run, outcome)?;
        if deletes {
            let conflict = run.conflict()?;
            if conflict != Conflict::None {
                return Ok(conflict);
            }
            self.delete(outcome)?;
        }
        run.announce(Announcement::End)?;
        match check::check_sample(self.session, self.plan, run, outcome)? {
            Conflict::None => run.conflict(),
            conflict @ (Conflict::KvChanged | Conflict::GitChanged) => Ok(conflict),
        }
    }

    /// Writes stages. Adds the announcement of this run to the last call if it has room.
    fn write(
        &self,
        stages: &[Stage],
        tell: Option<Announcement>,
        run: &mut ConcurrentRun<'_>,
        outcome: &mut SyncOutcome,
    ) -> Result<()> {
        let note = tell.map_or(Ok(None), |tell| run.note(tell))?;
        let there = |stage: &&Stage| self.plan.stage(**stage).next().is_some();
        let stages: Vec<Stage> = stages.iter().filter(there).copied().collect();
        for stage in &stages {
            let began = Instant::now();
            let last = stages.last() == Some(stage) && stage.namespace() == Namespace::Components;
            let note = note.as_ref().filter(|_| last);
            let told = self.write_stage(*stage, note, outcome)?;
            if let (true, Some(tell)) = (told, tell) {
                run.set_announced(tell);
            }
            let written = outcome.written.get(stage).copied().unwrap_or_default();
            self.session.output.step("write", count(written, stage.name()), began);
        }
        Ok(())
    }

    /// Writes one stage; returns true if a call of it included the note.
    fn write_stage(
        &self,
        stage: Stage,
        note: Option<&Note>,
        outcome: &mut SyncOutcome,
    ) -> Result<bool> {
        self.session.output.note_leftover(Some(Leftover {
            what: "a part of the plan is written, and nothing names what is missing; \
                   the same command writes the rest"
                .to_owned(),
            hints: vec![interrupt::this_command(&[])],
        }));
        let meter = self.session.output.meter(stage.plural());
        meter.begin(self.plan.stage(stage).count());
        let mut blobs = match stage {
            Stage::Contents => Some(read::open_blobs(&self.reading.source)),
            Stage::Unreferenced
            | Stage::Versions
            | Stage::Slots
            | Stage::Ranges
            | Stage::Catalogs
            | Stage::Index => None,
        };
        let mut writer =
            Writer::new(self.session.store.namespace(stage.namespace()), stage, &meter, outcome);
        for write in self.plan.stage(stage) {
            let value = match (write, &mut blobs) {
                (Write::Content { digest, .. }, Some(blobs)) => {
                    self.content(*digest, blobs.as_mut())?
                }
                _ => write.record().unwrap_or_default(),
            };
            writer.put(write, &value)?;
        }
        let noted = note.is_some_and(|note| writer.take_along(note));
        writer.flush()?;
        Ok(noted)
    }

    /// Reads a content from Git and checks it against its digest.
    fn content(&self, digest: Digest, blobs: &mut dyn Blobs) -> Result<Vec<u8>> {
        let source = self.reading.contents.get(&digest);
        let source = source.with_context(|| format!("the repository has no {digest:?}"))?;
        let bytes = blobs.read(source)?;
        if Digest::of(&bytes) != digest {
            bail!("the content {digest:?} changed during the sync; run it again");
        }
        Ok(bytes)
    }

    /// Deletes keys, one kind after the other, in the order of the plan.
    fn delete(&self, outcome: &mut SyncOutcome) -> Result<()> {
        let began = Instant::now();
        for keys in self.plan.deletions.chunk_by(|a, b| Stage::of(a) == Stage::of(b)) {
            let keys: Vec<&Key> = keys.iter().filter(|key| !is_of(&outcome.spared, key)).collect();
            let (spared, keys) = self.spare(keys)?;
            outcome.spared.extend(spared);
            let Some(first) = keys.first() else { continue };
            outcome.deleted += delete_keys(self.session.store.namespace(first.namespace()), &keys)?;
        }
        if outcome.deleted > 0 {
            self.session.output.step("delete", count(outcome.deleted, "key"), began);
        }
        if !outcome.spared.is_empty() {
            let spared = count(outcome.spared.len(), "content");
            self.session
                .output
                .say(format_args!("       {spared} left: another sync needs it since"));
        }
        Ok(())
    }

    /// Splits keys into those to spare and those to delete. A content is spared if it is not
    /// due any more by its record in KV, which is read again: another sync that needs the
    /// content changes that record before it does anything else.
    fn spare<'k>(&self, keys: Vec<&'k Key>) -> Result<(Vec<Key>, Vec<&'k Key>)> {
        let record = |key: &Key| match key {
            Key::Content(digest) => Some(Key::Unreferenced(*digest)),
            _ => None,
        };
        let records: Vec<Key> = keys.iter().filter_map(|key| record(key)).collect();
        let mut due = BTreeSet::new();
        self.session.store.read(&records, |key, value| {
            let record = value.and_then(|value| record::parse::<UnreferencedRecord>(value).ok());
            if record.is_some_and(|record| is_due(record.since, self.session.now())) {
                due.insert(key.clone());
            }
        })?;
        let goes = |key: &&Key| record(key).is_none_or(|record| due.contains(&record));
        let (keys, spared): (Vec<&Key>, Vec<&Key>) = keys.into_iter().partition(goes);
        Ok((spared.into_iter().cloned().collect(), keys))
    }
}

/// Tells if `key` is the record of an unreferenced content that is one of `contents`.
fn is_of(contents: &[Key], key: &Key) -> bool {
    match key {
        Key::Unreferenced(digest) => contents.contains(&Key::Content(*digest)),
        _ => false,
    }
}

fn delete_keys(namespace: &kv_api::KvNamespace<'_>, keys: &[&Key]) -> Result<usize, ApiError> {
    let mut batch = Batch::new(namespace.limits());
    for key in keys.iter().map(ToString::to_string) {
        if !batch.push_key(&key) {
            namespace
                .delete_batch(std::mem::replace(&mut batch, Batch::new(namespace.limits())))?;
            batch.push_key(&key);
        }
    }
    if !batch.is_empty() {
        namespace.delete_batch(batch)?;
    }
    Ok(keys.len())
}

/// A writer of the values of a stage. It writes as many values per call as the API accepts,
/// and keeps no more than that in memory.
struct Writer<'a> {
    namespace: &'a kv_api::KvNamespace<'a>,
    stage: Stage,
    meter: &'a Meter,
    outcome: &'a mut SyncOutcome,
    batch: Batch,
    /// The size of the values in the batch in bytes.
    bytes: usize,
    /// The number of pairs in the batch that do not belong to the stage.
    along: usize,
}

impl<'a> Writer<'a> {
    fn new(
        namespace: &'a kv_api::KvNamespace<'a>,
        stage: Stage,
        meter: &'a Meter,
        outcome: &'a mut SyncOutcome,
    ) -> Self {
        let batch = Batch::new(namespace.limits());
        Self { namespace, stage, meter, outcome, batch, bytes: 0, along: 0 }
    }

    fn put(&mut self, write: &Write, value: &[u8]) -> Result<()> {
        let (key, metadata) = (write.key().to_string(), write.metadata());
        if metadata.is_none() && value.len() > self.namespace.limits().inline {
            self.namespace.put(&key, value)?;
            self.done(1, value.len());
            return Ok(());
        }
        let pair = Pair { key: &key, value, metadata: metadata.as_ref() };
        if !self.batch.push(pair) {
            self.flush()?;
            if !self.batch.push(pair) {
                bail!("{key}: {} bytes are too many for one call", value.len());
            }
        }
        self.bytes += value.len();
        Ok(())
    }

    /// Adds a note to the batch if the batch is not empty and has room; returns true if it
    /// did.
    fn take_along(&mut self, note: &Note) -> bool {
        let taken = !self.batch.is_empty() && self.batch.push(note.pair());
        self.along += usize::from(taken);
        taken
    }

    fn flush(&mut self) -> Result<(), ApiError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let empty = Batch::new(self.namespace.limits());
        let (batch, bytes) = (std::mem::replace(&mut self.batch, empty), self.bytes);
        let count = batch.len() - std::mem::take(&mut self.along);
        self.namespace.put_batch(batch)?;
        self.bytes = 0;
        self.done(count, bytes);
        Ok(())
    }

    fn done(&mut self, count: usize, bytes: usize) {
        *self.outcome.written.entry(self.stage).or_default() += count;
        self.outcome.bytes += bytes as u64;
        self.meter.add(count);
    }
}
