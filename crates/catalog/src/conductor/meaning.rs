//! Converts a key to the component and the reference that it can mean.

use super::singular::singulars;
use crate::name::ComponentName;
use crate::reference::Reference;
use crate::slot::Slot;

/// The prefix of the keys of the value resolver's `EDGIT` binding.
pub const TREE: &str = "components/";

/// The last segment of the key of a component's versions: a JSON array.
pub const VERSIONS: &str = "_versions";

/// A meaning of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A version of a component.
    Content(ComponentName, Reference),
    /// The versions of a component.
    Versions(ComponentName),
}

/// Returns every meaning of a key, in the order in which they are tried. The list is empty for
/// a key that no component can have.
///
/// `templates/emails/welcome` is the slot `welcome` of `templates/emails`, or else the latest
/// `templates/emails/welcome`. The existing components decide which.
pub fn meanings(key: &str) -> Vec<Meaning> {
    let bare = key.strip_prefix(TREE).unwrap_or(key);
    if let Some((name, reference)) = bare.rsplit_once('@') {
        return contents(name, reference);
    }
    let Some((name, last)) = bare.rsplit_once('/') else { return Vec::new() };
    if last == VERSIONS {
        return names(name).map(Meaning::Versions).collect();
    }
    let mut meanings = contents(name, last);
    meanings.extend(contents(bare, Slot::LATEST));
    meanings
}

fn contents(name: &str, reference: &str) -> Vec<Meaning> {
    let Ok(reference) = reference.parse::<Reference>() else { return Vec::new() };
    names(name).map(|name| Meaning::Content(name, reference.clone())).collect()
}

/// The types that Conductor and edgit also write in the singular.
const PLURALS: [&str; 10] = [
    "agents",
    "configs",
    "docs",
    "ensembles",
    "prompts",
    "queries",
    "schemas",
    "scripts",
    "templates",
    "tools",
];

/// Lists every type that Conductor and edgit know, in the plural and in the singular.
pub fn types() -> impl Iterator<Item = String> {
    let both = |plural: &str| singulars(plural).into_iter().chain([plural.to_owned()]);
    PLURALS.into_iter().flat_map(move |plural| both(plural).collect::<Vec<_>>())
}

/// Returns the possible component names, the one with the plural of the type first.
fn names(text: &str) -> impl Iterator<Item = ComponentName> {
    let plural = text.split_once('/').and_then(|(kind, path)| {
        let plural = PLURALS.into_iter().find(|plural| singulars(plural).iter().any(|s| s == kind));
        plural.map(|plural| format!("{plural}/{path}"))
    });
    [plural, Some(text.to_owned())].into_iter().flatten().filter_map(|text| text.parse().ok())
}
