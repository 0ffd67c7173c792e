//! Problems with the file of a version, with what to do about each.

use std::fmt;

use catalog::record;
use notice::printable;

/// The kind of an entry in a commit that is not a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAFile {
    /// A tree.
    Folder,
    /// A symbolic link, whose target is not part of the commit.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

impl fmt::Display for NotAFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Symlink => "a symbolic link",
            Self::Submodule => "a submodule",
        })
    }
}

/// The reason why a version's file can't be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// The problem.
    pub what: String,
    /// The action that solves it.
    pub help: Option<String>,
    /// The cause: the repository or this clone.
    pub grade: Grade,
}

/// The cause of a problem: the repository or only this clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// The repository has something that can't be served.
    Refused,
    /// This clone is incomplete: the state of the version is unknown.
    Incomplete,
}

impl FileProblem {
    /// Creates a problem of the repository.
    pub fn refused(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: Some(help.into()), grade: Grade::Refused }
    }

    /// Creates the problem of a content that is too large for a value of Workers KV.
    pub fn too_large(path: &str, size: u64) -> Self {
        Self::refused(
            format!(
                "{path} has {size} bytes, more than the {} (25 MiB) of a KV value",
                record::MAX_VALUE
            ),
            "split the file, or serve it from R2 and its address from here",
        )
    }

    /// Creates a problem of this clone.
    pub fn incomplete(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: Some(help.into()), grade: Grade::Incomplete }
    }
}

const NAME_THE_FILE: &str = "name its file: a line `Component-Path: <path>` at the end of the \
     tag's message (`slotctl tag create` with --path), a committed registry (git add --force \
     .edgit/components.json), or --registry FILE (the input `registry` of the action)";

/// Returns the problem of a path that is not a file.
pub(super) fn not_a_file(kind: NotAFile, at: &str, before: &str) -> FileProblem {
    let what = format!("{before}{} is {kind} in that commit", printable(at.as_bytes()));
    FileProblem::refused(what, "only files are served; name the file itself")
}

/// Returns the problem of several files that could be the component.
pub(super) fn ambiguous<'a>(paths: impl Iterator<Item = &'a String>) -> FileProblem {
    let paths: Vec<String> = paths.map(|path| printable(path.as_bytes())).collect();
    let what = format!("more than one file could be it: {}", paths.join(" and "));
    FileProblem::refused(what, NAME_THE_FILE)
}

/// Returns the problem of a commit that has no file for the component. `alike` describes a file
/// that looks like it.
pub(super) fn nothing_there(looked_for: &[String], alike: &str) -> FileProblem {
    let looked_for = looked_for.join(", ");
    let what = format!("its commit has no file for it; looked for {looked_for}{alike}");
    FileProblem::refused(what, NAME_THE_FILE)
}
