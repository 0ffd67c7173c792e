//! Plans a push: the refs that are pushed, refused and left alone.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use gix_hash::ObjectId;
use notice::Notice;
use reconcile::tag::{TagName, TagTarget};
use serde_json::{Value, json};

use super::branch::BranchPlan;
use super::decide::{Sides, TagVerdict, Theirs, decide};
use super::refusal;
use crate::read::tags::Tagged;
use git::Repository;
use git::remote::Pushed;
use git::seen::SeenTags;

/// A tag that is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TagChange {
    /// The tag's name.
    pub(super) name: TagName,
    /// The tag's object here.
    pub(super) id: ObjectId,
    /// The tag's object on the remote, if the tag is moved.
    pub(super) from: Option<ObjectId>,
}

impl TagChange {
    /// Describes the change in words.
    pub(super) fn line(&self) -> String {
        match (&self.from, &self.name.target) {
            (Some(_), _) => format!("{}: moved", self.name),
            (None, TagTarget::Version(_)) => format!("{}: new version", self.name),
            (None, TagTarget::Slot(_)) => format!("{}: new slot", self.name),
        }
    }
}

/// The refs that are pushed, refused and left alone.
#[derive(Debug, Default)]
pub(super) struct PushPlan {
    /// The branch, if the remote lacks some of its commits.
    pub(super) branch: Option<BranchPlan>,
    /// The tags: versions first, so that every slot comes after its version.
    pub(super) tags: Vec<TagChange>,
    /// Slots that are the same on both sides, and had another object when last seen.
    pub(super) same: Vec<(String, ObjectId)>,
    /// The refusals.
    pub(super) refused: Vec<Notice>,
    /// Notes about tags that are left alone.
    pub(super) notes: Vec<Notice>,
}

impl PushPlan {
    /// Decides on these tags.
    pub(super) fn add_tags(
        &mut self,
        repository: &Repository,
        remote: &str,
        there: &HashMap<String, ObjectId>,
        tags: &[Tagged],
        force: bool,
    ) -> Result<()> {
        let seen = git::seen::read(repository, remote)?;
        let mut theirs = Vec::new();
        for tagged in tags {
            if let Some(found) = self.add(tagged, there, &seen, force) {
                theirs.push(found);
            }
        }
        self.tags.sort_by(|a, b| (slot(&a.name), &a.name).cmp(&(slot(&b.name), &b.name)));
        let (refused, notes) = refusal::of_theirs(repository, remote, &theirs)?;
        self.refused.extend(refused);
        self.notes.extend(notes);
        Ok(())
    }

    /// Decides on one tag; the changes of others are collected and examined together.
    fn add<'a>(
        &mut self,
        tagged: &'a Tagged,
        there: &HashMap<String, ObjectId>,
        seen: &SeenTags,
        force: bool,
    ) -> Option<Theirs<'a>> {
        let (name, tag) = (&tagged.tag.name, tagged.tag.name.to_string());
        let sides = Sides {
            local: tagged.id,
            remote: there.get(&format!("refs/tags/{tag}")).copied(),
            seen: seen.there.get(&tag).copied(),
            moved: seen.moved.get(&tag).copied(),
        };
        let verdict = decide(sides, !slot(name), force);
        let change = |from| TagChange { name: name.clone(), id: tagged.id, from };
        match verdict {
            TagVerdict::Same if sides.seen.is_some_and(|seen| seen != tagged.id) => {
                self.same.push((tag, tagged.id));
            }
            TagVerdict::Same => {}
            TagVerdict::New => self.tags.push(change(None)),
            TagVerdict::Move(from) => self.tags.push(change(Some(from))),
            TagVerdict::NeedsForce => self.refused.push(refusal::needs_force(name)),
            TagVerdict::OtherVersion
            | TagVerdict::Behind
            | TagVerdict::Unseen
            | TagVerdict::Conflict => {
                return Some(Theirs { tagged, remote: sides.remote, verdict });
            }
        }
        None
    }

    /// Returns the refs to push, in order.
    pub(super) fn pushed(&self) -> Vec<Pushed> {
        let branch = self.branch.iter().map(|branch| branch.pushed.clone());
        let tag = |change: &TagChange| Pushed {
            source: change.id.to_string(),
            name: format!("refs/tags/{}", change.name),
            lease: Some(change.from),
        };
        branch.chain(self.tags.iter().map(tag)).collect()
    }

    /// Returns the slots that the remote has after these refs were pushed.
    pub(super) fn now_there(&self, refs: &[Pushed]) -> Vec<(String, ObjectId)> {
        let names: HashSet<&str> = refs.iter().map(|pushed| pushed.name.as_str()).collect();
        let slots = self.tags.iter().filter(|change| slot(&change.name));
        let slots = slots.map(|change| (change.name.to_string(), change.id));
        slots.filter(|(tag, _)| names.contains(format!("refs/tags/{tag}").as_str())).collect()
    }

    /// Returns the plan and its result as JSON.
    pub(super) fn value(&self, remote: &str, refused: &[Notice]) -> Value {
        let done = refused.is_empty();
        let tag = |change: &TagChange| {
            let from = change.from.map(|id| id.to_string());
            json!({ "tag": change.name.to_string(), "from": from, "to": change.id.to_string() })
        };
        let tags: Vec<Value> = self.tags.iter().filter(|_| done).map(tag).collect();
        let branch = self.branch.as_ref().filter(|_| done).map(|branch| &branch.pushed.name);
        json!({
            "remote": remote,
            "pushed": { "branch": branch, "tags": tags },
            "left": self.notes,
            "refused": refused,
        })
    }
}

fn slot(name: &TagName) -> bool {
    matches!(name.target, TagTarget::Slot(_))
}
