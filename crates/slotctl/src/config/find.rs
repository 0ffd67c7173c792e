//! Finds configurations in the same order as wrangler (`findWranglerConfig` in
//! `@cloudflare/workers-utils`): `wrangler.json` in the folder and all folders above it, then
//! `wrangler.jsonc`, then `wrangler.toml`. A build tool can replace the result with another
//! file by `.wrangler/deploy/config.json`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::document::{NAMES, read_redirect};

/// The file with which a build tool replaces the user's configuration by another one.
const REDIRECT: &str = ".wrangler/deploy/config.json";

/// An existing configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConfigFile {
    pub(super) file: PathBuf,
    /// True if a build tool made it for one environment.
    pub(super) redirected: bool,
}

/// Lists the configurations that may be meant in `folder`: the one that wrangler uses, then the
/// others of the nearest folder with a configuration. Wrangler compares names before folders,
/// so a file far above can hide one in the folder itself.
///
/// # Errors
///
/// If a build tool's redirect names no file, or is for another configuration.
pub(super) fn candidates(folder: &Path) -> Result<Vec<ConfigFile>> {
    let taken = NAMES.iter().find_map(|name| up(folder, name));
    let mut all: Vec<ConfigFile> = redirected(folder, taken.as_deref())?.into_iter().collect();
    let others = nearest(folder).into_iter().filter(|file| Some(file) != taken.as_ref());
    if all.is_empty() {
        all.extend(taken.clone().map(|file| ConfigFile { file, redirected: false }));
    }
    all.extend(others.map(|file| ConfigFile { file, redirected: false }));
    Ok(all)
}

/// Returns the file with this name in the folder or in the nearest folder above it.
fn up(folder: &Path, name: &str) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Lists the configurations of the nearest folder that has any.
fn nearest(folder: &Path) -> Vec<PathBuf> {
    let of = |folder: &Path| NAMES.map(|name| folder.join(name)).into_iter();
    let all = folder.ancestors().map(|folder| of(folder).filter(|file| file.is_file()).collect());
    all.into_iter().find(|files: &Vec<PathBuf>| !files.is_empty()).unwrap_or_default()
}

/// Returns the file with which a build tool replaces the user's configuration.
fn redirected(folder: &Path, taken: Option<&Path>) -> Result<Option<ConfigFile>> {
    let Some(redirect) = up(folder, REDIRECT) else { return Ok(None) };
    let shown = redirect.display();
    let Some(path) = read_redirect(&redirect)?.filter(|path| !path.is_empty()) else {
        bail!("{shown} has no `configPath`: build the project again, or delete the file");
    };
    let file = redirect.parent().unwrap_or(folder).join(path);
    if !file.is_file() {
        bail!(
            "{shown} names {}, which does not exist: build the project again, or delete {shown}",
            file.display()
        );
    }
    if let Some(taken) = taken
        && taken.parent().map(|folder| folder.join(REDIRECT)).as_deref() != Some(&redirect)
    {
        bail!(
            "{} and {shown} are in different folders, so that wrangler takes neither: \
             `--config FILE` names the one to use",
            taken.display()
        );
    }
    Ok(Some(ConfigFile { file, redirected: true }))
}
