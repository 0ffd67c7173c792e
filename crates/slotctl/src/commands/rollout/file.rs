//! Reads, compares, writes and commits the work tree's `rollouts.toml`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use console::style;
use notice::printable;
use reconcile::policy::FILE;

use git::Repository;
use git::command::one_line;
use notice::Refused;

/// The pathspec of the file, which is valid in every folder of the work tree.
const PATH: &str = ":(top)rollouts.toml";

/// Returns the path of the work tree's file.
pub(super) fn path(repository: &Repository) -> Result<PathBuf> {
    let root = repository.work_tree.as_ref().ok_or_else(|| {
        let help = "use a clone with a work tree";
        Refused::new(FILE, "a bare repository has no file to edit", help)
    })?;
    Ok(root.join(FILE))
}

/// Reads the file's text; a missing file is an empty one.
pub(super) fn read(file: &Path) -> Result<String> {
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Returns the difference that a change makes, as Git shows it, without the header that names
/// the two files.
pub(super) fn diff(repository: &Repository, file: &Path, after: &str) -> Result<String> {
    let mut command = repository.git.command();
    command.args(["diff", "--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--"]);
    command.arg(if file.exists() { file } else { Path::new("/dev/null") }).arg("-");
    let mut child = command.stdin(Stdio::piped()).spawn().context("git could not be started")?;
    let mut stdin = child.stdin.take().context("git does not accept input")?;
    // Git reads all of it before it prints anything.
    stdin.write_all(after.as_bytes()).context("git does not accept input")?;
    drop(stdin);
    let output = child.wait_with_output().context("waiting for git failed")?;
    // 0: the same, 1: different.
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!("git diff: {}", one_line(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let start = text.find("@@").unwrap_or(text.len());
    Ok(text.get(start..).unwrap_or("").to_owned())
}

/// Colors a difference for a terminal.
pub(super) fn colored(diff: &str) -> String {
    let line = |line: &str| {
        let text = printable(line.as_bytes());
        let shown = match line.as_bytes().first() {
            Some(b'+') => style(text).green(),
            Some(b'-') => style(text).red(),
            _ => style(text).dim(),
        };
        format!("{shown}\n")
    };
    diff.lines().map(line).collect()
}

/// Replaces the file as a whole, so that no reader sees a part of it.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    let fresh = file.with_extension("toml.new");
    let replaced = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, file));
    replaced.with_context(|| format!("cannot write {}", file.display()))
}

/// Refuses a file with uncommitted changes: a commit must contain only the new change.
pub(super) fn check_unchanged(repository: &Repository) -> Result<()> {
    let printed = repository.git.run(&["status", "--porcelain", "--", PATH]);
    let printed = printed.map_err(|error| error.explain(Path::new(FILE)))?;
    if printed.is_empty() {
        return Ok(());
    }
    let help = "commit or stash them first, or leave out --commit";
    Err(Refused::new(FILE, "it has changes that are not committed", help).into())
}

/// Commits only this file, with the user's own Git configuration; returns the commit's
/// abbreviated id.
pub(super) fn commit(repository: &Repository, message: &str) -> Result<String> {
    let git = |args: &[&str]| run(repository.git.user_command().args(args));
    git(&["add", "--", PATH])?;
    git(&["commit", "--quiet", "--cleanup=whitespace", "--message", message, "--only", "--", PATH])
        .context("the file is written but not committed")?;
    git(&["rev-parse", "--short", "HEAD"])
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().context("git could not be started")?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(output.stdout.trim_ascii()).into_owned()),
        false => Err(anyhow!("{}", one_line(&output.stderr))),
    }
}
