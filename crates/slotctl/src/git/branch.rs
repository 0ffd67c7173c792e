//! The default branch, and what stands at a path in one of its commits.

use anyhow::{Result, anyhow};
use gix_hash::ObjectId;

use super::Repository;
use super::command::Failure;

/// Where the remote's branches are: the remote of every clone.
const REMOTE: &str = "refs/remotes/origin/";

/// A branch and the commit that it is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    /// As people name it: `origin/main`, `main`, `HEAD`.
    pub(crate) name: String,
    /// Its commit.
    pub(crate) commit: ObjectId,
}

/// What stands at a path in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathEntry {
    /// Git's mode: `100644`.
    pub(crate) mode: String,
    /// The object.
    pub(crate) id: ObjectId,
}

/// The commit that changed a path last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastChange {
    /// Who wrote it.
    pub(crate) author: Vec<u8>,
    /// When it was committed, in seconds of Unix time.
    pub(crate) seconds: i64,
    /// Its message's first line.
    pub(crate) subject: Vec<u8>,
}

impl Repository {
    /// The default branch, as far as a clone knows it; none where there is no commit.
    ///
    /// Of a bare repository or a mirror it is HEAD. A clone asks what `origin` has:
    /// its HEAD, else the branch that `init.defaultBranch` names, `main` or `master`
    /// (actions/checkout notes no HEAD). Without such a remote it is the local branch
    /// of one of these names, else whatever HEAD is at.
    pub(crate) fn default_branch(&self) -> Option<Branch> {
        if self.work_tree.is_none() {
            return self.branch("HEAD");
        }
        let configured = self.git.run(&["config", "--get", "init.defaultBranch"]).ok();
        let configured =
            configured.map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
        let names = configured.iter().map(String::as_str).chain(["main", "master"]);
        let remote =
            std::iter::once("HEAD").chain(names.clone()).map(|name| format!("{REMOTE}{name}"));
        let local = names.map(|name| format!("refs/heads/{name}"));
        remote.chain(local).chain(["HEAD".to_owned()]).find_map(|name| self.branch(&name))
    }

    /// The branch of this full name, or that it stands for.
    fn branch(&self, full_name: &str) -> Option<Branch> {
        let commit = self.commit(full_name)?;
        let target = self.git.run(&["symbolic-ref", "--quiet", full_name]).ok();
        let name = target.map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
        let name = name.unwrap_or(full_name.to_owned());
        let short =
            ["refs/heads/", "refs/remotes/"].iter().find_map(|start| name.strip_prefix(start));
        Some(Branch { name: short.unwrap_or(&name).to_owned(), commit })
    }

    /// The local branch of which `branch` is the remote's, if it has commits that
    /// the remote has not.
    pub(crate) fn ahead_of(&self, branch: &Branch) -> Option<Branch> {
        let local = branch.name.strip_prefix("origin/")?;
        let local = self.branch(&format!("refs/heads/{local}"))?;
        let (ours, theirs) = (local.commit.to_string(), branch.commit.to_string());
        let contained = self.git.run(&["merge-base", "--is-ancestor", &ours, &theirs]).is_ok();
        (!contained).then_some(local)
    }

    /// What stands at a path, from the root, in a commit.
    pub(crate) fn entry(&self, commit: ObjectId, path: &str) -> Result<Option<PathEntry>, Failure> {
        let commit = commit.to_string();
        let printed = self.git.run(&["ls-tree", "-z", "--full-tree", &commit, "--", path])?;
        let printed = String::from_utf8_lossy(&printed);
        let mut words = printed.split([' ', '\t']);
        let entry = words.next().zip(words.nth(1)).and_then(|(mode, id)| {
            let id = ObjectId::from_hex(id.as_bytes()).ok()?;
            Some(PathEntry { mode: mode.to_owned(), id })
        });
        Ok(entry)
    }

    /// The last commit before `commit`, itself included, that changed a path.
    pub(crate) fn last_change(&self, commit: ObjectId, path: &str) -> Result<LastChange> {
        let (commit, path) = (commit.to_string(), format!(":(top){path}"));
        let format = ["log", "-1", "--no-show-signature", "--format=%ct%x00%an%x00%s"];
        let args = [&format[..], &[&commit, "--", &path]].concat();
        let printed = self.git.run(&args).map_err(|error| error.explain(path.as_ref()))?;
        read_change(&printed).ok_or_else(|| anyhow!("no commit is known to have changed {path}"))
    }
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
    use crate::git::testing::{Repo, run};

    fn name(dir: &Path) -> Option<String> {
        Repository::open(dir).unwrap().default_branch().map(|branch| branch.name)
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
        let branch = repository.default_branch().unwrap();
        let entry = repository.entry(branch.commit, "rollouts.toml").unwrap().unwrap();
        assert_eq!(entry.mode, "100644");
        assert_eq!(repository.entry(branch.commit, "nothing").unwrap(), None);
        let change = repository.last_change(branch.commit, "rollouts.toml").unwrap();
        assert_eq!((change.author.as_slice(), change.seconds), (&b"Ada Author"[..], 1_767_229_200));
        assert!(repository.last_change(branch.commit, "nothing").is_err());
    }
}
