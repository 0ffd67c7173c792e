//! The default branch, and what stands at a path in one of its commits.

use anyhow::{Result, anyhow};
use gix_hash::ObjectId;

use crate::command::GitFailure;
use crate::repository::Repository;

/// Where the remote's branches are: the remote of every clone.
const REMOTE: &str = "refs/remotes/origin/";

/// A branch and the commit that it is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultBranch {
    /// As people name it: `origin/main`, `main`, `HEAD`.
    pub name: String,
    /// Its commit.
    pub commit: ObjectId,
}

/// What stands at a path in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathEntry {
    /// Git's mode: `100644`.
    pub mode: String,
    /// The object.
    pub id: ObjectId,
}

/// The commit that changed a path last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// Who wrote it.
    pub author: Vec<u8>,
    /// When it was committed, in seconds of Unix time.
    pub seconds: i64,
    /// Its message's first line.
    pub subject: Vec<u8>,
}

/// The default branch, as far as a clone knows it; none where there is no commit.
///
/// Of a bare repository or a mirror it is HEAD. A clone asks what `origin` has:
/// its HEAD, else the branch that `init.defaultBranch` names, `main` or `master`
/// (actions/checkout notes no HEAD). Without such a remote it is the local branch
/// of one of these names, else whatever HEAD is at.
pub fn default_branch(repository: &Repository) -> Option<DefaultBranch> {
    if repository.work_tree.is_none() {
        return branch_named(repository, "HEAD");
    }
    let configured = repository.config("init.defaultBranch");
    let names = configured.iter().map(String::as_str).chain(["main", "master"]);
    let remote = std::iter::once("HEAD").chain(names.clone()).map(|name| format!("{REMOTE}{name}"));
    let local = names.map(|name| format!("refs/heads/{name}"));
    remote.chain(local).chain(["HEAD".to_owned()]).find_map(|name| branch_named(repository, &name))
}

/// The branch of this full name, or that it stands for.
fn branch_named(repository: &Repository, full_name: &str) -> Option<DefaultBranch> {
    let commit = repository.commit(full_name)?;
    let target = repository.git.run(&["symbolic-ref", "--quiet", full_name]).ok();
    let name = target.map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
    let name = name.unwrap_or(full_name.to_owned());
    let short = ["refs/heads/", "refs/remotes/"].iter().find_map(|start| name.strip_prefix(start));
    Some(DefaultBranch { name: short.unwrap_or(&name).to_owned(), commit })
}

/// The local branch of which `branch` is the remote's, if it has commits that
/// the remote has not.
pub fn ahead_of(repository: &Repository, branch: &DefaultBranch) -> Option<DefaultBranch> {
    let local = branch.name.strip_prefix("origin/")?;
    let local = branch_named(repository, &format!("refs/heads/{local}"))?;
    (!repository.is_ancestor(local.commit, branch.commit)).then_some(local)
}

/// What stands at a path, from the root, in a commit.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot read the commit.
pub fn entry(
    repository: &Repository,
    commit: ObjectId,
    path: &str,
) -> Result<Option<PathEntry>, GitFailure> {
    let commit = commit.to_string();
    let printed = repository.git.run(&["ls-tree", "-z", "--full-tree", &commit, "--", path])?;
    let printed = String::from_utf8_lossy(&printed);
    let mut words = printed.split([' ', '\t']);
    let entry = words.next().zip(words.nth(1)).and_then(|(mode, id)| {
        let id = ObjectId::from_hex(id.as_bytes()).ok()?;
        Some(PathEntry { mode: mode.to_owned(), id })
    });
    Ok(entry)
}

/// The last commit before `commit`, itself included, that changed a path.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot read the history of the path.
pub fn last_change(repository: &Repository, commit: ObjectId, path: &str) -> Result<LastChange> {
    let (commit, path) = (commit.to_string(), format!(":(top){path}"));
    let format = ["log", "-1", "--no-show-signature", "--format=%ct%x00%an%x00%s"];
    let args = [&format[..], &[&commit, "--", &path]].concat();
    let printed = repository.git.run(&args).map_err(|error| error.explain(path.as_ref()))?;
    read_change(&printed).ok_or_else(|| anyhow!("no commit is known to have changed {path}"))
}

fn read_change(line: &[u8]) -> Option<LastChange> {
    let mut parts = line.trim_ascii_end().splitn(3, |byte| *byte == 0);
    let seconds = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    Some(LastChange { seconds, author: parts.next()?.to_vec(), subject: parts.next()?.to_vec() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::testing::{Repo, run};

    fn name(dir: &Path) -> Option<String> {
        default_branch(&Repository::open(dir).unwrap()).map(|branch| branch.name)
    }

    #[test]
    fn the_default_branch_is_found_in_every_kind_of_clone() {
        let repo = Repo::init(&["-c", "init.defaultBranch=trunk", "init", "--quiet"]);
        assert_eq!(name(repo.path()), None, "no commit");
        repo.commit_file("a", "a");
        assert_eq!(name(repo.path()), Some("trunk".to_owned()), "whatever HEAD is at");
        repo.git(&["branch", "main"]);
        assert_eq!(name(repo.path()), Some("main".to_owned()));
        repo.git(&["config", "init.defaultBranch", "trunk"]);
        repo.git(&["checkout", "--quiet", "-b", "feature"]);
        assert_eq!(name(repo.path()), Some("trunk".to_owned()));

        let clones = tempfile::TempDir::new().unwrap();
        let source = repo.path().to_str().unwrap();
        for (dir, flags, expected) in [
            ("plain", &[][..], "origin/feature"),
            ("mirror", &["--mirror"], "feature"),
            ("bare", &["--bare"], "feature"),
        ] {
            let args = [&["clone", "--quiet"], flags, &[source, dir]].concat();
            run(clones.path(), &args);
            assert_eq!(name(&clones.path().join(dir)), Some(expected.to_owned()), "{dir}");
        }
        // As actions/checkout leaves it on a tag: no origin/HEAD, no local branch.
        let plain = clones.path().join("plain");
        run(&plain, &["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]);
        run(&plain, &["checkout", "--quiet", "--detach"]);
        assert_eq!(name(&plain), Some("origin/main".to_owned()));
    }

    #[test]
    fn a_path_is_found_from_the_root_with_its_last_change() {
        let repo = Repo::new();
        repo.write("sub/x", "x");
        repo.commit_file("rollouts.toml", "# empty");
        repo.commit("Something else");
        let repository = Repository::open(&repo.at("sub")).unwrap();
        let branch = default_branch(&repository).unwrap();
        let found = entry(&repository, branch.commit, "rollouts.toml").unwrap().unwrap();
        assert_eq!(found.mode, "100644");
        assert_eq!(entry(&repository, branch.commit, "nothing").unwrap(), None);
        let change = last_change(&repository, branch.commit, "rollouts.toml").unwrap();
        assert_eq!((change.author.as_slice(), change.seconds), (&b"Ada Author"[..], 1_767_229_200));
        assert!(last_change(&repository, branch.commit, "nothing").is_err());
    }
}
