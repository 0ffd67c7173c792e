//! Reads the history of a branch, even if this clone has only a part of it.
//!
//! The clone is read first. If a complete clone could give another result, the history is
//! fetched as deep as needed.

use std::fs;
use std::process::Command;

use anyhow::Result;
use gix_hash::ObjectId;

use crate::fetch::{Supply, lock};
use crate::repository::Repository;
use crate::write::run;

/// The commit that changed a path last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// Its id.
    pub commit: ObjectId,
    /// The author of the commit.
    pub author: Vec<u8>,
    /// The commit time, in seconds of Unix time.
    pub seconds: i64,
    /// The first line of the commit message.
    pub subject: Vec<u8>,
}

/// The depths in commits at which a history is fetched, one after the other until one is
/// enough. The last value means the whole history to Git.
const DEPTHS: [u32; 3] = [64, 4096, 2_147_483_647];

/// Finds the last commit up to and including `tip` that changed a path. The path is relative to
/// the root. Returns `None` if no such commit is known.
///
/// # Errors
///
/// If the history is not in the clone and cannot be fetched.
pub fn last_change(
    repository: &Repository,
    supply: Option<&Supply>,
    tip: ObjectId,
    path: &str,
) -> Result<Option<LastChange>> {
    let command = || repository.git.command();
    if let Seen::Change(change) = look(&command, tip, path) {
        return Ok(Some(change));
    }
    let Some(supply) = supply else { return Ok(None) };
    let mut fetcher = lock(supply);
    let note = fetcher.store().home().join("last-change");
    if let Some(id) = noted(&note, tip, path)
        && let Some(change) = show(&command, id)
    {
        return Ok(Some(change));
    }
    for depth in DEPTHS {
        let history = fetcher.history(tip, depth)?;
        match look(&|| history.command(), tip, path) {
            Seen::Change(change) => {
                // Without this file, the next run has to fetch again.
                let _ = fs::write(note, format!("{tip} {} {path}", change.commit));
                return Ok(Some(change));
            }
            Seen::Nothing => return Ok(None),
            Seen::CutOff => {}
        }
    }
    Ok(None)
}

/// Tells if `old` is `new` or one of its ancestors.
///
/// # Errors
///
/// If the history is not in the clone and cannot be fetched.
pub fn is_ancestor(
    repository: &Repository,
    supply: Option<&Supply>,
    old: ObjectId,
    new: ObjectId,
) -> Result<bool> {
    let is_shallow = repository.git.run(&["rev-parse", "--is-shallow-repository"]);
    let is_whole = is_shallow.is_ok_and(|printed| printed.trim_ascii() == b"false");
    match (leads_to(repository.git.command(), old, new), supply) {
        (Some(true), _) => return Ok(true),
        (Some(false), _) if is_whole => return Ok(false),
        (_, None) => return Ok(false),
        (_, Some(_)) => {}
    }
    let Some(supply) = supply else { return Ok(false) };
    let mut fetcher = lock(supply);
    for depth in DEPTHS {
        let history = fetcher.history(new, depth)?;
        if leads_to(history.command(), old, new) == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The result of a search for the last change of a path in one repository.
enum Seen {
    /// The change was found.
    Change(LastChange),
    /// No commit changed the path.
    Nothing,
    /// The history was cut off before the change was found.
    CutOff,
}

const FORMAT: &str = "--format=%ct%x00%an%x00%s%x00%H %P";

fn look(git: &dyn Fn() -> Command, tip: ObjectId, path: &str) -> Seen {
    let (tip, path) = (tip.to_string(), format!(":(top){path}"));
    let mut command = git();
    command.args(["log", "-1", "--no-show-signature", FORMAT, &tip, "--", &path]);
    let Some(printed) = run(&mut command).ok().filter(|ran| ran.ok).map(|ran| ran.stdout) else {
        return Seen::CutOff;
    };
    if printed.trim_ascii().is_empty() {
        return Seen::Nothing;
    }
    match read(&printed) {
        Some((change, parents)) if parents > 0 || is_root(git, change.commit) => {
            Seen::Change(change)
        }
        _ => Seen::CutOff,
    }
}

/// Tells if a commit is a root. The last commit of a shallow clone shows no parents but has
/// some.
fn is_root(git: &dyn Fn() -> Command, id: ObjectId) -> bool {
    let ran = run(git().args(["cat-file", "commit", &id.to_string()]));
    let body = ran.map(|ran| ran.stdout).unwrap_or_default();
    let mut header = body.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    !body.is_empty() && !header.any(|line| line.starts_with(b"parent "))
}

fn show(git: &dyn Fn() -> Command, id: ObjectId) -> Option<LastChange> {
    let id = id.to_string();
    let ran =
        run(git().args(["log", "-1", "--no-walk", "--no-show-signature", FORMAT, &id])).ok()?;
    read(&ran.stdout).map(|(change, _)| change)
}

/// Parses the change and the number of parents of its commit.
fn read(line: &[u8]) -> Option<(LastChange, usize)> {
    let mut parts = line.trim_ascii_end().splitn(4, |byte| *byte == 0);
    let seconds = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let (author, subject) = (parts.next()?.to_vec(), parts.next()?.to_vec());
    let mut ids = parts.next()?.split(|byte| *byte == b' ').filter(|id| !id.is_empty());
    let commit = ObjectId::from_hex(ids.next()?).ok()?;
    Some((LastChange { commit, author, seconds, subject }, ids.count()))
}

fn noted(note: &std::path::Path, tip: ObjectId, path: &str) -> Option<ObjectId> {
    let text = fs::read_to_string(note).ok()?;
    let rest = text.strip_prefix(&format!("{tip} "))?;
    let (id, of) = rest.split_once(' ')?;
    ObjectId::from_hex(id.as_bytes()).ok().filter(|_| of == path)
}

/// Tells if `old` is an ancestor of `new`. Returns `None` if a commit between them is missing.
fn leads_to(mut git: Command, old: ObjectId, new: ObjectId) -> Option<bool> {
    git.args(["merge-base", "--is-ancestor", &old.to_string(), &new.to_string()]);
    match git.output().ok()?.status.code()? {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}
