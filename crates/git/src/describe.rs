//! The description of the checkout.

use anyhow::{Result, bail};

use crate::command::one_line;
use crate::repository::Repository;
use crate::transport;
use crate::write::run;

/// Describes HEAD by the nearest tag outside of the folders `exclude`
/// (`v0.2.0-3-g1a2b3c4`), with `-dirty` if the work tree differs. `git describe --dirty` would
/// run the clean filters that the repository configures, also those of submodules.
///
/// # Errors
///
/// Fails if Git cannot be run, or if there is no commit.
pub fn describe(repository: &Repository, exclude: &[&str]) -> Result<Vec<u8>> {
    let excluded: Vec<String> =
        exclude.iter().map(|folder| format!("--exclude={folder}/*")).collect();
    let args = ["describe", "--tags", "--always"];
    let excluded = excluded.iter().map(String::as_str);
    let mut name = printed(repository, &args.into_iter().chain(excluded).collect::<Vec<_>>())?;
    if is_dirty(repository)? {
        name.extend(b"-dirty");
    }
    Ok(name)
}

/// Tells if a tracked file of the work tree or a commit of a submodule differs from HEAD. A file
/// that only a filter makes equal again counts as different.
fn is_dirty(repository: &Repository) -> Result<bool> {
    let filters = transport::list(&mut repository.git.command()).into_iter();
    let off = filters.filter_map(|(key, _)| disabled(&key).map(|value| (key, value.to_owned())));
    let mut command = repository.git.command();
    transport::add(&mut command, &off.collect::<Vec<_>>());
    command.args(["diff", "--quiet", "--no-ext-diff", "--no-textconv"]);
    command.args(["--ignore-submodules=dirty", "HEAD", "--"]);
    let ran = run(&mut command)?;
    match (ran.ok, ran.stderr.is_empty()) {
        (true, _) => Ok(false),
        (false, true) => Ok(true),
        (false, false) => bail!("git diff failed: {}", one_line(&ran.stderr)),
    }
}

/// Returns the value that disables a setting of a filter, or `None` for any other setting.
fn disabled(key: &str) -> Option<&'static str> {
    let (_, setting) = key.strip_prefix("filter.")?.rsplit_once('.')?;
    match setting {
        "clean" | "smudge" | "process" => Some(""),
        "required" => Some("false"),
        _ => None,
    }
}

/// Returns the subject of HEAD's commit.
///
/// # Errors
///
/// Fails if Git cannot be run, or if there is no commit.
pub fn subject(repository: &Repository) -> Result<Vec<u8>> {
    printed(repository, &["log", "-1", "--no-show-signature", "--format=%s"])
}

fn printed(repository: &Repository, args: &[&str]) -> Result<Vec<u8>> {
    let printed =
        repository.git.run(args).map_err(|error| error.explain(&repository.common_dir))?;
    Ok(printed.trim_ascii().to_vec())
}
