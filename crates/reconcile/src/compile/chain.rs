//! Which version a slot stands on.
//!
//! A slot set to a version is a tag of a tag: it embeds the version's tag object
//! of that day. Slot to slot embeds the other slot's. So the version is the first
//! tag object in the chain that is a version of the same component, if that
//! version's ref still is that same object; else the highest version tag at the
//! commit; else the slot is pinned to the commit.

use std::collections::BTreeMap;

use super::tags::{Peeled, Tag};
use crate::tag::{TagName, TagTarget, read_short_name};
use catalog::version::Version;

/// The version tags of one component under one prefix.
pub(super) type VersionTags<'a> = BTreeMap<&'a Version, &'a Peeled>;

/// Which version a slot stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedVersion {
    /// The version.
    pub version: Version,
    /// The version that the slot was set to, whose tag is another one now or gone.
    pub lost: Option<Lost>,
}

/// A version tag that a slot was set to and that does not say so any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The version.
    pub version: Version,
    /// Whether a tag of that name exists.
    pub moved: bool,
}

/// Where a slot of one component stands, among all of the component's tags.
pub fn stands(slot: &TagName, peeled: &Peeled, tags: &[Tag]) -> TaggedVersion {
    let of_component =
        |tag: &&Tag| (tag.name.prefix, &tag.name.component) == (slot.prefix, &slot.component);
    let versions =
        tags.iter().filter(of_component).filter_map(|tag| match (&tag.name.target, &tag.target) {
            (TagTarget::Version(version), Ok(peeled)) => Some((version, peeled)),
            _ => None,
        });
    standing(slot, peeled, &versions.collect())
}

/// Finds the version of the slot `tag`, which leads to `peeled`.
pub(super) fn standing(
    tag: &TagName,
    peeled: &Peeled,
    versions: &VersionTags<'_>,
) -> TaggedVersion {
    let mut lost = None;
    for link in &peeled.chain {
        let Some(version) = version_named(&link.name, tag) else { continue };
        let now = versions.get(&version).map(|now| now.chain.first());
        if now.flatten().is_some_and(|now| now.id == link.id) {
            return TaggedVersion { version, lost: None };
        }
        lost.get_or_insert(Lost { version, moved: now.is_some() });
    }
    match highest_at(peeled, versions) {
        Some(version) => TaggedVersion { version, lost: None },
        None => TaggedVersion { version: Version::Commit(peeled.commit.id.clone()), lost },
    }
}

/// The version that a tag object's name says, if it is one of the slot's component.
fn version_named(name: &[u8], slot: &TagName) -> Option<Version> {
    let tag = read_short_name(name)?;
    match tag.target {
        TagTarget::Version(version)
            if (tag.prefix, &tag.component) == (slot.prefix, &slot.component) =>
        {
            Some(version)
        }
        _ => None,
    }
}

fn highest_at(peeled: &Peeled, versions: &VersionTags<'_>) -> Option<Version> {
    let at_commit = versions.iter().filter(|(_, tag)| tag.commit.id == peeled.commit.id);
    // SemVer orders v1.1.1-0 above v1.1.0, but whoever names a commit with both means the
    // release.
    at_commit.map(|(version, _)| *version).max_by_key(|v| (v.is_stable(), *v)).cloned()
}
