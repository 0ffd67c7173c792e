//! Finds the objects that a repository lacks.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};

use anyhow::{Context as _, Result};
use gix_hash::ObjectId;

use crate::command::Git;

/// Returns those of `ids` that a repository does not have.
///
/// It lists all objects of the repository. A look-up of a missing object scans all packs again,
/// which takes 50 µs or more; a list yields a million objects per second.
///
/// # Errors
///
/// If Git cannot list its objects.
pub(crate) fn missing(git: &Git, ids: &[ObjectId]) -> Result<Vec<ObjectId>> {
    let mut ids: HashSet<ObjectId> = ids.iter().copied().collect();
    let mut command = git.command();
    command.args(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    let mut child =
        command.args(["--unordered", "--buffer"]).spawn().context("git could not be started")?;
    let listed = child.stdout.take().context("git cat-file prints nothing")?;
    for line in BufReader::with_capacity(1 << 16, listed).split(b'\n') {
        if let Ok(id) = ObjectId::from_hex(&line?) {
            ids.remove(&id);
        }
    }
    child.wait().context("git cat-file could not be waited for")?;
    Ok(ids.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::Repository;
    use crate::testing::Repo;

    #[test]
    fn missing_returns_only_absent_objects() {
        let repo = Repo::new();
        let here = ObjectId::from_hex(repo.commit_file("a", "a").as_bytes()).unwrap();
        let gone = ObjectId::from_hex(&[b'1'; 40]).unwrap();
        let repository = Repository::open(repo.path()).unwrap();
        assert_eq!(missing(&repository.git, &[here, gone]).unwrap(), [gone]);
    }
}
