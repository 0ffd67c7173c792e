//! Finds the nearest component, slot or version that exists.

use std::collections::BTreeMap;

use catalog::conductor::Meaning;
use catalog::name::ComponentName;
use catalog::record::{CatalogRecord, VersionRecord};
use catalog::reference::Reference as Wanted;
use catalog::slot::Slot;

use super::conductor::{PROTOCOLS, Remedy};
use crate::nearest::nearest;

/// The components that exist.
pub(super) type Catalogs = BTreeMap<ComponentName, CatalogRecord>;

/// A reference that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NearestName {
    pub(super) name: ComponentName,
    pub(super) reference: Option<String>,
}

/// Returns the component with the nearest name.
fn nearest_component<'a>(
    name: &ComponentName,
    catalogs: &'a Catalogs,
) -> Option<&'a ComponentName> {
    // `prompts/prompts/extraction`: the type is written twice.
    let twice = name.as_str().strip_prefix(name.type_name()).and_then(|rest| rest.get(1..));
    let inner = twice.and_then(|inner| catalogs.keys().find(|known| known.as_str() == inner));
    inner.or_else(|| {
        let near = nearest(name.as_str(), catalogs.keys().map(ComponentName::as_str))?;
        catalogs.keys().find(|known| known.as_str() == near)
    })
}

/// Returns the existing reference that is nearest to a meaning.
pub(super) fn existing(meaning: &Meaning, catalogs: &Catalogs) -> Option<NearestName> {
    let (meant, wanted) = match meaning {
        Meaning::Content(name, wanted) => (name, Some(wanted)),
        Meaning::Versions(name) => (name, None),
    };
    let known = catalogs.get_key_value(meant).map(|(name, _)| name);
    let name = known.or_else(|| nearest_component(meant, catalogs))?;
    let catalog = catalogs.get(name)?;
    let near = wanted.map(|wanted| match wanted {
        Wanted::Range(range) => highest(catalog, range),
        wanted => nearest_reference(catalog, &wanted.to_string()),
    });
    let reference = match near {
        // For another component any reference is a guess; for this one the finding has a list.
        Some(None) if known.is_none() => Some(usual(catalog)),
        Some(near) => Some(near?),
        None => None,
    };
    Some(NearestName { name: name.clone(), reference })
}

/// Returns the slots and the versions that are not revoked, the slots last.
pub(super) fn references(catalog: &CatalogRecord) -> Vec<String> {
    let versions = live(catalog).map(|record| record.snapshot.version.to_string());
    versions.chain(catalog.slots.keys().map(ToString::to_string)).collect()
}

/// Returns the versions that are not revoked.
pub(super) fn live(catalog: &CatalogRecord) -> impl Iterator<Item = &VersionRecord> {
    catalog.versions.iter().filter(|record| record.revoked.is_none())
}

/// Returns the reference that most callers use.
fn usual(catalog: &CatalogRecord) -> String {
    let production = catalog.slots.keys().find(|slot| slot.as_str() == "production");
    production.map_or(Slot::LATEST, Slot::as_str).to_owned()
}

fn nearest_reference(catalog: &CatalogRecord, text: &str) -> Option<String> {
    let there = references(catalog);
    let same = there.iter().find(|known| *known == text).cloned();
    same.or_else(|| nearest(text, there.iter().map(String::as_str)).map(str::to_owned))
}

/// Returns the highest version in a range; versions are in ascending order.
fn highest(catalog: &CatalogRecord, range: &catalog::range::Range) -> Option<String> {
    let fits = |record: &&VersionRecord| {
        record.snapshot.version.semver().is_some_and(|version| range.matches(version))
    };
    let found = live(catalog).filter(fits).last().map(|record| record.snapshot.version.to_string());
    found.or_else(|| nearest_reference(catalog, &range.to_string()))
}

/// Returns a reference in the spelling of its place.
pub(super) fn spelled(existing: &NearestName, spelling: Remedy) -> String {
    let NearestName { name, reference } = existing;
    let at = reference.as_ref().map_or(String::new(), |reference| format!("@{reference}"));
    let path = name.path();
    match (spelling, protocol(name)) {
        (Remedy::Name, _) => format!("{path}{at}"),
        (Remedy::Uri, Some(protocol)) => format!("{protocol}://{path}{at}"),
        (Remedy::Partial, Some(protocol)) => format!("{{{{> {protocol}://{path}{at}}}}}"),
        (Remedy::PromptKey, _) => format!("`prompt: {name}{at}`"),
        (Remedy::Registry, _) => {
            format!("`ctx.{}.get('{path}{at}')` in a code agent", name.type_name())
        }
        (Remedy::Key | Remedy::Uri | Remedy::Partial, _) => format!("{name}{at}"),
    }
}

/// Returns the protocol of a type: `prompts` has `prompt://`.
fn protocol(name: &ComponentName) -> Option<&'static str> {
    PROTOCOLS.into_iter().find(|protocol| {
        let plural = match *protocol {
            "query" => "queries".to_owned(),
            "docs" => "docs".to_owned(),
            _ => format!("{protocol}s"),
        };
        plural == name.type_name()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_use_the_spelling_of_their_place() {
        let name: ComponentName = "queries/find-users".parse().unwrap();
        let existing = NearestName { name, reference: Some("v1.0.0".to_owned()) };
        for (spelling, expected) in [
            (Remedy::Key, "queries/find-users@v1.0.0"),
            (Remedy::Name, "find-users@v1.0.0"),
            (Remedy::Uri, "query://find-users@v1.0.0"),
            (Remedy::Partial, "{{> query://find-users@v1.0.0}}"),
            (Remedy::Registry, "`ctx.queries.get('find-users@v1.0.0')` in a code agent"),
        ] {
            assert_eq!(spelled(&existing, spelling), expected);
        }
    }
}
