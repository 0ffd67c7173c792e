//! What a reference leads to, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use catalog::conductor::Meaning;
use catalog::name::ComponentName;
use catalog::range::Range;
use catalog::record::{CatalogRecord, VersionRecord};
use catalog::reference::Reference as Wanted;
use catalog::slot::Slot;
use serde::Serialize;
use strsim::damerau_levenshtein;

use super::reference::{Reference, conductor_sees};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// It will not resolve, or not as it is meant.
    Error,
    /// It resolves, and could be simpler.
    Warning,
}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) level: Level,
    /// Never changes.
    pub(super) code: &'static str,
    pub(super) what: String,
    /// The nearest that there is, or what to do.
    pub(super) help: Option<String>,
}

fn error(code: &'static str, what: impl Into<String>, help: Option<String>) -> Verdict {
    Verdict { level: Level::Error, code, what: what.into(), help }
}

/// Every component that there is.
pub(super) struct Judge {
    catalogs: BTreeMap<ComponentName, CatalogRecord>,
}

impl Judge {
    pub(super) fn new(catalogs: BTreeMap<ComponentName, CatalogRecord>) -> Self {
        Self { catalogs }
    }

    /// The types that a reference can begin with.
    pub(super) fn types(&self) -> BTreeSet<String> {
        let there = self.catalogs.keys().map(|name| name.type_name().to_owned());
        there.chain(catalog::conductor::types()).collect()
    }

    /// What is wrong, each by itself.
    pub(super) fn judge(&self, reference: &Reference) -> Vec<Verdict> {
        let meanings = reference.meanings();
        let Some(first) = meanings.first() else { return vec![malformed(reference)] };
        let known = meanings.iter().find(|meaning| self.catalogs.contains_key(name_of(meaning)));
        let found = meanings.iter().find(|meaning| self.missing(meaning).is_none());
        let mut verdicts = Vec::new();
        match found {
            Some(Meaning::Content(name, wanted)) => verdicts.extend(self.redundant(name, wanted)),
            Some(Meaning::Versions(_)) => {}
            None => verdicts.extend(self.missing(known.unwrap_or(first))),
        }
        if reference.by_looks && reference.text.contains('@') && !conductor_sees(&reference.text) {
            let what = "Conductor takes this for text, not for a reference";
            let help = "it reads only letters, digits, '-', '_', '/' before the '@' and letters, \
                        digits, '-', '.' behind it: name a slot or a version, or set a slot to what \
                        the range leads to";
            verdicts.push(error("taken-for-text", what, Some(help.to_owned())));
        }
        verdicts
    }

    /// Why a meaning leads nowhere, if it does.
    fn missing(&self, meaning: &Meaning) -> Option<Verdict> {
        let name = name_of(meaning);
        let Some(catalog) = self.catalogs.get(name) else {
            let near = nearest(name.as_str(), self.catalogs.keys().map(ComponentName::as_str));
            return Some(error("unknown-component", format!("there is no component {name}"), near));
        };
        let Meaning::Content(_, wanted) = meaning else { return None };
        let versions = &catalog.versions;
        let (code, kind) = match wanted {
            Wanted::Slot(slot) if catalog.slots.contains_key(slot) => return None,
            Wanted::Slot(_) => ("unknown-slot", "slot"),
            Wanted::Range(range) if live(catalog).any(|record| inside(record, range)) => {
                return None;
            }
            Wanted::Range(_) => ("unsatisfied-range", "version in the range"),
            Wanted::Version(_) | Wanted::Digest(_) => {
                match versions.iter().find(|record| is(record, wanted)) {
                    Some(record) => return revoked(name, record),
                    None => ("unknown-version", "version"),
                }
            }
        };
        let what = format!("{name} has no {kind} {wanted}");
        Some(error(code, what, near_reference(name, catalog, &wanted.to_string())))
    }

    /// A slot that another shares its traffic out to need not be named.
    fn redundant(&self, name: &ComponentName, wanted: &Wanted) -> Option<Verdict> {
        let Wanted::Slot(slot) = wanted else { return None };
        let mut entries = self.catalogs.get(name)?.slots.iter();
        let (by, _) = entries.find(|(other, entry)| {
            let targets = &entry.record.targets;
            *other != slot && targets.len() > 1 && targets.iter().any(|t| t.arm.slot == *slot)
        })?;
        let what = format!("rollouts.toml gives {slot} to a part of {name}@{by} already");
        let help = format!("{name}@{by}, without a condition");
        Some(Verdict { level: Level::Warning, code: "redundant-slot", what, help: Some(help) })
    }
}

fn name_of(meaning: &Meaning) -> &ComponentName {
    match meaning {
        Meaning::Content(name, _) | Meaning::Versions(name) => name,
    }
}

fn is(record: &VersionRecord, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Version(version) => record.snapshot.version == *version,
        Wanted::Digest(digest) => record.snapshot.digest == *digest,
        Wanted::Range(_) | Wanted::Slot(_) => false,
    }
}

fn live(catalog: &CatalogRecord) -> impl Iterator<Item = &VersionRecord> {
    catalog.versions.iter().filter(|record| record.revoked.is_none())
}

fn inside(record: &VersionRecord, range: &Range) -> bool {
    record.snapshot.version.semver().is_some_and(|version| range.matches(version))
}

fn revoked(name: &ComponentName, record: &VersionRecord) -> Option<Verdict> {
    let (version, why) = (&record.snapshot.version, record.revoked.as_ref()?);
    Some(error("revoked-version", format!("{version} of {name} was revoked: {why}"), None))
}

/// The slot or version of a component that is nearest, or what it has.
fn near_reference(name: &ComponentName, catalog: &CatalogRecord, text: &str) -> Option<String> {
    let versions = live(catalog).map(|record| record.snapshot.version.to_string());
    let names: Vec<String> = versions.chain(catalog.slots.keys().map(Slot::to_string)).collect();
    let near = nearest(text, names.iter().map(String::as_str));
    near.map(|near| format!("{name}@{near}")).or_else(|| listed(&names))
}

fn malformed(reference: &Reference) -> Verdict {
    let why = reference.key.parse::<catalog::reference::Address>().err();
    let what = why.map_or("this is no reference".to_owned(), |why| why.to_string());
    error("malformed", what, None)
}

/// Of what there is, the name with the fewest slips between, or the one that
/// `text` is short for; none where it would be another word altogether.
fn nearest<'a>(text: &str, there: impl Iterator<Item = &'a str>) -> Option<String> {
    let short = |name: &str| name.starts_with(text) || text.starts_with(name);
    let slips = |name: &str| if short(name) { 1 } else { damerau_levenshtein(text, name) };
    let (slips, name) = there.map(|name| (slips(name), name)).min()?;
    let own = text.split_once('/').map_or(text, |(_, path)| path);
    (slips <= own.len().div_ceil(2)).then(|| name.to_owned())
}

/// What there is, where nothing of it is near.
fn listed(names: &[String]) -> Option<String> {
    let some: Vec<&str> = names.iter().rev().take(LISTED).map(String::as_str).collect();
    (!some.is_empty()).then(|| format!("one of {}", some.join(", ")))
}

/// How many of a component's slots and versions a finding lists.
const LISTED: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name() {
        let there = ["prompts/empty", "prompts/extraction", "schemas/invoice"];
        for (text, near) in [
            ("prompts/extration", Some("prompts/extraction")),
            ("promtps/extraction", Some("prompts/extraction")),
            ("prompts/extract", Some("prompts/extraction")),
            ("prompts/analyze-company", None),
            ("schemas/order", None),
        ] {
            assert_eq!(nearest(text, there.into_iter()).as_deref(), near, "{text}");
        }
    }
}
