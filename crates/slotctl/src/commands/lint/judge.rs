//! Finds the mistakes in references.

use std::collections::BTreeSet;

use catalog::conductor::Meaning;
use catalog::name::ComponentName;
use catalog::range::Range;
use catalog::record::{CatalogRecord, VersionRecord};
use catalog::reference::Reference as Wanted;
use serde::Serialize;

use super::conductor::Remedy;
use super::nearest::{Catalogs, NearestName, existing, live, references, spelled};
use super::reference::{Effect, LintReference};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// The reference will not resolve, or not to the intended component.
    Error,
    /// The reference works, and probably differs from the intended one.
    Warning,
}

/// A mistake in a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) level: Level,
    /// The code of the mistake, which never changes.
    pub(super) code: &'static str,
    pub(super) what: String,
    /// The nearest reference that exists, or what to do.
    pub(super) help: Option<String>,
}

fn error(code: &'static str, what: impl Into<String>, help: Option<String>) -> Verdict {
    Verdict { level: Level::Error, code, what: what.into(), help }
}

fn warning(code: &'static str, what: impl Into<String>, help: Option<String>) -> Verdict {
    Verdict { level: Level::Warning, code, what: what.into(), help }
}

/// Returns the types with which a reference can begin.
pub(super) fn types(catalogs: &Catalogs) -> BTreeSet<String> {
    let there = catalogs.keys().map(|name| name.type_name().to_owned());
    there.chain(catalog::conductor::types()).collect()
}

/// Returns the mistakes in a reference, one verdict for each.
pub(super) fn judge(reference: &LintReference, catalogs: &Catalogs) -> Vec<Verdict> {
    let meanings = &reference.meanings;
    let known = meanings.iter().find(|meaning| catalogs.contains_key(name_of(meaning)));
    let found = meanings.iter().find(|meaning| missing(meaning, reference, catalogs).is_none());
    let mut verdicts = Vec::new();
    match found {
        Some(Meaning::Content(name, wanted)) => verdicts.extend(redundant(name, wanted, catalogs)),
        Some(Meaning::Versions(_)) => {}
        None => {
            let nearest = known.or(meanings.first());
            verdicts.extend(nearest.and_then(|meaning| missing(meaning, reference, catalogs)));
        }
    }
    let meant = found.or(known).or(meanings.first());
    let near = meant.and_then(|meaning| existing(meaning, catalogs));
    verdicts.extend(reference.effect.as_ref().map(|effect| of_effect(effect, near.as_ref())));
    verdicts
}

/// Returns the verdict on an effect: the use that the reader makes of the text in place of loading
/// the component.
fn of_effect(effect: &Effect, near: Option<&NearestName>) -> Verdict {
    let spell = |spelling: Remedy| near.map(|near| spelled(near, spelling));
    match effect {
        Effect::Text(remedy) => {
            let what = "Conductor takes this for text, not for a reference";
            error("taken-for-text", what, spell(*remedy).or_else(|| Some(form(*remedy).to_owned())))
        }
        Effect::Folded => {
            let what =
                "Conductor takes this for text, because a line break or a space is part of it";
            let help = "write it on one line, or with `>-`, which leaves out the last line break";
            error("taken-for-text", what, Some(help.to_owned()))
        }
        Effect::OtherBinding => {
            let what = "Conductor reads this from the binding `KV`, not from the resolver";
            warning("other-binding", what, spell(Remedy::Partial))
        }
        Effect::MemberConfig => {
            let what = "only an agent that `loadMemberConfig` loads gets this prompt; for an agent \
                        of the project it is text";
            warning("only-load-member-config", what, spell(Remedy::Key))
        }
        Effect::LocalAgent => {
            let what = "Conductor takes the agent of the project and ignores the version";
            let help = "leave out the version, or load the agent with `loadMemberConfig`";
            warning("ignored-version", what, Some(help.to_owned()))
        }
        Effect::NoLoader(operation) => {
            let what = format!(
                "templates of the {operation} agent load no components: this \
                                becomes an HTML comment with an error"
            );
            error("partial-not-loaded", what, spell(Remedy::Registry))
        }
        Effect::Malformed(why) => error("malformed", why, None),
    }
}

/// Returns the form of a reference that Conductor reads, used if no existing one is near.
fn form(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Key => "type/name@reference with a slot or a version",
        Remedy::Name => "name@reference with a slot or a version",
        Remedy::Uri => "template://name@reference",
        Remedy::Partial => "{{> template://name@reference}}",
        Remedy::PromptKey => "`prompt: prompts/name@reference`",
        Remedy::Registry => "`ctx.prompts.get('name@reference')` in a code agent",
    }
}

/// Returns the reason why a meaning does not resolve, if it does not.
fn missing(meaning: &Meaning, reference: &LintReference, catalogs: &Catalogs) -> Option<Verdict> {
    let name = name_of(meaning);
    let near = || existing(meaning, catalogs).map(|near| spelled(&near, reference.spelling));
    let Some(catalog) = catalogs.get(name) else {
        let what = format!("there is no component {name}");
        return Some(error("unknown-component", what, near()));
    };
    let Meaning::Content(_, wanted) = meaning else { return None };
    let (code, kind) = match wanted {
        Wanted::Slot(slot) if catalog.slots.contains_key(slot) => return None,
        Wanted::Slot(_) => ("unknown-slot", "slot"),
        Wanted::Range(range) if live(catalog).any(|record| inside(record, range)) => return None,
        Wanted::Range(_) => ("unsatisfied-range", "version in the range"),
        Wanted::Version(_) | Wanted::Digest(_) => {
            match catalog.versions.iter().find(|record| is(record, wanted)) {
                Some(record) => return revoked(name, record, near()),
                None => ("unknown-version", "version"),
            }
        }
    };
    let what = format!("{name} has no {kind} {wanted}");
    Some(error(code, what, near().or_else(|| listed(catalog))))
}

/// Warns of a slot that is already part of another slot's split: it need not be named.
fn redundant(name: &ComponentName, wanted: &Wanted, catalogs: &Catalogs) -> Option<Verdict> {
    let Wanted::Slot(slot) = wanted else { return None };
    let mut entries = catalogs.get(name)?.slots.iter();
    let (by, _) = entries.find(|(other, entry)| {
        let targets = &entry.record.targets;
        *other != slot && targets.len() > 1 && targets.iter().any(|t| t.arm.slot == *slot)
    })?;
    let what = format!("rollouts.toml already gives {slot} to a part of {name}@{by}");
    Some(warning("redundant-slot", what, Some(format!("{name}@{by}, without a condition"))))
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

fn inside(record: &VersionRecord, range: &Range) -> bool {
    record.snapshot.version.semver().is_some_and(|version| range.matches(version))
}

fn revoked(name: &ComponentName, record: &VersionRecord, near: Option<String>) -> Option<Verdict> {
    let (version, why) = (&record.snapshot.version, record.revoked.as_ref()?);
    Some(error("revoked-version", format!("{version} of {name} is revoked: {why}"), near))
}

/// Returns a list of some existing references, used if none of them is near.
fn listed(catalog: &CatalogRecord) -> Option<String> {
    let names = references(catalog);
    let some: Vec<&str> = names.iter().rev().take(LISTED).map(String::as_str).collect();
    (!some.is_empty()).then(|| format!("one of {}", some.join(", ")))
}

/// The number of slots and versions of a component that a finding lists.
const LISTED: usize = 6;
