//! The tags of a rollback: moved as by `slotctl tag set`, and pushed with the lease of
//! `slotctl push`.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::Result;
use catalog::name::ComponentName;
use catalog::record::VersionRecord;
use catalog::slot::Slot;
use gix_hash::ObjectId;
use notice::{Notice, Refused};
use reconcile::rollback::{Rollback, RollbackChange};
use reconcile::tag::{Prefix, TagName, TagTarget};

use crate::args::{CommonArgs, FileArgs, RollbackArgs, SetArgs};
use crate::commands::{push, tag};
use crate::context::Context;
use crate::output::count;
use crate::remote::{limit, list_refs};
use crate::source::Origin;
use git::Repository;

/// Moves and pushes the tags; returns the tags that the remote refused.
///
/// It first fetches the changes that others made to these slots: KV was rolled back from its
/// current state, and the lease must be on the current tags of the remote.
pub(super) fn move_and_push(
    context: &Context<'_, RollbackArgs>,
    repository: &Repository,
    rollbacks: &[Rollback],
    origin: &Origin,
) -> Result<Vec<Notice>> {
    let Context { args, output, .. } = *context;
    let moves: Vec<TagMove<'_>> = rollbacks.iter().filter_map(TagMove::of).collect();
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    let remote = push::remote(repository)?;
    let there = match origin {
        // The remote did not answer before: do not wait for it a second time.
        Origin::Unanswered { name, .. } => Err(unanswered(name).into()),
        _ => remote.as_ref().map(|remote| fetch(repository, remote, &moves)).transpose(),
    };
    let began = Instant::now();
    for moved in &moves {
        tag::move_slot(repository, &context.with(&set_args(args, moved)))?;
    }
    output.step("tag", format_args!("{} moved", count(moves.len(), "tag")), began);
    let (Some(remote), Some(there)) = (remote, there?) else {
        output.say("       no remote: there is nothing to push to");
        return Ok(Vec::new());
    };
    let began = Instant::now();
    let names: Vec<TagName> = moves.iter().flat_map(tags).collect();
    let refused = push::push_tags(repository, &remote, &there, &names)?;
    if refused.is_empty() {
        output.step("push", format_args!("{} to {remote}", count(moves.len(), "slot")), began);
    }
    Ok(refused)
}

fn unanswered(remote: &str) -> Refused {
    let what = "cannot be reached: it did not answer, so that the tag is moved in this clone alone";
    Refused::new(remote, what, "slotctl push --tags --force, once it answers")
}

/// A slot whose tag moves. A share is taken without a tag.
struct TagMove<'a> {
    name: &'a ComponentName,
    slot: &'a Slot,
    to: &'a VersionRecord,
}

impl<'a> TagMove<'a> {
    fn of(rollback: &'a Rollback) -> Option<Self> {
        let Rollback { name, slot, change, .. } = rollback;
        match change {
            RollbackChange::Version { to, .. } => Some(Self { name, slot, to }),
            RollbackChange::Share { .. } => None,
        }
    }
}

/// Returns the tags of a move: of its version and of its slot.
fn tags(moved: &TagMove<'_>) -> [TagName; 2] {
    let name =
        |target| TagName { prefix: Prefix::Components, component: moved.name.clone(), target };
    [
        name(TagTarget::Version(moved.to.snapshot.version.clone())),
        name(TagTarget::Slot(moved.slot.clone())),
    ]
}

/// Fetches those of these tags that the remote has; returns all refs of the remote.
fn fetch(
    repository: &Repository,
    remote: &str,
    moves: &[TagMove<'_>],
) -> Result<HashMap<String, ObjectId>> {
    let there = list_refs(repository, remote)?;
    let mut names = Vec::new();
    let mut slots = Vec::new();
    for tag in moves.iter().flat_map(tags) {
        let full_name = format!("refs/tags/{tag}");
        let Some(id) = there.get(&full_name) else { continue };
        match &tag.target {
            TagTarget::Slot(_) => slots.push((tag.to_string(), *id)),
            // A version tag of this clone is never overwritten.
            TagTarget::Version(_) if repository.has_ref(&full_name) => continue,
            TagTarget::Version(_) => {}
        }
        names.push(full_name);
    }
    git::remote::fetch_refs(repository, remote, &names, limit()?)?;
    git::seen::note_seen(repository, remote, &slots)?;
    Ok(there)
}

fn set_args(args: &RollbackArgs, moved: &TagMove<'_>) -> SetArgs {
    SetArgs {
        component: moved.name.clone(),
        slot: moved.slot.clone(),
        to: moved.to.snapshot.version.to_string(),
        file: FileArgs {
            path: Some(moved.to.path.clone()),
            registry: None,
            message: Some(args.reason.clone()),
            allow_dirty: true,
        },
        common: CommonArgs {
            prefix: Prefix::Components,
            repo: args.common.repo.clone(),
            json: false,
        },
    }
}
