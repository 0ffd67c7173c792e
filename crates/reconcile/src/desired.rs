//! What Git says should be in Workers KV.

use std::collections::{BTreeMap, BTreeSet};

use crate::tag::{Prefix, TagName, TagTarget};
use catalog::name::ComponentName;
use catalog::record::{Arm, FORMAT, SlotRecord, VersionRecord};
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use catalog::version::Version;

/// The whole desired state, compiled from tags and `rollouts.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// By name, every component with at least one tag that can be served.
    pub components: BTreeMap<ComponentName, DesiredComponent>,
    /// What has a tag and can't be served, for whatever reason: a missing file, an
    /// incomplete clone. What KV has of it is not a thing whose tag is gone.
    pub unserved: BTreeMap<ComponentName, BTreeSet<TagTarget>>,
}

impl Desired {
    /// Notes which of all the tags that there are can't be served.
    pub fn note_unserved<'a>(&mut self, tags: impl IntoIterator<Item = &'a TagName>) {
        for TagName { component: name, target, .. } in
            tags.into_iter().filter(|tag| tag.prefix == Prefix::Components)
        {
            let served = self.components.get(name);
            let is_served = served.is_some_and(|component| match target {
                TagTarget::Version(version) => component.versions.contains_key(version),
                TagTarget::Slot(slot) => component.slots.contains_key(slot),
            });
            if is_served {
                continue;
            }
            let has_latest =
                served.is_some_and(|component| component.slots.contains_key(&Slot::latest()));
            let unserved = self.unserved.entry(name.clone()).or_default();
            unserved.insert(target.clone());
            // It may be the one that `latest` would stand on.
            if matches!(target, TagTarget::Version(version) if version.is_stable()) && !has_latest {
                unserved.insert(TagTarget::Slot(Slot::latest()));
            }
        }
    }

    /// Whether a tag says that there is such a slot or version, though it can't be served.
    pub fn is_unserved(&self, name: &ComponentName, target: &TagTarget) -> bool {
        self.unserved.get(name).is_some_and(|unserved| unserved.contains(target))
    }
}

/// What one component should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredComponent {
    /// The versions that its tags name, and the commits that its slots are pinned to.
    pub versions: BTreeMap<Version, VersionRecord>,
    /// Its slots, `latest` included; each stands on one of the versions above.
    pub slots: BTreeMap<Slot, DesiredSlot>,
    /// Whether a tag says what `latest` is; else it follows the releases.
    pub tagged_latest: bool,
    /// What `rollouts.toml` says of it.
    pub traffic: Traffic,
}

/// What `rollouts.toml` says of a component, and what a mistake in it keeps from
/// being changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How slots share out their traffic. A slot that is not here gives all of it
    /// to its own version; one that is here alone has no tag of its own.
    pub routes: BTreeMap<Slot, Route>,
    /// Withdrawn versions and why, also such as Git has no tag of any more.
    pub revoked: BTreeMap<Version, String>,
    /// Slots that answer 410 if their version is revoked, in place of an earlier version.
    pub gone_if_revoked: BTreeSet<Slot>,
    /// Slots of which the file says something wrong: they stay as they are.
    pub frozen: BTreeSet<Slot>,
    /// Whatever slot shares out its traffic in KV stays as it is, unless it has a
    /// route: what the file says of it can't be read.
    pub keep_splits: bool,
    /// Whatever version is revoked in KV stays so.
    pub keep_revocations: bool,
    /// The last change of the file.
    pub change: Option<TrafficChange>,
}

/// How a slot's traffic goes to slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The slots with their shares in thousandths of a percent, which add up to
    /// the whole; the slot itself last, if it keeps any.
    pub targets: Vec<(Slot, u32)>,
    /// Groups of callers and the slot that each gets.
    pub segments: BTreeMap<String, Slot>,
}

impl Route {
    /// The route that a record in KV was made from.
    pub fn of(record: &SlotRecord) -> Self {
        let targets = record.targets.iter();
        let segment = |(group, arm): (&String, &Arm)| (group.clone(), arm.slot.clone());
        Self {
            targets: targets.map(|target| (target.arm.slot.clone(), target.weight)).collect(),
            segments: record.segments.iter().map(segment).collect(),
        }
    }

    /// The share of a slot among the targets, in thousandths of a percent.
    pub fn weight_of(&self, slot: &Slot) -> u32 {
        self.targets.iter().filter(|(target, _)| target == slot).map(|(_, weight)| weight).sum()
    }

    /// Every slot that it names.
    pub fn named(&self) -> impl Iterator<Item = &Slot> {
        self.targets.iter().map(|(target, _)| target).chain(self.segments.values())
    }
}

/// The commit that changed `rollouts.toml` last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficChange {
    /// Who made it.
    pub author: String,
    /// When.
    pub time: Timestamp,
    /// Why: its message, the first line.
    pub why: String,
}

/// Where a slot should stand, and what its tag says of the last move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredSlot {
    /// The version that the slot stands on.
    pub version: Version,
    /// Who set the tag (the tagger; the committer of a lightweight tag's commit).
    pub author: String,
    /// When.
    pub time: Timestamp,
    /// Why: the tag's message, its first line.
    pub why: String,
    /// The id of the object that the tag's ref names, in hex; `None` for a `latest` that
    /// follows the releases.
    pub tag: Option<String>,
}

/// The same content, named by its commit instead of by a version tag.
pub fn pinned_to_commit(record: &VersionRecord) -> VersionRecord {
    let mut pinned = record.clone();
    pinned.format = FORMAT;
    pinned.snapshot.version = Version::Commit(record.snapshot.sha.clone());
    pinned
}
