//! A record of the slot tags a remote had when this clone last saw it.
//!
//! Git keeps no remote-tracking tags: after `git tag --force`, Git no longer knows where the
//! slot was when the user decided to move it, and `git push --force` from a stale clone would
//! undo later changes of others. Therefore slotctl records it in refs that are never pushed:
//! `refs/slotctl/seen/<remote>/<tag>` is the tag that the remote had,
//! `refs/slotctl/moved/<tag>` is the tag that `slotctl tag set` last made here.
//!
//! Before a slot moves, its current tag is recorded as seen, unless slotctl itself moved it
//! last: then the tag of the remote is recorded already. `git clone` and `git fetch --force`
//! bring the remote's tags, so the next move records those.

use std::collections::HashMap;

use anyhow::Result;
use gix_hash::ObjectId;

use crate::refs::{self, Ref};
use crate::remote;
use crate::repository::Repository;
use crate::write::{RefUpdate, update_refs};

const MOVED: &str = "refs/slotctl/moved/";
const SEEN: &str = "refs/slotctl/seen/";

/// The recorded tags, by their short names.
#[derive(Clone, Debug, Default)]
pub struct SeenTags {
    /// The tags that a remote had.
    pub there: HashMap<String, ObjectId>,
    /// The tags that `slotctl tag set` made.
    pub moved: HashMap<String, ObjectId>,
}

/// Reads the recorded tags of a remote.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot read the refs.
pub fn read(repository: &Repository, remote: &str) -> Result<SeenTags> {
    let there = format!("{SEEN}{remote}/");
    Ok(SeenTags { there: noted(repository, &there)?, moved: noted(repository, MOVED)? })
}

fn noted(repository: &Repository, folder: &str) -> Result<HashMap<String, ObjectId>> {
    let refs = refs::list(repository, &[folder])?.refs;
    let short = |found: Ref| {
        let name = String::from_utf8(found.name).ok()?;
        Some((name.strip_prefix(folder)?.to_owned(), found.id))
    };
    Ok(refs.into_iter().filter_map(short).collect())
}

/// Records the tags of the remotes before the slot `tag`, now at `now`, moves.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot update the refs.
pub fn note_before_move(repository: &Repository, tag: &str, now: Option<ObjectId>) -> Result<()> {
    let moved = noted(repository, MOVED)?.remove(tag);
    if now.is_some() && now == moved {
        return Ok(());
    }
    let remotes = remote::names(repository)?;
    let update = |remote: &String| RefUpdate { name: format!("{SEEN}{remote}/{tag}"), id: now };
    update_refs(repository, &remotes.iter().map(update).collect::<Vec<_>>())
}

/// Records that the slot `tag` was moved.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot update the refs.
pub fn note_move(repository: &Repository, tag: &str, id: ObjectId) -> Result<()> {
    update_refs(repository, &[RefUpdate { name: format!("{MOVED}{tag}"), id: Some(id) }])
}

/// Records the tags that a remote has.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot update the refs.
pub fn note_seen(repository: &Repository, remote: &str, tags: &[(String, ObjectId)]) -> Result<()> {
    let update = |(tag, id): &(String, ObjectId)| RefUpdate {
        name: format!("{SEEN}{remote}/{tag}"),
        id: Some(*id),
    };
    update_refs(repository, &tags.iter().map(update).collect::<Vec<_>>())
}

/// Deletes the records of tags that a remote no longer has.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot update the refs.
pub fn note_gone(repository: &Repository, remote: &str, tags: &[String]) -> Result<()> {
    let update = |tag: &String| RefUpdate { name: format!("{SEEN}{remote}/{tag}"), id: None };
    update_refs(repository, &tags.iter().map(update).collect::<Vec<_>>())
}

/// Deletes the records of a tag.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot update the refs.
pub fn forget(repository: &Repository, tag: &str) -> Result<()> {
    let remotes = remote::names(repository)?;
    let seen = remotes.iter().map(|remote| format!("{SEEN}{remote}/{tag}"));
    let names = seen.chain([format!("{MOVED}{tag}")]);
    update_refs(repository, &names.map(|name| RefUpdate { name, id: None }).collect::<Vec<_>>())
}
