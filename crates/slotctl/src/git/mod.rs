//! A local repository, read through the `git` executable.
//!
//! Git itself understands every form a repository can have: work tree, bare,
//! mirror, worktrees, packed refs, reftable, alternates. Nothing here speaks to a
//! network or runs what a repository's configuration names, but for `write` and
//! `remote`, which do what the user asked for as the user's own Git would.

pub(crate) mod branch;
pub(crate) mod command;
pub(crate) mod describe;
pub(crate) mod lfs;
pub(crate) mod objects;
pub(crate) mod refs;
pub(crate) mod remote;
pub(crate) mod seen;
pub(crate) mod write;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use gix_hash::{Kind, ObjectId};

use self::command::Git;

/// A repository that exists and that Git agrees to read.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// How to call Git on it.
    pub(crate) git: Git,
    /// The hash that its objects are named by.
    pub(crate) hash: Kind,
    /// Its directory that all of its worktrees share: `.git`, or the bare repository.
    pub(crate) common_dir: PathBuf,
    /// The root of its work tree, if it has one.
    pub(crate) work_tree: Option<PathBuf>,
}

impl Repository {
    /// Opens the repository that `path` is, or lies in.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        check_directory(path)?;
        let git = Git::at(path);
        git.check_version()?;
        let format =
            git.run(&["rev-parse", "--show-object-format"]).map_err(|error| error.explain(path))?;
        let hash = match format.trim_ascii() {
            b"sha1" => Kind::Sha1,
            b"sha256" => Kind::Sha256,
            other => bail!(
                "{} names its objects by '{}', which slotctl does not read",
                path.display(),
                String::from_utf8_lossy(other)
            ),
        };
        let common_dir = git
            .run(&["rev-parse", "--path-format=absolute", "--git-common-dir"])
            .map_err(|error| error.explain(path))?;
        let common_dir = command::path_from(common_dir);
        // A bare repository has none, and says so with a failure.
        let work_tree = git.run(&["rev-parse", "--show-toplevel"]).ok().map(command::path_from);
        Ok(Self { git, hash, common_dir, work_tree })
    }

    /// The commit that HEAD is at; none where its branch has no commit yet.
    pub(crate) fn head(&self) -> Option<ObjectId> {
        self.commit("HEAD")
    }

    /// Whether there is a ref of this full name.
    pub(crate) fn has_ref(&self, full_name: &str) -> bool {
        self.git.run(&["show-ref", "--verify", "--quiet", full_name]).is_ok()
    }

    /// The name of whoever makes tags here, by the user's configuration.
    pub(crate) fn committer(&self) -> Result<Vec<u8>> {
        let ident = self.git.run(&["var", "GIT_COMMITTER_IDENT"]);
        let ident = ident.map_err(|error| error.explain(&self.common_dir));
        let ident = ident
            .context("who is it? git config --global user.name '<name>', and user.email say so")?;
        // `Grace <grace@example.com> 1795219167 +0000`
        let name = ident.split(|byte| *byte == b'<').next().unwrap_or_default();
        Ok(name.trim_ascii().to_vec())
    }

    /// The commit that `text` names in any way that Git understands.
    pub(crate) fn commit(&self, text: &str) -> Option<ObjectId> {
        let name = format!("{text}^{{commit}}");
        let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options", &name];
        let id = self.git.run(&verify).ok()?;
        ObjectId::from_hex(id.trim_ascii()).ok()
    }
}

fn check_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if path.exists() {
        bail!(
            "{} is a file: name a repository's directory with --repo (a bundle must be cloned first: \
             git clone --mirror <bundle> <directory>)",
            path.display()
        );
    }
    bail!("{} does not exist: name a repository's directory with --repo", path.display())
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
