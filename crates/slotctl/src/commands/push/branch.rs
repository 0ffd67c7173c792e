//! The current branch: its destination on the remote, and the check that it can be pushed.

use std::collections::HashMap;

use anyhow::Result;
use gix_hash::ObjectId;

use super::refusal::refuse;
use crate::nearest::nearest;
use crate::output::{Output, count};
use git::Repository;
use git::remote::{CurrentBranch, Pushed};

/// The branch as it is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BranchPlan {
    /// The branch's name here.
    pub(super) name: String,
    /// The commits that are pushed, in words.
    pub(super) what: String,
    /// The ref that is pushed.
    pub(super) pushed: Pushed,
    /// True if the push sets an upstream.
    pub(super) upstream: bool,
}

/// Returns the branch of HEAD. Tags can be pushed without a branch: CI has a detached HEAD.
pub(super) fn current(
    repository: &Repository,
    tags: bool,
    output: &Output,
) -> Result<Option<CurrentBranch>> {
    match (git::remote::current_branch(repository), tags) {
        (Some(branch), _) if branch.tip.is_some() => Ok(Some(branch)),
        (Some(branch), _) => {
            refuse(&branch.name, "the branch has no commit yet", "commit something: git commit")
        }
        (None, true) => {
            output.say("HEAD is detached: tags are pushed, commits only as far as tags need them");
            Ok(None)
        }
        (None, false) => refuse(
            "HEAD",
            "is detached, so there is no branch to push",
            "git switch <branch>; or push tags alone: slotctl push --tags",
        ),
    }
}

/// Returns the remote: the one that was named, else that of the branch, else the only one.
pub(super) fn remote(
    repository: &Repository,
    named: Option<&str>,
    branch: Option<&CurrentBranch>,
) -> Result<String> {
    let remotes = git::remote::names(repository)?;
    let known = |name: &String| remotes.contains(name);
    if let Some(named) = named {
        return match known(&named.to_owned()) {
            true => Ok(named.to_owned()),
            false => refuse(
                named,
                "is not a remote of this repository",
                match nearest(named, remotes.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near}? slotctl push {near}"),
                    None => which(&remotes),
                },
            ),
        };
    }
    let key = |key: &str| {
        branch.and_then(|branch| repository.config(&key.replace("BRANCH", &branch.name)))
    };
    let configured = key("branch.BRANCH.pushRemote")
        .or_else(|| repository.config("remote.pushDefault"))
        .or_else(|| key("branch.BRANCH.remote"))
        .filter(known);
    let usual = || Some("origin".to_owned()).filter(known);
    let only = || if let [only] = remotes.as_slice() { Some(only.clone()) } else { None };
    match configured.or_else(only).or_else(usual) {
        Some(remote) => Ok(remote),
        None => refuse("push", "there is no remote to push to", which(&remotes)),
    }
}

fn which(remotes: &[String]) -> String {
    match remotes.is_empty() {
        true => "say where the others are: git remote add origin <url>".to_owned(),
        false => format!("there are {}: slotctl push <remote>", remotes.join(", ")),
    }
}

/// Returns the plan of the branch; `None` if the remote has its commits.
pub(super) fn plan(
    repository: &Repository,
    remote: &str,
    branch: &CurrentBranch,
    there: &HashMap<String, ObjectId>,
) -> Result<Option<BranchPlan>> {
    let Some(tip) = branch.tip else { return Ok(None) };
    let merge = repository
        .config(&format!("branch.{}.remote", branch.name))
        .filter(|upstream| upstream == remote)
        .and_then(|_| repository.config(&format!("branch.{}.merge", branch.name)));
    let upstream = merge.is_none();
    let source = format!("refs/heads/{}", branch.name);
    let name = merge.unwrap_or_else(|| source.clone());
    let what = match there.get(&name) {
        None => "a new branch".to_owned(),
        // The newer commits are those of others: there is nothing to push.
        Some(theirs) if *theirs == tip || repository.is_ancestor(tip, *theirs) => return Ok(None),
        Some(theirs) if repository.is_ancestor(*theirs, tip) => commits(repository, *theirs, tip),
        Some(_) => return diverged(repository, remote, branch, tip, &name),
    };
    let pushed = Pushed { source, name, lease: None };
    Ok(Some(BranchPlan { name: branch.name.clone(), what, pushed, upstream }))
}

fn commits(repository: &Repository, from: ObjectId, to: ObjectId) -> String {
    let number = repository.git.run(&["rev-list", "--count", &format!("{from}..{to}")]).ok();
    let number = number.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok());
    number.map_or("new commits".to_owned(), |number| count(number, "commit"))
}

/// Handles a branch of the remote at a commit that is not here, or with a diverged history. If it
/// contained all commits of this branch when it was last fetched, this branch is only behind.
fn diverged(
    repository: &Repository,
    remote: &str,
    branch: &CurrentBranch,
    tip: ObjectId,
    name: &str,
) -> Result<Option<BranchPlan>> {
    let short = name.strip_prefix("refs/heads/").unwrap_or(name);
    let fetched = repository.commit(&format!("refs/remotes/{remote}/{short}"));
    if fetched.is_some_and(|fetched| repository.is_ancestor(tip, fetched)) {
        return Ok(None);
    }
    let what = format!("{remote}/{short} has commits that are not here");
    refuse(&branch.name, what, "integrate them first: git pull --rebase")
}
