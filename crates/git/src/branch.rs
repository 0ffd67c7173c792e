//! The default branch, and the entry at a path in a commit.

use gix_hash::ObjectId;

use crate::command::GitFailure;
use crate::repository::Repository;

/// The remote-tracking branches of `origin`, the remote of every clone.
const REMOTE: &str = "refs/remotes/origin/";

/// A branch and the commit it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultBranch {
    /// The name as users write it: `origin/main`, `main`, `HEAD`.
    pub name: String,
    /// Its commit.
    pub commit: ObjectId,
}

/// The entry at a path in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathEntry {
    /// Git's mode: `100644`.
    pub mode: String,
    /// The object.
    pub id: ObjectId,
}

/// Finds the default branch, as far as a clone knows it. Returns `None` if there is no commit.
///
/// In a bare repository or a mirror it is HEAD. In a clone it is the HEAD of `origin`, else the
/// remote-tracking branch that `init.defaultBranch` names, `main` or `master` (actions/checkout
/// does not record a HEAD). Without `origin` it is the local branch with one of these names,
/// else HEAD.
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

/// Finds the branch with this full name, or the branch that a symbolic ref of this name points
/// to.
fn branch_named(repository: &Repository, full_name: &str) -> Option<DefaultBranch> {
    let commit = repository.commit(full_name)?;
    let target = repository.git.run(&["symbolic-ref", "--quiet", full_name]).ok();
    let name = target.map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
    let name = name.unwrap_or(full_name.to_owned());
    let short = ["refs/heads/", "refs/remotes/"].iter().find_map(|start| name.strip_prefix(start));
    Some(DefaultBranch { name: short.unwrap_or(&name).to_owned(), commit })
}

/// Returns the local branch for a remote-tracking branch (`origin/main`) if it has commits that
/// the remote did not have when this clone last fetched.
pub fn ahead_of(
    repository: &Repository,
    remote: &str,
    branch: &DefaultBranch,
) -> Option<DefaultBranch> {
    let short = branch.name.strip_prefix(remote)?.strip_prefix('/')?;
    let local = branch_named(repository, &format!("refs/heads/{short}"))?;
    let seen = repository.commit(&format!("refs/remotes/{}", branch.name)).unwrap_or(branch.commit);
    let is_there = local.commit == branch.commit || repository.is_ancestor(local.commit, seen);
    (!is_there).then_some(local)
}

/// Reads the entry at a path of a commit. The path is relative to the root.
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
        // The state after actions/checkout of a tag: no origin/HEAD, no local branch.
        let plain = clones.path().join("plain");
        run(&plain, &["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]);
        run(&plain, &["checkout", "--quiet", "--detach"]);
        assert_eq!(name(&plain), Some("origin/main".to_owned()));
    }

    #[test]
    fn paths_are_resolved_from_the_root_of_the_repository() {
        let repo = Repo::new();
        repo.write("sub/x", "x");
        repo.commit_file("rollouts.toml", "# empty");
        repo.commit("Something else");
        let repository = Repository::open(&repo.at("sub")).unwrap();
        let branch = default_branch(&repository).unwrap();
        let found = entry(&repository, branch.commit, "rollouts.toml").unwrap().unwrap();
        assert_eq!(found.mode, "100644");
        assert_eq!(entry(&repository, branch.commit, "nothing").unwrap(), None);
    }
}
