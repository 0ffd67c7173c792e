//! Remotes: listing and fetching their refs, and pushing to them.

use std::collections::HashMap;
use std::process::Command;

use anyhow::{Context as _, Result};
use gix_hash::ObjectId;
use notice::printable;

use crate::network::{self, Limit, Unanswered};
use crate::repository::Repository;
use crate::write::Ran;
use notice::Refused;

/// The branch that HEAD is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentBranch {
    /// Its short name: `main`.
    pub name: String,
    /// Its commit; `None` if it has no commits yet.
    pub tip: Option<ObjectId>,
}

/// A ref to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The new target: an object id, or the full name of a branch.
    pub source: String,
    /// Its full name on the remote.
    pub name: String,
    /// The lease of a tag: the object it must point to on the remote before the push, or
    /// `Some(None)` if it must not exist there. `None` means no lease.
    pub lease: Option<Option<ObjectId>>,
}

/// Lists the names of the remotes.
///
/// # Errors
///
/// Fails if Git cannot be run or fails.
pub fn names(repository: &Repository) -> Result<Vec<String>> {
    let printed = repository.git.run(&["remote"]);
    let printed = printed.map_err(|error| error.explain(&repository.common_dir))?;
    Ok(String::from_utf8_lossy(&printed).lines().map(str::to_owned).collect())
}

/// Returns the branch that HEAD is on, or `None` if HEAD is detached.
pub fn current_branch(repository: &Repository) -> Option<CurrentBranch> {
    let printed = repository.git.run(&["symbolic-ref", "--quiet", "HEAD"]).ok()?;
    let name = String::from_utf8(printed).ok()?;
    let name = name.trim_end().strip_prefix("refs/heads/")?.to_owned();
    Some(CurrentBranch { name, tip: repository.head() })
}

/// Lists the refs of a remote whose full name matches one of `patterns`.
///
/// # Errors
///
/// Fails if Git cannot be run, or if the remote cannot be read.
pub fn list(
    repository: &Repository,
    remote: &str,
    patterns: &[String],
    limit: Limit,
) -> Result<HashMap<String, ObjectId>> {
    let mut command = repository.git.user_command();
    network::restrict_protocols(&mut command);
    command.args(["ls-remote", network::UPLOAD_PACK, "--refs", "--end-of-options", remote]);
    command.args(patterns);
    let printed = network::run(&mut command, Vec::new(), limit)
        .map_err(|error| unreachable(remote, &error.to_string()))?;
    let mut refs = HashMap::new();
    for line in String::from_utf8_lossy(&printed).lines() {
        let (id, name) = line.split_once('\t').context("git ls-remote printed an odd line")?;
        refs.insert(name.to_owned(), ObjectId::from_hex(id.as_bytes())?);
    }
    Ok(refs)
}

/// Fetches tags by their full names and replaces the local ones.
///
/// # Errors
///
/// Fails if Git cannot be run, or if the fetch fails.
pub fn fetch_refs(
    repository: &Repository,
    remote: &str,
    names: &[String],
    limit: Limit,
) -> Result<()> {
    /// A command line holds about two megabytes; each name occurs twice and has at most 700
    /// bytes.
    const TOGETHER: usize = 1_000;
    for names in names.chunks(TOGETHER) {
        let mut command = fetch(repository);
        command.args(["--force", "--refmap=", "--end-of-options", remote]);
        command.args(names.iter().map(|name| format!("+{name}:{name}")));
        network::run(&mut command, Vec::new(), limit)
            .map_err(|error| unreachable(remote, &error.to_string()))?;
    }
    Ok(())
}

/// Fetches the objects of tags without changing refs.
///
/// # Errors
///
/// Fails if Git cannot be run, or if the fetch fails.
pub fn fetch_objects(
    repository: &Repository,
    remote: &str,
    names: &[String],
    limit: Limit,
) -> Result<()> {
    let mut command = fetch(repository);
    command.args(["--end-of-options", remote]).args(names);
    network::run(&mut command, Vec::new(), limit)?;
    Ok(())
}

/// Creates a command that fetches. The caller adds the remote and what to fetch.
fn fetch(repository: &Repository) -> Command {
    let mut command = repository.git.user_command();
    network::restrict_protocols(&mut command);
    // `--progress` keeps the time limit from ending a transfer that goes on.
    command.args(["fetch", "--progress", network::UPLOAD_PACK, "--no-tags"]);
    command.args(["--no-write-fetch-head", "--no-recurse-submodules"]);
    command
}

/// The message of Git if a host does not offer the capability `atomic` of Git's protocol.
const NOT_ATOMIC: &[u8] = b"the receiving end does not support --atomic push";

/// The result of a push.
#[derive(Debug)]
pub struct PushRun {
    /// The exit and the output of Git.
    pub ran: Ran,
    /// True if the push was atomic: all refs or none.
    pub atomic: bool,
}

/// Pushes refs, atomically if the host supports that. The caller reads the output of Git. A
/// single ref does not need this support: its push succeeds or fails as a whole.
///
/// # Errors
///
/// [`Unanswered`] if Git cannot be run, or has not ended within the total limit: it is silent while
/// it sends objects and while hooks run. A refused push is not an error: see [`Ran`].
pub fn push(
    repository: &Repository,
    remote: &str,
    refs: &[Pushed],
    upstream: bool,
    limit: Limit,
) -> Result<PushRun, Unanswered> {
    let alone = refs.len() == 1;
    let push = |atomic| {
        let mut command = push_command(repository, remote, refs, upstream, atomic);
        network::run_any(&mut command, limit.of_total())
    };
    let ran = push(!alone)?;
    let unsupported = ran.stderr.windows(NOT_ATOMIC.len()).any(|said| said == NOT_ATOMIC);
    if alone || ran.ok || !unsupported {
        return Ok(PushRun { ran, atomic: true });
    }
    Ok(PushRun { ran: push(false)?, atomic: false })
}

fn push_command(
    repository: &Repository,
    remote: &str,
    refs: &[Pushed],
    upstream: bool,
    atomic: bool,
) -> Command {
    let mut command = repository.git.user_command();
    command.args(["push", "--porcelain", "--no-follow-tags"]);
    if atomic {
        command.arg("--atomic");
    }
    if upstream {
        command.arg("--set-upstream");
    }
    for Pushed { name, lease, .. } in refs {
        if let Some(expected) = lease {
            let expected = expected.map(|id| id.to_string()).unwrap_or_default();
            command.arg(format!("--force-with-lease={name}:{expected}"));
        }
    }
    command.args(["--end-of-options", remote]);
    command.args(refs.iter().map(|pushed| format!("{}:{}", pushed.source, pushed.name)));
    command
}

fn unreachable(remote: &str, said: &str) -> anyhow::Error {
    let help = format!("check its address: git remote get-url {}", printable(remote.as_bytes()));
    Refused::new(remote, format!("cannot be reached: {said}"), help).into()
}
