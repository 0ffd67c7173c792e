//! The repository's refs.

use std::path::Path;

use anyhow::{Context as _, Result};
use gix_hash::ObjectId;

use crate::repository::Repository;

/// A ref and the object it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// Its full name: `refs/tags/components/prompts/extraction/v1.0.0`.
    pub name: Vec<u8>,
    /// The id of the tag object of an annotated tag, else of the commit, tree or blob.
    pub id: ObjectId,
}

/// The result of listing refs.
#[derive(Clone, Debug, Default)]
pub struct Refs {
    /// The refs that point to an object.
    pub refs: Vec<Ref>,
    /// The full names of the refs that Git cannot read.
    pub broken: Vec<Vec<u8>>,
}

impl Refs {
    /// Keeps the refs below these folders.
    pub fn restrict(&mut self, folders: &[impl AsRef<str>]) {
        let is_below = |name: &[u8]| {
            folders.iter().any(|folder| {
                let rest = name.strip_prefix(folder.as_ref().as_bytes());
                rest.is_some_and(|rest| rest.first() == Some(&b'/'))
            })
        };
        self.refs.retain(|found| is_below(&found.name));
        self.broken.retain(|name| is_below(name));
    }
}

/// Each line is an object id and a name. Git refuses control characters in the names of refs,
/// so neither NUL nor a line end can be part of one.
const FORMAT: &str = "--format=%(objectname)%00%(refname)";

/// Lists the refs in these folders.
///
/// # Errors
///
/// Fails if Git cannot be run, or prints an unexpected format.
pub fn list(repository: &Repository, folders: &[impl AsRef<str>]) -> Result<Refs> {
    let folders = folders.iter().map(AsRef::as_ref);
    let args: Vec<&str> = ["for-each-ref", FORMAT].into_iter().chain(folders).collect();
    let (printed, warnings) = repository
        .git
        .run_with_warnings(&args)
        .map_err(|error| error.explain(Path::new("the repository's tags")))?;
    let mut refs = Refs { broken: broken(&warnings), ..Refs::default() };
    for line in printed.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        refs.refs.push(read_line(line).context("git for-each-ref printed an odd line")?);
    }
    Ok(refs)
}

fn read_line(line: &[u8]) -> Option<Ref> {
    let nul = line.iter().position(|b| *b == 0)?;
    let (id, name) = line.split_at_checked(nul)?;
    Some(Ref { id: ObjectId::from_hex(id).ok()?, name: name.get(1..)?.to_vec() })
}

/// Returns the refs that the warnings of Git name.
fn broken(warnings: &[u8]) -> Vec<Vec<u8>> {
    const WARNINGS: [&[u8]; 3] = [
        b"warning: ignoring broken ref ",
        b"warning: ignoring dangling symref ",
        b"warning: ignoring ref with broken name ",
    ];
    let name = |line: &[u8]| {
        let name = WARNINGS.iter().find_map(|warning| line.strip_prefix(*warning))?;
        Some(name.trim_ascii_end().to_vec())
    };
    warnings.split(|b| *b == b'\n').filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restrict_keeps_only_refs_below_the_folder() {
        let id = ObjectId::null(gix_hash::Kind::Sha1);
        let names = ["refs/tags/components/a/b/v1.0.0", "refs/tags/components/a/bc/v1.0.0"];
        let names = names.map(|name| name.as_bytes().to_vec());
        let all = names.clone().map(|name| Ref { name, id }).to_vec();
        let mut refs = Refs { refs: all.clone(), broken: names.to_vec() };
        refs.restrict(&["refs/tags/components/a/b"]);
        assert_eq!((refs.refs, refs.broken), (all[..1].to_vec(), names[..1].to_vec()));
    }
}
