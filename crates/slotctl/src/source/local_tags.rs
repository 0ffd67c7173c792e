//! Finds tags of this clone that differ from those of the remote.
//!
//! They do not count. A tag that was moved here and not pushed is reported; a tag that is only
//! outdated here is not.

use std::collections::HashMap;

use anyhow::Result;
use git::address::Remote;
use git::objects::{ObjectAnswer, ObjectRequest, Objects};
use git::refs::Ref;
use git::seen::SeenTags;
use gix_hash::ObjectId;
use gix_object::{CommitRef, Kind, TagRef};
use notice::{Notice, printable};
use reconcile::tag::{RefReading, TagName, TagTarget, read_ref};

use super::Source;
use crate::output::count;

/// The number of tags that are named: a clone may have thousands.
const NAMED: usize = 10;

/// The number of differing tags that are examined.
const LOOKED_AT: usize = 200;

/// The largest tag or commit whose time is read, in bytes.
const MAX_OBJECT: u64 = 1 << 20;

/// A tag that differs: its name, its object here, its object at the remote.
struct Differing {
    name: TagName,
    here: ObjectId,
    there: Option<ObjectId>,
}

/// Returns notices of the tags `own` of this clone that were not pushed.
pub(super) fn compare(source: &Source, remote: &Remote, own: &[Ref]) -> Result<Vec<Notice>> {
    if source.refs.refs == own {
        return Ok(Vec::new());
    }
    let differing = differing(&source.refs.refs, own);
    if differing.is_empty() {
        return Ok(Vec::new());
    }
    let seen = git::seen::read(&source.repository, &remote.name).unwrap_or_default();
    let mut objects = source.objects();
    let differing: Vec<Differing> = differing.into_iter().take(LOOKED_AT).collect();
    let there: Vec<ObjectId> = differing.iter().filter_map(|tag| tag.there).collect();
    // The tags are read one by one below. If the request fails, their times are not known.
    let _ = objects.ask(ObjectRequest::Info, &there, &mut |_, _| Ok(()));
    let unpushed = differing.into_iter();
    let unpushed = unpushed.filter(|tag| is_unpushed(&mut objects, &seen, tag));
    let mut notices: Vec<Notice> = unpushed.map(|tag| notice(&tag, &remote.shown())).collect();
    if let Some(more) = notices.len().checked_sub(NAMED).filter(|more| *more > 0) {
        notices.truncate(NAMED);
        notices.push(Notice {
            subject: "tags".to_owned(),
            what: format!("{} are not on {} either", count(more, "more tag"), remote.shown()),
            help: Some("`slotctl push --tags` shows and pushes them".to_owned()),
        });
    }
    Ok(notices)
}

fn differing(refs: &[Ref], own: &[Ref]) -> Vec<Differing> {
    let there: HashMap<&[u8], ObjectId> =
        refs.iter().map(|found| (found.name.as_slice(), found.id)).collect();
    let differs = |tag: &Ref| {
        let there = there.get(tag.name.as_slice()).copied();
        if there == Some(tag.id) {
            return None;
        }
        let RefReading::Tag(name) = read_ref(&tag.name) else { return None };
        Some(Differing { name, here: tag.id, there })
    };
    own.iter().filter_map(differs).collect()
}

/// Tells if the tag was made or moved here: by the notes of `slotctl tag` and `push`, else by
/// the times of both tags.
fn is_unpushed(objects: &mut Objects, seen: &SeenTags, tag: &Differing) -> bool {
    let name = tag.name.to_string();
    if seen.there.get(&name) == Some(&tag.here) {
        return false;
    }
    let Some(there) = tag.there else { return true };
    seen.moved.get(&name) == Some(&tag.here) || time(objects, tag.here) > time(objects, there)
}

/// Returns the time of a tag; of a lightweight tag, the time of its commit.
fn time(objects: &mut Objects, id: ObjectId) -> Option<i64> {
    match objects.ask_one(ObjectRequest::Contents(MAX_OBJECT), id).ok()? {
        ObjectAnswer::Found { kind: Kind::Tag, body, .. } => {
            Some(TagRef::from_bytes(&body, id.kind()).ok()?.tagger().ok()??.seconds())
        }
        ObjectAnswer::Found { kind: Kind::Commit, body, .. } => {
            Some(CommitRef::from_bytes(&body, id.kind()).ok()?.committer().ok()?.seconds())
        }
        _ => None,
    }
}

fn notice(tag: &Differing, remote: &str) -> Notice {
    let (what, help) = match (tag.there, &tag.name.target) {
        (None, _) => (
            format!("{remote} does not have it: it counts once it is there"),
            "slotctl push --tags; or go by the refs of this clone: --local-refs",
        ),
        (Some(_), TagTarget::Slot(_)) => (
            format!("it was moved here and not pushed: what {remote} has counts"),
            "slotctl push --tags --force; or go by the refs of this clone: --local-refs",
        ),
        (Some(_), TagTarget::Version(_)) => (
            format!("it is another one on {remote}: that counts, and a version never changes"),
            "tag the next version: slotctl tag create <type>/<name> <version>",
        ),
    };
    Notice {
        subject: printable(tag.name.to_string().as_bytes()),
        what,
        help: Some(help.to_owned()),
    }
}
