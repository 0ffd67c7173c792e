//! The changes of a file: those in the history of a commit, and those that are not committed.

use gix_hash::ObjectId;

use crate::command::{Git, GitFailure};

/// Lists the blobs that a file had in the history of `commit`, newest first, at most `max` of
/// them. `path` is relative to the root of the repository.
///
/// # Errors
///
/// If the clone does not have the trees of the history, for example a clone with
/// `--filter=tree:0`.
pub fn contents_of(
    git: &Git,
    commit: ObjectId,
    path: &str,
    max: usize,
) -> Result<Vec<ObjectId>, GitFailure> {
    let (commit, max) = (commit.to_string(), format!("--max-count={max}"));
    let path = format!(":(top,literal){path}");
    let log = ["log", "--root", "--raw", "--no-abbrev", "--no-renames", "--format=", &max];
    let args: Vec<&str> = log.into_iter().chain([commit.as_str(), "--", &path]).collect();
    let printed = git.run(&args)?;
    Ok(printed.split(|byte| *byte == b'\n').filter_map(blob).collect())
}

/// Tells if a file in the work tree and in the index is as in HEAD. `path` is relative to the root
/// of the repository. Git runs the clean filter that is configured for the file, as it does when
/// the file is added: only commands that write ask this.
///
/// # Errors
///
/// If Git cannot compare them.
pub fn is_clean(git: &Git, path: &str) -> Result<bool, GitFailure> {
    let path = format!(":(top,literal){path}");
    let printed = git.run(&["status", "--porcelain", "--untracked-files=no", "--", &path])?;
    Ok(printed.is_empty())
}

/// Returns the new blob in a line `:<old mode> <new mode> <old id> <new id> <status>\t<path>`,
/// if it is a file.
fn blob(line: &[u8]) -> Option<ObjectId> {
    let mut fields = line.strip_prefix(b":")?.split(|byte| *byte == b' ');
    let mode = fields.nth(1)?;
    let id = fields.nth(1)?;
    let id = ObjectId::from_hex(id).ok()?;
    (mode.starts_with(b"100") && !id.is_null()).then_some(id)
}
