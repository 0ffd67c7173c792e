//! The version of a slot, by its tag.
//!
//! A slot set to a version is a tag of a tag: it contains the version's tag object of that
//! time. A slot set to another slot contains the tag object of that slot. So the slot's version
//! is the first tag object in the chain that names a version of the same component, if that
//! version's ref still names the same object; else the highest version tag at the commit; else
//! the slot is pinned to the commit.

use std::collections::BTreeMap;

use super::tags::{Peeled, Tag};
use crate::tag::{TagName, TagTarget, read_short_name};
use catalog::version::Version;

/// The version tags of one component under one prefix.
pub(super) type VersionTags<'a> = BTreeMap<&'a Version, &'a Peeled>;

/// The version of a slot, by its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedVersion {
    /// The version.
    pub version: Version,
    /// The version that the slot was set to, if its tag was moved or deleted since.
    pub lost: Option<Lost>,
}

/// A version that a slot was set to, whose tag was moved or deleted since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The version.
    pub version: Version,
    /// Tells if a tag of that name still exists: it was moved, not deleted.
    pub moved: bool,
}

/// Finds the version of a slot among all tags of its component.
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

/// Returns the version in a tag object's name, if it belongs to the slot's component.
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
    // SemVer orders v1.1.1-0 above v1.1.0, but a person who names a commit with both means the
    // release.
    at_commit.map(|(version, _)| *version).max_by_key(|v| (v.is_stable(), *v)).cloned()
}
