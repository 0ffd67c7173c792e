//! The tags of a rollback: moved as by `slotctl tag set`, and pushed with the lease of
//! `slotctl push`.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::Result;
use gix_hash::ObjectId;
use notice::{Notice, Refused};
use reconcile::rollback::Rollback;
use reconcile::tag::{Prefix, TagName, TagTarget};

use crate::args::{CommonArgs, FileArgs, RollbackArgs, SetArgs};
use crate::commands::{push, tag};
use crate::context::Context;
use crate::output::count;
use crate::remote::list_refs;
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
    let remote = push::remote(repository)?;
    let there = match origin {
        // The remote did not answer before: do not wait for it a second time.
        Origin::Unanswered { name, .. } => Err(unanswered(name).into()),
        _ => remote.as_ref().map(|remote| fetch(repository, remote, rollbacks)).transpose(),
    };
    let began = Instant::now();
    for rollback in rollbacks {
        tag::move_slot(repository, &context.with(&set_args(args, rollback)))?;
    }
    output.step("tag", format_args!("{} moved", count(rollbacks.len(), "tag")), began);
    let (Some(remote), Some(there)) = (remote, there?) else {
        output.say("       no remote: there is nothing to push to");
        return Ok(Vec::new());
    };
    let began = Instant::now();
    let names: Vec<TagName> = rollbacks.iter().flat_map(tags).collect();
    let refused = push::push_tags(repository, &remote, &there, &names)?;
    if refused.is_empty() {
        output.step("push", format_args!("{} to {remote}", count(rollbacks.len(), "slot")), began);
    }
    Ok(refused)
}

fn unanswered(remote: &str) -> Refused {
    let what = "cannot be reached: it did not answer, so that the tag is moved in this clone alone";
    Refused::new(remote, what, "slotctl push --tags --force, once it answers")
}

/// Returns the tags of a rollback: of its version and of its slot.
fn tags(rollback: &Rollback) -> [TagName; 2] {
    let name =
        |target| TagName { prefix: Prefix::Components, component: rollback.name.clone(), target };
    [
        name(TagTarget::Version(rollback.to.snapshot.version.clone())),
        name(TagTarget::Slot(rollback.slot.clone())),
    ]
}

/// Fetches those of these tags that the remote has; returns all refs of the remote.
fn fetch(
    repository: &Repository,
    remote: &str,
    rollbacks: &[Rollback],
) -> Result<HashMap<String, ObjectId>> {
    let there = list_refs(repository, remote)?;
    let mut names = Vec::new();
    let mut slots = Vec::new();
    for tag in rollbacks.iter().flat_map(tags) {
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
    git::remote::fetch_refs(repository, remote, &names)?;
    git::seen::note_seen(repository, remote, &slots)?;
    Ok(there)
}

fn set_args(args: &RollbackArgs, rollback: &Rollback) -> SetArgs {
    SetArgs {
        component: rollback.name.clone(),
        slot: rollback.slot.clone(),
        to: rollback.to.snapshot.version.to_string(),
        file: FileArgs {
            path: Some(rollback.to.path.clone()),
            registry: None,
            message: Some(args.reason.clone()),
        },
        common: CommonArgs {
            prefix: Prefix::Components,
            repo: args.common.repo.clone(),
            json: false,
        },
    }
}
