//! A long-running `git cat-file --batch-command`: its requests and its answers.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use gix_hash::ObjectId;
use gix_object::Kind;

use crate::command::Git;

/// The answer of Git for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAnswer {
    /// The object exists. The body is included if it was requested.
    Found {
        /// The kind of the object.
        kind: Kind,
        /// Its size in bytes.
        size: u64,
        /// Its body; empty if it was not requested.
        body: Vec<u8>,
    },
    /// The object exists and is larger than the caller accepts.
    TooLarge {
        /// The kind of the object.
        kind: Kind,
        /// Its size in bytes.
        size: u64,
    },
    /// The object does not exist.
    Missing,
    /// Git failed to read it; the error message of Git.
    Unreadable(String),
}

/// The kind of a request for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectRequest {
    /// Its kind and size.
    Info,
    /// Its body too, if it has at most this size in bytes.
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

    /// Tells if answers can still be read: Git runs, or has ended and left answers in the pipe.
    pub(crate) fn is_open(&self) -> bool {
        self.answers.is_some()
    }

    /// Sends a batch of requests. If Git has ended, its last answers can still be read from the
    /// pipe.
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

    /// Reads the next answer. Returns `None` if Git has ended.
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

    /// Waits until Git ends and returns the end of its stderr.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.close();
        self.said.take().and_then(|said| said.join().ok()).unwrap_or_default()
    }

    /// Closes both pipes: Git ends at the end of its input or when its output is not read.
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

/// Reads stderr of Git and keeps only its end, so that a badly damaged repository neither
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
