//! What a remote had when this clone last saw it, slot by slot.
//!
//! Git keeps no remote-tracking tags: after `git tag --force` nothing says what
//! the slot was when the user decided to move it, and a stale clone's
//! `git push --force` would undo what others did meanwhile. So it is noted, in
//! refs that no remote ever gets: `refs/slotctl/seen/<remote>/<tag>` is what the
//! remote had, `refs/slotctl/moved/<tag>` what `slotctl tag set` last made here.
//!
//! A move notes the slot's tag as it was before as seen, unless that was an own
//! move: then what the remote had is what is noted already. A clone, and
//! `git fetch --force`, bring the remote's tags, so the next move sees those.

use std::collections::HashMap;

use anyhow::Result;
use gix_hash::ObjectId;

use crate::refs::{self, Ref};
use crate::remote;
use crate::repository::Repository;
use crate::write::{RefUpdate, update_refs};

const MOVED: &str = "refs/slotctl/moved/";
const SEEN: &str = "refs/slotctl/seen/";

/// What is noted, by the short names of tags.
#[derive(Clone, Debug, Default)]
pub struct SeenTags {
    /// What a remote had.
    pub there: HashMap<String, ObjectId>,
    /// What `slotctl tag set` made.
    pub moved: HashMap<String, ObjectId>,
}

/// What is noted of a remote.
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

/// Notes what the remotes had, before the slot `tag` that is at `now` moves.
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

/// Notes that the slot `tag` was moved.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot update the refs.
pub fn note_move(repository: &Repository, tag: &str, id: ObjectId) -> Result<()> {
    update_refs(repository, &[RefUpdate { name: format!("{MOVED}{tag}"), id: Some(id) }])
}

/// Notes what a remote has.
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

/// Forgets what a remote had of tags that it has not any more.
///
/// # Errors
///
/// Fails if Git cannot be run, or cannot update the refs.
pub fn note_gone(repository: &Repository, remote: &str, tags: &[String]) -> Result<()> {
    let update = |tag: &String| RefUpdate { name: format!("{SEEN}{remote}/{tag}"), id: None };
    update_refs(repository, &tags.iter().map(update).collect::<Vec<_>>())
}

/// Forgets what was noted of a tag.
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
