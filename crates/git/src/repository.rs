//! An existing repository.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use gix_hash::{Kind, ObjectId};

use crate::command::{self, Git};

/// An existing repository that Git agrees to read.
#[derive(Clone, Debug)]
pub struct Repository {
    /// The settings with which Git is called on it.
    pub git: Git,
    /// The hash function of its object ids.
    pub hash: Kind,
    /// The directory that all of its worktrees share: `.git`, or the bare repository.
    pub common_dir: PathBuf,
    /// The root of its work tree, if it has one.
    pub work_tree: Option<PathBuf>,
}

impl Repository {
    /// Opens the repository at `path` or in one of its parent folders.
    ///
    /// # Errors
    ///
    /// Fails if the path is not a directory or not in a Git repository, or if Git is missing or
    /// too old.
    pub fn open(path: &Path) -> Result<Self> {
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
        // In a bare repository this command fails.
        let work_tree = git.run(&["rev-parse", "--show-toplevel"]).ok().map(command::path_from);
        Ok(Self { git, hash, common_dir, work_tree })
    }

    /// Returns the commit of HEAD, or `None` if its branch has no commits yet.
    pub fn head(&self) -> Option<ObjectId> {
        self.commit("HEAD")
    }

    /// Tells if a ref with this full name exists.
    pub fn has_ref(&self, full_name: &str) -> bool {
        self.git.run(&["show-ref", "--verify", "--quiet", full_name]).is_ok()
    }

    /// Returns the user's committer name, as Git is configured here.
    ///
    /// # Errors
    ///
    /// Fails if Git has no identity for the user.
    pub fn committer(&self) -> Result<Vec<u8>> {
        let ident = self.git.run(&["var", "GIT_COMMITTER_IDENT"]);
        let ident = ident.map_err(|error| error.explain(&self.common_dir));
        let ident = ident.context(
            "no Git identity; set `user.name` and `user.email` with `git config --global`",
        )?;
        // `Grace <grace@example.com> 1795219167 +0000`
        let name = ident.split(|byte| *byte == b'<').next().unwrap_or_default();
        Ok(name.trim_ascii().to_vec())
    }

    /// Returns the folder of its objects.
    ///
    /// # Errors
    ///
    /// If Git cannot name the folder.
    pub fn objects_dir(&self) -> Result<PathBuf> {
        let path = ["rev-parse", "--path-format=absolute", "--git-path", "objects"];
        let printed = self.git.run(&path).map_err(|error| error.explain(&self.common_dir))?;
        Ok(command::path_from(printed))
    }

    /// Returns the same repository with an additional folder of readable objects.
    #[must_use]
    pub fn with_objects(&self, objects: &Path) -> Self {
        Self { git: self.git.with_objects(objects), ..self.clone() }
    }

    /// Returns a value of the configuration.
    pub fn config(&self, key: &str) -> Option<String> {
        let printed = self.git.run(&["config", "--get", key]).ok()?;
        let value = String::from_utf8(printed).ok()?;
        Some(value.trim_end_matches('\n').to_owned()).filter(|value| !value.is_empty())
    }

    /// Tells if `old` is `new` or one of its ancestors; false if a commit is missing.
    pub fn is_ancestor(&self, old: ObjectId, new: ObjectId) -> bool {
        let (old, new) = (old.to_string(), new.to_string());
        self.git.run(&["merge-base", "--is-ancestor", &old, &new]).is_ok()
    }

    /// Resolves `text` to a commit in any syntax that Git understands.
    pub fn commit(&self, text: &str) -> Option<ObjectId> {
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
