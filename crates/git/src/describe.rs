//! The description of the checkout.

use anyhow::Result;

use crate::repository::Repository;

/// Describes HEAD by the nearest tag outside of the folders `exclude`
/// (`v0.2.0-3-g1a2b3c4`), with `-dirty` if the work tree differs.
///
/// # Errors
///
/// Fails if Git cannot be run, or if there is no commit.
pub fn describe(repository: &Repository, exclude: &[&str]) -> Result<Vec<u8>> {
    let excluded: Vec<String> =
        exclude.iter().map(|folder| format!("--exclude={folder}/*")).collect();
    let args = ["describe", "--tags", "--always", "--dirty"];
    let excluded = excluded.iter().map(String::as_str);
    printed(repository, &args.into_iter().chain(excluded).collect::<Vec<_>>())
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
