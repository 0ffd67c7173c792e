//! The state that Workers KV should have, by Git.

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
    /// All components with at least one tag that can be served, by name.
    pub components: BTreeMap<ComponentName, DesiredComponent>,
    /// The versions and slots that have a tag but can't be served, for example because of a
    /// missing file or an incomplete clone. Pruning must keep what KV has of them.
    pub unserved: BTreeMap<ComponentName, BTreeSet<TagTarget>>,
}

impl Desired {
    /// Notes which of these tags can't be served; `tags` are all tags of the repository.
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
            // `latest` may follow this version.
            if matches!(target, TagTarget::Version(version) if version.is_stable()) && !has_latest {
                unserved.insert(TagTarget::Slot(Slot::latest()));
            }
        }
    }

    /// Tells if a slot or version has a tag but can't be served.
    pub fn is_unserved(&self, name: &ComponentName, target: &TagTarget) -> bool {
        self.unserved.get(name).is_some_and(|unserved| unserved.contains(target))
    }
}

/// The state that one component should have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredComponent {
    /// The versions that its tags name, and the commits that its slots are pinned to.
    pub versions: BTreeMap<Version, VersionRecord>,
    /// Its slots, `latest` included. Each names one of the versions above.
    pub slots: BTreeMap<Slot, DesiredSlot>,
    /// Tells if a tag sets `latest`; otherwise it follows the releases.
    pub tagged_latest: bool,
    /// The component's table in `rollouts.toml`.
    pub traffic: Traffic,
}

/// The contents of `rollouts.toml` for one component, and what a mistake in it leaves
/// unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The splits of traffic. A slot without a route gives all of its traffic to its own
    /// version; a slot that is only here has no tag of its own.
    pub routes: BTreeMap<Slot, Route>,
    /// The revoked versions with the reasons, also versions without a tag in Git.
    pub revoked: BTreeMap<Version, String>,
    /// Slots that answer 410 if their version is revoked, in place of an earlier version.
    pub gone_if_revoked: BTreeSet<Slot>,
    /// Slots with a mistake in their table. They are left unchanged.
    pub frozen: BTreeSet<Slot>,
    /// Leaves every slot that splits its traffic in KV unchanged, unless it has a route: the
    /// file's table can't be read.
    pub keep_splits: bool,
    /// Keeps every revocation in KV.
    pub keep_revocations: bool,
    /// The last change of the file.
    pub change: Option<TrafficChange>,
}

/// The split of a slot's traffic between slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The slots with their shares in thousandths of a percent. The shares add up to 100 %. The
    /// slot itself comes last, if it has a share.
    pub targets: Vec<(Slot, u32)>,
    /// Groups of callers, with the slot that each gets.
    pub segments: BTreeMap<String, Slot>,
}

impl Route {
    /// Returns the route that a record in KV was made from.
    pub fn of(record: &SlotRecord) -> Self {
        let targets = record.targets.iter();
        let segment = |(group, arm): (&String, &Arm)| (group.clone(), arm.slot.clone());
        Self {
            targets: targets.map(|target| (target.arm.slot.clone(), target.weight)).collect(),
            segments: record.segments.iter().map(segment).collect(),
        }
    }

    /// Returns the share of a slot among the targets, in thousandths of a percent.
    pub fn weight_of(&self, slot: &Slot) -> u32 {
        self.targets.iter().filter(|(target, _)| target == slot).map(|(_, weight)| weight).sum()
    }

    /// Returns the route without the share and the segments of an arm: the slot `own` gets the
    /// share, or else the last other target. Returns the route unchanged if nothing else is left.
    #[must_use]
    pub fn without_arm(mut self, arm: &Slot, own: &Slot) -> Self {
        let share = self.weight_of(arm);
        let targets = &mut self.targets;
        let last = targets.iter().rposition(|(of, _)| of != arm);
        let heir = targets.iter().position(|(of, _)| of == own).or(last);
        let Some(heir) = heir.and_then(|at| targets.get_mut(at)) else { return self };
        heir.1 += share;
        let heir = heir.0.clone();
        targets
            .iter_mut()
            .filter(|(of, _)| of == arm && *of != heir)
            .for_each(|(_, weight)| *weight = 0);
        self.segments.retain(|_, of| of != arm);
        self
    }

    /// Returns every slot that the route names.
    pub fn named(&self) -> impl Iterator<Item = &Slot> {
        self.targets.iter().map(|(target, _)| target).chain(self.segments.values())
    }
}

/// The commit that changed `rollouts.toml` last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficChange {
    /// The author of the commit.
    pub author: String,
    /// The time of the commit.
    pub time: Timestamp,
    /// The first line of the commit's message.
    pub why: String,
}

/// The version that a slot should have, and the last move by its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredSlot {
    /// The slot's version.
    pub version: Version,
    /// The author of the move: the tagger, or the committer of a lightweight tag's commit.
    pub author: String,
    /// The time of the move.
    pub time: Timestamp,
    /// The reason of the move: the first line of the tag's message.
    pub why: String,
    /// The id of the object that the tag's ref names, in hex; `None` for a `latest` that
    /// follows the releases.
    pub tag: Option<String>,
}

/// Returns the record of the same content under its commit id instead of a version.
pub fn pinned_to_commit(record: &VersionRecord) -> VersionRecord {
    let mut pinned = record.clone();
    pinned.format = FORMAT;
    pinned.snapshot.version = Version::Commit(record.snapshot.sha.clone());
    pinned
}
