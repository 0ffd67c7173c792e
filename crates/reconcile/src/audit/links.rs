//! The checks that records agree with each other.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::audited::{AuditedArm, AuditedCatalog, AuditedComponent, AuditedVersion};
use super::finding::disagrees;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::version::Version;
use notice::Notice;

/// Compares the records with each other, after all of them were read.
pub(super) fn findings(components: &BTreeMap<ComponentName, AuditedComponent>) -> Vec<Notice> {
    let mut found = Vec::new();
    for (name, component) in components {
        found.extend(component.arms.iter().filter_map(|arm| arm_finding(name, component, arm)));
        ranges_findings(name, component, &mut found);
        catalog_findings(name, component, &mut found);
    }
    found
}

fn arm_finding(
    name: &ComponentName,
    component: &AuditedComponent,
    arm: &AuditedArm,
) -> Option<Notice> {
    let key = Key::Slot(name.clone(), arm.slot.clone());
    let version = &arm.version;
    match component.versions.get(version) {
        None => Some(disagrees(&key, format!("it leads to {version}, which does not exist"))),
        Some(seen) if seen.content != arm.content => Some(disagrees(
            &key,
            format!(
                "it says that {version} is {:?}, the version's own record says {:?}",
                arm.content, seen.content
            ),
        )),
        Some(_) => None,
    }
}

/// Compares a ranges record with the versions. A component of an earlier release has none.
fn ranges_findings(name: &ComponentName, component: &AuditedComponent, found: &mut Vec<Notice>) {
    let Some(listed) = &component.ranges else { return };
    let in_ranges =
        |(version, seen): &(&Version, &AuditedVersion)| version.semver().is_some() && !seen.revoked;
    let live = component.versions.iter().filter(in_ranges);
    let there = live.map(|(version, seen)| (version, seen.content)).collect();
    differences(&Key::Ranges(name.clone()), listed, &there, found);
}

fn catalog_findings(name: &ComponentName, component: &AuditedComponent, found: &mut Vec<Notice>) {
    let key = Key::Catalog(name.clone());
    let Some(AuditedCatalog { versions, slots }) = &component.catalog else {
        if !component.versions.is_empty() {
            found.push(disagrees(&key, "it does not exist".to_owned()));
        }
        return;
    };
    let there = component.versions.iter().map(|(version, seen)| (version, seen.record)).collect();
    differences(&key, versions, &there, found);
    differences(&key, slots, &component.slots.iter().map(|(s, d)| (s, *d)).collect(), found);
}

/// Adds a finding for each difference between the entries of a catalog and the existing
/// records.
fn differences<K: Ord + Display>(
    key: &Key,
    listed: &BTreeMap<K, Digest>,
    there: &BTreeMap<&K, Digest>,
    found: &mut Vec<Notice>,
) {
    for (name, digest) in listed {
        match there.get(name) {
            None => found.push(disagrees(key, format!("it lists {name}, which does not exist"))),
            Some(is) if is != digest => {
                found.push(disagrees(key, format!("it lists another state of {name}")));
            }
            Some(_) => {}
        }
    }
    let unlisted = there.keys().filter(|name| !listed.contains_key(**name));
    found.extend(unlisted.map(|name| disagrees(key, format!("it does not list {name}"))));
}
