//! Repositories for tests, built with the real git.

#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A repository in its own directory, which is deleted when the test ends.
pub struct Repo {
    dir: TempDir,
}

/// Returns a command of Git without user configuration, at a fixed time.
pub fn git_in(dir: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command.current_dir(dir).envs([
        ("LC_ALL", "C"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Ada Author"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_AUTHOR_DATE", "1767225600 +0000"),
        ("GIT_COMMITTER_NAME", "Carl Committer"),
        ("GIT_COMMITTER_EMAIL", "carl@example.com"),
        ("GIT_COMMITTER_DATE", "1767229200 +0000"),
    ]);
    command
}

/// Runs Git and returns its output without the line end.
#[track_caller]
pub fn run<S: AsRef<OsStr>>(dir: &Path, args: &[S]) -> String {
    let Output { status, stdout, stderr } = git_in(dir).args(args).output().unwrap();
    let shown: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
    assert!(status.success(), "git {}: {}", shown.join(" "), String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).trim_end().to_owned()
}

impl Default for Repo {
    fn default() -> Self {
        Self::new()
    }
}

impl Repo {
    /// Creates an empty repository with a work tree, on the branch `main`.
    pub fn new() -> Self {
        Self::init(&["-c", "init.defaultBranch=main", "init", "--quiet"])
    }

    /// Creates a repository with this command.
    pub fn init(args: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        run(dir.path(), args);
        Self { dir }
    }

    /// Returns the work tree.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns a path in the work tree.
    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// Runs Git.
    #[track_caller]
    pub fn git<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        run(self.path(), args)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Commits the whole work tree and returns the id of the commit.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes a file and commits it.
    #[track_caller]
    pub fn commit_file(&self, path: &str, bytes: impl AsRef<[u8]>) -> String {
        self.write(path, bytes);
        self.commit(path)
    }

    /// Creates or moves an annotated tag.
    #[track_caller]
    pub fn tag(&self, name: &str, target: &str) {
        self.tag_with(name, target, &format!("Set {name}"));
    }

    /// Creates or moves an annotated tag with a message.
    #[track_caller]
    pub fn tag_with(&self, name: &str, target: &str, message: &str) {
        let quiet = "advice.nestedTag=false";
        self.git(&["-c", quiet, "tag", "--force", "-a", "-m", message, name, target]);
    }

    /// Creates a ref with any name that Git allows, without `git tag`.
    #[track_caller]
    pub fn update_ref(&self, name: impl AsRef<OsStr>, target: &str) {
        let (update, target) = (OsStr::new("update-ref"), OsStr::new(target));
        self.git(&[update, name.as_ref(), target]);
    }

    /// Stores an object of any kind and content, and returns its id.
    #[track_caller]
    pub fn object(&self, kind: &str, body: impl AsRef<[u8]>) -> String {
        let file = self.at(".git/object-to-store");
        fs::write(&file, body).unwrap();
        self.git(&["hash-object", "--literally", "-w", "-t", kind, ".git/object-to-store"])
    }

    /// Returns the path of a loose object.
    pub fn loose(&self, id: &str) -> PathBuf {
        let (folder, name) = id.split_at(2);
        self.at(&format!(".git/objects/{folder}/{name}"))
    }
}
