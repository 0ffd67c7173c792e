//! Questions about the history of a branch, also if this clone has only a part of it.
//!
//! The clone is asked first. If its answer would be another one in a complete clone,
//! the history is fetched, as deep as it takes.

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
    /// Who wrote it.
    pub author: Vec<u8>,
    /// When it was committed, in seconds of Unix time.
    pub seconds: i64,
    /// Its message's first line.
    pub subject: Vec<u8>,
}

/// How many commits deep a history is fetched, one after the other until that is
/// enough. The last is Git's own name for all of it.
const DEPTHS: [u32; 3] = [64, 4096, 2_147_483_647];

/// The last commit before `tip`, itself included, that changed a path from the root;
/// `None` if no commit is known to have done so.
///
/// # Errors
///
/// If the history is not here and can't be fetched.
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
                // Without the note it is only found again by another fetch.
                let _ = fs::write(note, format!("{tip} {} {path}", change.commit));
                return Ok(Some(change));
            }
            Seen::Nothing => return Ok(None),
            Seen::CutOff => {}
        }
    }
    Ok(None)
}

/// Whether `old` is `new` or one of its ancestors.
///
/// # Errors
///
/// If the history is not here and can't be fetched.
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

/// What a repository says of a path's last change.
enum Seen {
    /// This.
    Change(LastChange),
    /// No commit has it.
    Nothing,
    /// The history ends here before it does there.
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

/// A commit at which a shallow clone ends shows no parents, though it has some.
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

/// The change, and how many parents its commit has.
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

/// Whether `old` leads to `new`; none if a commit on the way is not here.
fn leads_to(mut git: Command, old: ObjectId, new: ObjectId) -> Option<bool> {
    git.args(["merge-base", "--is-ancestor", &old.to_string(), &new.to_string()]);
    match git.output().ok()?.status.code()? {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}
