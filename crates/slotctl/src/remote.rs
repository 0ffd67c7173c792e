//! The refs of a remote that matter to slotctl.

use std::collections::HashMap;

use anyhow::Result;
use git::Repository;
use gix_hash::ObjectId;
use reconcile::tag::ref_folders;

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
    git::remote::list(repository, remote, &patterns)
}
