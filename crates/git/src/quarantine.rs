//! A temporary bare repository into which objects are fetched.
//!
//! `git fetch` writes more than objects: `shallow` with `--depth`, the configuration with
//! `--filter`, `FETCH_HEAD`, refs. Here it writes them into a folder that is deleted
//! afterwards. The objects of the user's repository are its alternates, so that Git treats them
//! as present.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use gix_hash::Kind;
use tempfile::TempDir;

use crate::command::{Git, quoted};
use crate::object_store::ObjectStore;

/// A temporary bare repository.
#[derive(Debug)]
pub(crate) struct Quarantine {
    dir: TempDir,
    /// The folder against which relative addresses are resolved.
    root: PathBuf,
}

impl Quarantine {
    /// Creates the repository next to a store, with the objects of `others` as alternates.
    /// `root` is the folder against which Git resolves the user's relative addresses.
    pub(crate) fn make(
        store: &ObjectStore,
        others: &Path,
        hash: Kind,
        root: &Path,
    ) -> Result<Self> {
        let dir = store.beside()?;
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("objects/info"))?;
        fs::create_dir_all(at("objects/pack"))?;
        fs::create_dir(at("refs"))?;
        fs::write(at("HEAD"), "ref: refs/heads/none\n")?;
        fs::write(at("config"), config(hash))?;
        let alternates = [store.objects(), others.to_owned()].map(|path| alternate(&path));
        fs::write(at("objects/info/alternates"), alternates.concat())?;
        Ok(Self { dir, root: root.to_owned() })
    }

    /// Returns its directory.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns the folder to which Git writes packs.
    pub(crate) fn packs(&self) -> PathBuf {
        self.path().join("objects").join("pack")
    }

    /// Returns a command of the user's Git on this repository. The caller adds a subcommand.
    pub(crate) fn user_command(&self) -> Command {
        let mut command = Git::at(&self.root).user_command();
        command.arg("--git-dir").arg(self.path());
        command
    }

    /// Returns the same command for reading.
    pub(crate) fn command(&self) -> Command {
        let mut command = Git::at(&self.root).command();
        command.arg("--git-dir").arg(self.path());
        command
    }
}

/// Returns the configuration. The remote is a promisor of the objects that the packs lack, so
/// that Git does not look for them.
fn config(hash: Kind) -> String {
    let format = match hash {
        Kind::Sha1 => "",
        _ => "\tobjectFormat = sha256\n",
    };
    format!(
        "[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n[extensions]\n{format}\tpartialClone = none\n"
    )
}

/// Returns a line of `info/alternates`. Git parses a line that begins with a quote as a C
/// string.
fn alternate(path: &Path) -> Vec<u8> {
    let mut line = quoted(path).into_encoded_bytes();
    line.push(b'\n');
    line
}
