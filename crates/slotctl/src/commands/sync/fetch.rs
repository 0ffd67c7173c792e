//! `sync --fetch`: makes the tags of components here what they are on the remote.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Result;
use catalog::name::ComponentName;
use gix_hash::ObjectId;
use notice::printable;
use reconcile::tag::{RefReading, TagTarget, read_ref};

use crate::output::{Output, count};
use git::Repository;
use notice::Refused;
use reconcile::tag::ref_folders;

/// So many lines are shown: a first fetch may bring everything.
const LINES: usize = 20;

/// Tags by their full names.
type Tags = BTreeMap<Vec<u8>, ObjectId>;

/// What a fetch did to the tags.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    new: Vec<Vec<u8>>,
    /// With what they were.
    moved: Vec<(Vec<u8>, ObjectId)>,
    deleted: Vec<(Vec<u8>, ObjectId)>,
}

/// Fetches, notes for the lease of `push` what the remote has, and tells.
pub(super) fn fetch(repo: &std::path::Path, only: &[ComponentName], output: &Output) -> Result<()> {
    let began = Instant::now();
    let repository = Repository::open(repo)?;
    let remote = remote(&repository)?;
    let before = tags(&repository, only)?;
    git::remote::fetch_tags(&repository, &remote, &ref_folders(only))?;
    let after = tags(&repository, only)?;
    let changes = Changes::between(&before, &after);
    note(&repository, &remote, &after, &changes)?;
    tell(output, &remote, &changes, began);
    Ok(())
}

/// The remote that the default branch is read from, else the only one.
fn remote(repository: &Repository) -> Result<String> {
    let remotes = git::remote::names(repository)?;
    let (what, help) = match remotes.as_slice() {
        [] => ("there is no remote to fetch from", "git remote add origin <url>"),
        [only] => return Ok(only.clone()),
        several if several.iter().any(|name| name == "origin") => return Ok("origin".to_owned()),
        _ => (
            "there are several remotes, and none is called origin",
            "git fetch --force --prune <remote> '+refs/tags/components/*:refs/tags/components/*', \
             then sync without --fetch",
        ),
    };
    Err(Refused::new("--fetch", what, help).into())
}

fn tags(repository: &Repository, only: &[ComponentName]) -> Result<Tags> {
    Ok(git::refs::list(repository, &ref_folders(only))?
        .refs
        .into_iter()
        .map(|found| (found.name, found.id))
        .collect())
}

impl Changes {
    fn between(before: &Tags, after: &Tags) -> Self {
        let mut changes = Self::default();
        for (name, id) in after {
            match before.get(name) {
                None => changes.new.push(name.clone()),
                Some(was) if was != id => changes.moved.push((name.clone(), *was)),
                Some(_) => {}
            }
        }
        let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
        changes.deleted = gone.map(|(name, was)| (name.clone(), *was)).collect();
        changes
    }
}

/// Notes what the remote has of the slots that changed here, or that were noted
/// otherwise: a later `push` may move exactly that.
fn note(repository: &Repository, remote: &str, after: &Tags, changes: &Changes) -> Result<()> {
    let seen = git::seen::read(repository, remote)?.there;
    let moved = changes.moved.iter().map(|(name, _)| name);
    let changed: BTreeSet<&Vec<u8>> = changes.new.iter().chain(moved).collect();
    let mut there = Vec::new();
    for (name, id) in after {
        let Some(slot) = slot(name) else { continue };
        let outdated = seen.get(&slot).is_some_and(|noted| noted != id);
        if outdated || changed.contains(name) {
            there.push((slot, *id));
        }
    }
    git::seen::note_seen(repository, remote, &there)?;
    let gone = changes.deleted.iter().filter_map(|(name, _)| slot(name));
    git::seen::note_gone(repository, remote, &gone.collect::<Vec<_>>())
}

/// The short name of a slot's tag.
fn slot(full_name: &[u8]) -> Option<String> {
    match read_ref(full_name) {
        RefReading::Tag(name) if matches!(name.target, TagTarget::Slot(_)) => {
            Some(name.to_string())
        }
        _ => None,
    }
}

fn tell(output: &Output, remote: &str, changes: &Changes, began: Instant) {
    let Changes { new, moved, deleted } = changes;
    let parts = [(new.len(), "new"), (moved.len(), "moved"), (deleted.len(), "deleted")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(*number, "tag")))
        .collect();
    let remote = printable(remote.as_bytes());
    let came = if parts.is_empty() { "nothing new".to_owned() } else { parts.join(", ") };
    output.step("fetch", format_args!("{came} from {remote}"), began);
    let moved = moved.iter().map(|(name, was)| (name, "moved", was));
    let deleted = deleted.iter().map(|(name, was)| (name, "deleted", was));
    for (name, what, was) in moved.chain(deleted).take(LINES) {
        let name = printable(name.strip_prefix(b"refs/tags/").unwrap_or(name));
        output.say(format_args!("       {name}: {what}, it was {was}"));
    }
}
