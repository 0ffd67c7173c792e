//! The repository's objects, from one long-lived `git cat-file --batch-command`.
//!
//! Requests are handed over in batches that end with `flush`: Git queues what it
//! is asked and answers at the flush, in the order asked. Two batches are with Git at
//! a time, so that it reads the one while the other's answers are worked on. It takes
//! no requests while it waits for room for its answers: a batch has to fit into a
//! pipe, or either side would wait for the other for ever.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use gix_hash::ObjectId;
use gix_object::Kind;

use crate::command::Git;
use crate::repository::Repository;

/// What Git says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAnswer {
    /// It is there, with this body if that was asked for.
    Found {
        /// The kind of the object.
        kind: Kind,
        /// Its size in bytes.
        size: u64,
        /// Its body; empty if that was not asked for.
        body: Vec<u8>,
    },
    /// It is there and larger than the caller takes.
    TooLarge {
        /// The kind of the object.
        kind: Kind,
        /// Its size in bytes.
        size: u64,
    },
    /// It is not there.
    Missing,
    /// Git failed on it; what it said.
    Unreadable(String),
}

/// What is asked of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectRequest {
    /// Its kind and size.
    Info,
    /// Its body too, up to this size.
    Contents(u64),
}

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
}

struct Process {
    child: Child,
    requests: Option<BufWriter<ChildStdin>>,
    answers: Option<BufReader<ChildStdout>>,
    said: Option<JoinHandle<Vec<u8>>>,
}

/// Who takes the answers: the request's number, and what Git said.
type Take<'a> = dyn FnMut(usize, ObjectAnswer) -> Result<()> + 'a;

impl Objects {
    /// The objects of a repository. Git is started at the first request.
    pub fn of(repository: &Repository) -> Self {
        Self { git: repository.git.clone(), process: None }
    }

    /// Asks for objects and hands each answer over, in the order of `ids`.
    ///
    /// Git ends at an object that is damaged. The rest of what it had is then asked
    /// one by one, so that the damage is told of the right object and stops no other.
    ///
    /// # Errors
    ///
    /// Fails if `git cat-file` ends, or answers in an unexpected format.
    pub fn ask(&mut self, ask: ObjectRequest, ids: &[ObjectId], take: &mut Take<'_>) -> Result<()> {
        let ended = self.ask_all(ask, ids, take);
        if ended.is_err() {
            // What it still answers is of no use to whoever asks next.
            self.process = None;
        }
        ended
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
        if process.request(ask, batch).is_err() {
            // Git has ended; what it still answered is in the pipe.
            process.requests = None;
        }
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

impl Process {
    fn start(git: &Git) -> Result<Self> {
        let mut command = git.command();
        command.args(["cat-file", "--batch-command", "--buffer"]).stdin(Stdio::piped());
        let mut child = command.spawn().context("git cat-file could not be started")?;
        let requests = child.stdin.take().map(BufWriter::new);
        let answers = child.stdout.take().map(|out| BufReader::with_capacity(1 << 16, out));
        let said = child.stderr.take().map(|stderr| std::thread::spawn(|| tail(stderr)));
        Ok(Self { child, requests, answers, said })
    }

    /// Whether it answers, or did not end before all of its answers were read.
    fn is_open(&self) -> bool {
        self.answers.is_some()
    }

    fn request(&mut self, ask: ObjectRequest, batch: &[ObjectId]) -> io::Result<()> {
        let Some(requests) = &mut self.requests else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let verb = match ask {
            ObjectRequest::Info => "info",
            ObjectRequest::Contents(_) => "contents",
        };
        for id in batch {
            writeln!(requests, "{verb} {id}")?;
        }
        requests.write_all(b"flush\n")?;
        requests.flush()
    }

    /// The next answer; `None` if Git has ended.
    fn answer(&mut self, ask: ObjectRequest) -> Result<Option<ObjectAnswer>> {
        let Some(answers) = &mut self.answers else { return Ok(None) };
        let mut header = Vec::new();
        let read = answers.read_until(b'\n', &mut header);
        if read.is_err() || header.last() != Some(&b'\n') {
            self.answers = None;
            return Ok(None);
        }
        let answer = read_header(&header)
            .ok_or_else(|| anyhow!("git cat-file said {:?}", String::from_utf8_lossy(&header)))?;
        let (ObjectRequest::Contents(limit), ObjectAnswer::Found { kind, size, .. }) =
            (ask, &answer)
        else {
            return Ok(Some(answer));
        };
        let answer = read_body(answers, *kind, *size, limit).ok();
        if answer.is_none() {
            self.answers = None;
        }
        Ok(answer)
    }

    /// Waits for Git's end and returns what it said last.
    fn end(mut self) -> Vec<u8> {
        self.close();
        self.said.take().and_then(|said| said.join().ok()).unwrap_or_default()
    }

    /// Git ends when its input does, or when nobody reads what it prints.
    fn close(&mut self) {
        self.requests = None;
        self.answers = None;
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close();
    }
}

/// Reads `<id> <kind> <size>` or `<id> missing`.
fn read_header(line: &[u8]) -> Option<ObjectAnswer> {
    let mut words = line.trim_ascii_end().split(|b| *b == b' ');
    let (_id, kind) = (words.next()?, words.next()?);
    if kind == b"missing" {
        return Some(ObjectAnswer::Missing);
    }
    let size = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    Some(ObjectAnswer::Found { kind: Kind::from_bytes(kind).ok()?, size, body: Vec::new() })
}

fn read_body(
    answers: &mut impl BufRead,
    kind: Kind,
    size: u64,
    limit: u64,
) -> io::Result<ObjectAnswer> {
    if size > limit {
        skip(answers, size)?;
    }
    let mut body = Vec::new();
    if size <= limit {
        body.reserve_exact(usize::try_from(size).unwrap_or(0));
        answers.take(size).read_to_end(&mut body)?;
    }
    skip(answers, 1)?;
    match (size > limit, body.len() as u64 == size) {
        (true, _) => Ok(ObjectAnswer::TooLarge { kind, size }),
        (false, true) => Ok(ObjectAnswer::Found { kind, size, body }),
        (false, false) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn skip(answers: &mut impl BufRead, size: u64) -> io::Result<()> {
    match io::copy(&mut answers.take(size), &mut io::sink())? == size {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The end of what Git says, so that a repository with a lot of damage neither
/// blocks Git on a full pipe nor fills the memory.
fn tail(mut stderr: impl Read) -> Vec<u8> {
    const KEPT: usize = 4096;
    let mut said = Vec::new();
    let mut chunk = [0; KEPT];
    while let Ok(read @ 1..) = stderr.read(&mut chunk) {
        said.extend_from_slice(chunk.get(..read).unwrap_or(&[]));
        said.drain(..said.len().saturating_sub(KEPT));
    }
    said
}
