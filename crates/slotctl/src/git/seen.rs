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

use super::Repository;
use super::refs::Ref;
use super::write::RefUpdate;

const MOVED: &str = "refs/slotctl/moved/";
const SEEN: &str = "refs/slotctl/seen/";

/// What is noted, by the short names of tags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// What a remote had.
    pub(crate) there: HashMap<String, ObjectId>,
    /// What `slotctl tag set` made.
    pub(crate) moved: HashMap<String, ObjectId>,
}

impl Repository {
    /// What is noted of a remote.
    pub(crate) fn seen(&self, remote: &str) -> Result<Seen> {
        let there = format!("{SEEN}{remote}/");
        Ok(Seen { there: self.noted(&there)?, moved: self.noted(MOVED)? })
    }

    fn noted(&self, folder: &str) -> Result<HashMap<String, ObjectId>> {
        let refs = self.refs(&[folder])?.refs;
        let short = |found: Ref| {
            let name = String::from_utf8(found.name).ok()?;
            Some((name.strip_prefix(folder)?.to_owned(), found.id))
        };
        Ok(refs.into_iter().filter_map(short).collect())
    }

    /// Notes what the remotes had, before the slot `tag` that is at `now` moves.
    pub(crate) fn note_before_move(&self, tag: &str, now: Option<ObjectId>) -> Result<()> {
        let moved = self.noted(MOVED)?.remove(tag);
        if now.is_some() && now == moved {
            return Ok(());
        }
        let remotes = self.remotes()?;
        let update = |remote: &String| RefUpdate { name: format!("{SEEN}{remote}/{tag}"), id: now };
        self.update_refs(&remotes.iter().map(update).collect::<Vec<_>>())
    }

    /// Notes that the slot `tag` was moved.
    pub(crate) fn note_move(&self, tag: &str, id: ObjectId) -> Result<()> {
        self.update_refs(&[RefUpdate { name: format!("{MOVED}{tag}"), id: Some(id) }])
    }

    /// Notes what a remote has.
    pub(crate) fn note_seen(&self, remote: &str, tags: &[(String, ObjectId)]) -> Result<()> {
        let update = |(tag, id): &(String, ObjectId)| RefUpdate {
            name: format!("{SEEN}{remote}/{tag}"),
            id: Some(*id),
        };
        self.update_refs(&tags.iter().map(update).collect::<Vec<_>>())
    }

    /// Forgets what a remote had of tags that it has not any more.
    pub(crate) fn note_gone(&self, remote: &str, tags: &[String]) -> Result<()> {
        let update = |tag: &String| RefUpdate { name: format!("{SEEN}{remote}/{tag}"), id: None };
        self.update_refs(&tags.iter().map(update).collect::<Vec<_>>())
    }

    /// Forgets what was noted of a tag.
    pub(crate) fn forget(&self, tag: &str) -> Result<()> {
        let remotes = self.remotes()?;
        let seen = remotes.iter().map(|remote| format!("{SEEN}{remote}/{tag}"));
        let names = seen.chain([format!("{MOVED}{tag}")]);
        self.update_refs(&names.map(|name| RefUpdate { name, id: None }).collect::<Vec<_>>())
    }
}
