//! Problems with the file of a version, with what to do about each.

use std::fmt;

use catalog::record;
use notice::printable;

/// What is at a path of a commit if it is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAFile {
    /// A tree.
    Folder,
    /// A symbolic link: where it leads is not part of the commit.
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

/// Why something that should be served is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whose fault it is.
    pub grade: Grade,
}

/// Whether a problem is the repository's or only this clone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// What the repository says can't be served.
    Refused,
    /// This clone does not have all of it: nothing can be said of the version.
    Incomplete,
}

impl FileProblem {
    /// A problem of the repository.
    pub fn refused(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: Some(help.into()), grade: Grade::Refused }
    }

    /// A content that is too large for a value of Workers KV.
    pub fn too_large(path: &str, size: u64) -> Self {
        Self::refused(
            format!(
                "{path} has {size} bytes, more than the {} (25 MiB) of a KV value",
                record::MAX_VALUE
            ),
            "split the file, or serve it from R2 and its address from here",
        )
    }

    /// A problem of this clone.
    pub fn incomplete(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: Some(help.into()), grade: Grade::Incomplete }
    }
}

const NAME_THE_FILE: &str = "name its file: a line `Component-Path: <path>` at the end of the \
     tag's message (slotctl tag create --path), a committed registry (git add --force \
     .edgit/components.json), or --registry FILE (the input `registry` of the action)";

/// The problem of a path at which there is no file.
pub(super) fn not_a_file(kind: NotAFile, at: &str, before: &str) -> FileProblem {
    let what = format!("{before}{} is {kind} in that commit", printable(at.as_bytes()));
    FileProblem::refused(what, "only files are served; name the file itself")
}

/// The problem of several files that could be the component.
pub(super) fn ambiguous<'a>(paths: impl Iterator<Item = &'a String>) -> FileProblem {
    let paths: Vec<String> = paths.map(|path| printable(path.as_bytes())).collect();
    let what = format!("more than one file could be it: {}", paths.join(" and "));
    FileProblem::refused(what, NAME_THE_FILE)
}

/// The problem of a commit that has no file for the component.
pub(super) fn nothing_there(looked_for: &[String]) -> FileProblem {
    let what = format!("its commit has no file for it; looked for {}", looked_for.join(", "));
    FileProblem::refused(what, NAME_THE_FILE)
}
