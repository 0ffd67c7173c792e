//! Tags that lead to the tag of another component.
//!
//! `git tag -a components/prompts/a/production components/prompts/b/v2.0.0` names one
//! component and points at the version of another. The intended
//! component is unknown, so such a tag is refused.

use std::collections::BTreeSet;

use super::tags::{Peeled, Tag};
use crate::tag::{TagName, TagTarget, read_short_name};
use catalog::version::Version;
use notice::Notice;

/// Returns the tag of another component in the chain from a tag to its commit.
fn foreign(tag: &Tag) -> Option<(&Peeled, TagName)> {
    let peeled = tag.target.as_ref().ok()?;
    let mut links = peeled.chain.iter().filter_map(|link| read_short_name(&link.name));
    let other = links.find(|link| link.component != tag.name.component)?;
    Some((peeled, other))
}

/// Separates the tags that lead to another component's tag from the rest, and returns a notice
/// for each.
pub(super) fn separate<'a>(tags: &[&'a Tag]) -> (Vec<&'a Tag>, Vec<Notice>) {
    let (foreign_tags, own): (Vec<&Tag>, Vec<&Tag>) =
        tags.iter().copied().partition(|tag| foreign(tag).is_some());
    let versions: BTreeSet<&Version> = own.iter().filter_map(|tag| version(tag)).collect();
    let refuse = |tag: &&Tag| {
        let (peeled, other) = foreign(tag)?;
        let what = format!(
            "it leads to {other}, a tag of another component: which component is meant can't be \
             known"
        );
        let help = Some(intent(&tag.name, &other, at(peeled, &own), &versions));
        Some(Notice { subject: tag.name.to_string(), what, help })
    };
    let refused = foreign_tags.iter().filter_map(refuse).collect();
    (own, refused)
}

fn version(tag: &Tag) -> Option<&Version> {
    match &tag.name.target {
        TagTarget::Version(version) => Some(version),
        TagTarget::Slot(_) => None,
    }
}

/// Returns the highest version of the component at a commit.
fn at<'a>(peeled: &Peeled, own: &[&'a Tag]) -> Option<&'a Version> {
    let here =
        |tag: &&&Tag| tag.target.as_ref().is_ok_and(|target| target.commit.id == peeled.commit.id);
    let versions = own.iter().filter(here).filter_map(|tag| version(tag));
    versions.max_by_key(|version| (version.is_stable(), *version))
}

/// Returns the command that does what was most likely intended.
fn intent(
    name: &TagName,
    other: &TagName,
    at_commit: Option<&Version>,
    versions: &BTreeSet<&Version>,
) -> String {
    let slot = match &name.target {
        TagTarget::Slot(slot) => slot,
        TagTarget::Version(version) => {
            return format!(
                "tag the commit itself: git tag --force -a -m 'Release {version}' {name} \
                 'refs/tags/{name}^{{}}'"
            );
        }
    };
    let same = match &other.target {
        TagTarget::Version(version) => versions.get(version).copied(),
        TagTarget::Slot(_) => None,
    };
    match same.or(at_commit) {
        Some(version) => format!(
            "set the slot to its own component's version: slotctl tag set {} {slot} {version}",
            name.component
        ),
        None => format!(
            "set the slot to the commit itself: git tag --force -a -m 'Set {slot}' {name} \
             'refs/tags/{name}^{{}}'"
        ),
    }
}
