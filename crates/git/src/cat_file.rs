//! One `git cat-file --batch-command` that runs for long: what it is asked and answers.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use gix_hash::ObjectId;
use gix_object::Kind;

use crate::command::Git;

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

/// The process. Git ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    requests: Option<BufWriter<ChildStdin>>,
    answers: Option<BufReader<ChildStdout>>,
    said: Option<JoinHandle<Vec<u8>>>,
}

impl Process {
    pub(crate) fn start(git: &Git) -> Result<Self> {
        let mut command = git.command();
        command.args(["cat-file", "--batch-command", "--buffer"]).stdin(Stdio::piped());
        let mut child = command.spawn().context("git cat-file could not be started")?;
        let requests = child.stdin.take().map(BufWriter::new);
        let answers = child.stdout.take().map(|out| BufReader::with_capacity(1 << 16, out));
        let said = child.stderr.take().map(|stderr| std::thread::spawn(|| tail(stderr)));
        Ok(Self { child, requests, answers, said })
    }

    /// Whether it answers, or did not end before all of its answers were read.
    pub(crate) fn is_open(&self) -> bool {
        self.answers.is_some()
    }

    /// Asks. If Git has ended, what it still answered is in the pipe.
    pub(crate) fn request(&mut self, ask: ObjectRequest, batch: &[ObjectId]) {
        if self.try_request(ask, batch).is_err() {
            self.requests = None;
        }
    }

    fn try_request(&mut self, ask: ObjectRequest, batch: &[ObjectId]) -> io::Result<()> {
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
    pub(crate) fn answer(&mut self, ask: ObjectRequest) -> Result<Option<ObjectAnswer>> {
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
    pub(crate) fn end(mut self) -> Vec<u8> {
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
