//! The refs of a remote that matter to slotctl.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use git::Repository;
use git::network::Limit;
use gix_hash::ObjectId;
use reconcile::tag::ref_folders;

use crate::target::patience;

/// The longest time for which a remote may be silent. It leaves time to type a password.
const SILENCE: Duration = Duration::from_secs(120);

/// Returns the time limits of a call of a remote.
///
/// # Errors
///
/// If `SLOTCTL_TIMEOUT` is not a number of seconds.
pub(crate) fn limit() -> Result<Limit> {
    Ok(Limit::of_silence(patience()?.timeout.unwrap_or(SILENCE)))
}

/// Returns the branches and the components' tags of a remote, by full name.
///
/// # Errors
///
/// If the remote cannot be reached.
pub(crate) fn list_refs(
    repository: &Repository,
    remote: &str,
) -> Result<HashMap<String, ObjectId>> {
    let tags = ref_folders(&[]).into_iter().map(|folder| format!("{folder}/*"));
    let patterns: Vec<String> = ["refs/heads/*".to_owned()].into_iter().chain(tags).collect();
    git::remote::list(repository, remote, &patterns, limit()?)
}
