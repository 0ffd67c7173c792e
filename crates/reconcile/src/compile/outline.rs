//! The first step: the versions and slots that the tags make, and the files that must be found.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chain::{TaggedVersion, VersionTags, standing};
use super::foreign::separate;
use super::tags::{Peeled, Stamp, Tag, Unpeelable};
use super::wanted::WantedVersion;
use crate::source::trailer::TrailerPath;
use crate::tag::{Prefix, TagName, TagTarget};
use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::{CommitId, Version};
use notice::Notice;

/// A tag under `logic/`. It is reported, so that CI can rebuild, and never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicTag {
    /// The component.
    pub name: ComponentName,
    /// The version or slot that the tag names.
    pub target: TagTarget,
    /// The version that the tag leads to.
    pub version: Version,
    /// The commit that the tag leads to.
    pub commit: CommitId,
}

/// A slot, by its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SlotDraft {
    pub(super) slot: Slot,
    pub(super) version: Version,
    pub(super) stamp: Stamp,
    pub(super) why: String,
    pub(super) tag: String,
}

/// The result of reading the tags, before any file is read.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// The versions whose files must be found, in the order in which
    /// [`compile`](super::compile) takes the files.
    pub wanted: Vec<WantedVersion>,
    /// The tags under `logic/`.
    pub logic: Vec<LogicTag>,
    /// Tags that were skipped, and slots whose version's tag was moved or deleted.
    pub warnings: Vec<Notice>,
    /// Tags that lead to another component's tag, and tags whose objects can't be read.
    pub refused: Vec<Notice>,
    pub(super) drafts: BTreeMap<ComponentName, ComponentOutline>,
}

/// A component, by its tags.
#[derive(Clone, Debug, Default)]
pub(super) struct ComponentOutline {
    /// Its slots.
    pub(super) slots: Vec<SlotDraft>,
    /// Its versions, each with the author and time of its tag.
    pub(super) stamps: BTreeMap<Version, Stamp>,
    /// Tells if a tag sets `latest`, even a tag that can't be read.
    pub(super) tagged_latest: bool,
    /// The version tags whose commits this clone can't read.
    pub(super) unknown: Vec<Version>,
}

/// Groups the tags by component and finds the versions and slots that they make.
pub fn outline(tags: &[Tag]) -> Outline {
    let mut by_component: BTreeMap<(Prefix, &ComponentName), Vec<&Tag>> = BTreeMap::new();
    for tag in tags {
        by_component.entry((tag.name.prefix, &tag.name.component)).or_default().push(tag);
    }
    let mut outline = Outline::default();
    for ((prefix, component), tags) in by_component {
        for tag in &tags {
            let is_refused = is_wanted_and_unreadable(tag);
            let Outline { refused, warnings, .. } = &mut outline;
            if is_refused { refused } else { warnings }.extend(skipped(tag));
        }
        let (own, mut refused) = separate(&tags);
        outline.refused.append(&mut refused);
        match prefix {
            Prefix::Components => {
                // A tag `latest` sets the slot even if its objects can't be read.
                let tagged_latest = tags.iter().any(|tag| is_latest(tag));
                outline.add_component(component, &own, tagged_latest);
            }
            Prefix::Logic => outline.add_logic(&own),
        }
    }
    outline
}

impl Outline {
    fn add_component(&mut self, component: &ComponentName, tags: &[&Tag], tagged_latest: bool) {
        let versions = version_tags(tags);
        let mut draft = ComponentOutline {
            unknown: unknown_versions(tags),
            tagged_latest,
            ..ComponentOutline::default()
        };
        for (version, peeled) in &versions {
            draft.stamps.insert((*version).clone(), peeled.stamp().clone());
            self.want(component, version, peeled, peeled.trailer());
        }
        let mut pinned: BTreeMap<Version, &Peeled> = BTreeMap::new();
        for (name, slot, target) in slot_tags(tags) {
            let Ok(peeled) = target else { continue };
            let version = self.stand(name, peeled, &versions);
            if matches!(version, Version::Commit(_)) {
                self.pin(name, &version, peeled, &mut pinned);
            }
            draft.slots.push(slot_draft(slot, version, peeled));
        }
        for (version, peeled) in pinned {
            self.want(component, &version, peeled, peeled.trailer());
        }
        self.drafts.insert(component.clone(), draft);
    }

    fn want(
        &mut self,
        component: &ComponentName,
        version: &Version,
        peeled: &Peeled,
        trailer: Option<&TrailerPath>,
    ) {
        self.wanted.push(WantedVersion {
            component: component.clone(),
            version: version.clone(),
            commit: Arc::clone(&peeled.commit),
            trailer: trailer.cloned(),
            recorded: None,
        });
    }

    /// Notes that a slot is pinned to its commit. Slots on one commit share one version and so
    /// one file: the first tag that names a file decides.
    fn pin<'a>(
        &mut self,
        name: &TagName,
        version: &Version,
        peeled: &'a Peeled,
        pinned: &mut BTreeMap<Version, &'a Peeled>,
    ) {
        let first = *pinned.entry(version.clone()).or_insert(peeled);
        match (first.trailer(), peeled.trailer()) {
            (None, Some(_)) => drop(pinned.insert(version.clone(), peeled)),
            (Some(a), Some(b)) if a != b => self.warnings.push(Notice {
                subject: name.to_string(),
                what: format!(
                    "its Component-Path trailer is not followed: another slot at commit {version} \
                     names another file"
                ),
                help: Some("tag a version of each file, and set the slots to those".to_owned()),
            }),
            _ => {}
        }
    }

    fn add_logic(&mut self, tags: &[&Tag]) {
        let versions = version_tags(tags);
        for tag in tags {
            let Ok(peeled) = &tag.target else { continue };
            let version = match &tag.name.target {
                TagTarget::Version(version) => version.clone(),
                TagTarget::Slot(_) => self.stand(&tag.name, peeled, &versions),
            };
            self.logic.push(LogicTag {
                name: tag.name.component.clone(),
                target: tag.name.target.clone(),
                version,
                commit: peeled.commit.id.clone(),
            });
        }
    }

    /// Returns the version of a slot, and warns if it is not the version that the slot was set
    /// to.
    fn stand(&mut self, name: &TagName, peeled: &Peeled, versions: &VersionTags<'_>) -> Version {
        let TaggedVersion { version, lost } = standing(name, peeled, versions);
        if let Some(lost) = lost {
            let fate = if lost.moved { "moved" } else { "deleted" };
            self.warnings.push(Notice {
                subject: name.to_string(),
                what: format!(
                    "the tag of {}, which it was set to, was {fate} since: \
                     the slot is pinned to commit {version}",
                    lost.version
                ),
                help: Some("set the slot to a version again".to_owned()),
            });
        }
        version
    }
}

fn is_latest(tag: &Tag) -> bool {
    matches!(&tag.name.target, TagTarget::Slot(slot) if *slot == Slot::latest())
}

fn slot_draft(slot: &Slot, version: Version, peeled: &Peeled) -> SlotDraft {
    SlotDraft {
        slot: slot.clone(),
        version,
        stamp: peeled.stamp().clone(),
        why: peeled.why().to_owned(),
        tag: peeled.id(),
    }
}

fn version_tags<'a>(tags: &[&'a Tag]) -> VersionTags<'a> {
    let version = |tag: &&'a Tag| match (&tag.name.target, &tag.target) {
        (TagTarget::Version(version), Ok(peeled)) => Some((version, peeled)),
        _ => None,
    };
    tags.iter().filter_map(version).collect()
}

type SlotTag<'a> = (&'a TagName, &'a Slot, &'a Result<Peeled, Unpeelable>);

fn slot_tags<'a>(tags: &[&'a Tag]) -> impl Iterator<Item = SlotTag<'a>> {
    tags.iter().filter_map(|tag| match &tag.name.target {
        TagTarget::Slot(slot) => Some((&tag.name, slot, &tag.target)),
        TagTarget::Version(_) => None,
    })
}

fn unknown_versions(tags: &[&Tag]) -> Vec<Version> {
    let unknown = |tag: &&Tag| match (&tag.name.target, &tag.target) {
        (TagTarget::Version(version), Err(Unpeelable::Unreadable(_))) => Some(version.clone()),
        _ => None,
    };
    tags.iter().filter_map(unknown).collect()
}

/// Tells if a tag could be served but can't be read: a promotion that fails must not look like
/// one that succeeded.
fn is_wanted_and_unreadable(tag: &Tag) -> bool {
    let is_unreadable = matches!(tag.target, Err(Unpeelable::Unreadable(_)));
    is_unreadable && tag.name.prefix == Prefix::Components
}

/// Returns the notice about a tag that leads to no commit.
fn skipped(tag: &Tag) -> Option<Notice> {
    let (what, help) = match tag.target.as_ref().err()? {
        Unpeelable::NotACommit(kind) => (
            format!("skipped: it is the tag of a {kind}, not of a commit"),
            "tag the commit that the file is in",
        ),
        Unpeelable::Unreadable(what) => (
            format!("skipped: {what}"),
            "fetch it: git fetch --tags, for a shallow clone with --unshallow, for a partial one \
             with --refetch --no-filter; if that is not it, look for damage with git fsck",
        ),
        Unpeelable::Broken(what) => {
            (format!("skipped: {what}"), "delete the tag and make it again")
        }
    };
    Some(Notice { subject: tag.name.to_string(), what, help: Some(help.to_owned()) })
}
