//! The records in Workers KV of the components to roll back.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{self, RecordError, VersionRecord};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, Refused};
use reconcile::rollback::{Present, Rollback};

use crate::args::RollbackArgs;
use crate::context::Session;
use crate::nearest::nearest;
use crate::source::{Origin, Source};
use crate::store::Store;

/// The slots that can be rolled back, and those that are refused or skipped.
#[derive(Default)]
pub(super) struct RollbackPlan {
    pub(super) rollbacks: Vec<Rollback>,
    pub(super) refused: Vec<Notice>,
    pub(super) skipped: Vec<Notice>,
}

/// The components that have the slot.
pub(super) struct PresentSlots {
    /// Those whose records can be used.
    pub(super) present: Vec<Present>,
    /// The reasons why the others cannot be rolled back: each has a record that cannot be used.
    pub(super) broken: Vec<Notice>,
}

/// Reads the records of all slots and the catalog of the component, or of every component
/// (of a type) that has the slot.
pub(super) fn find(session: &Session<'_, RollbackArgs>, slot: &Slot) -> Result<PresentSlots> {
    let Session { args, store, .. } = session;
    let prefix = match (&args.component, &args.of_type) {
        (Some(name), _) => format!("{name}@"),
        (None, Some(of_type)) => format!("{of_type}/"),
        (None, None) => String::new(),
    };
    let mut slots: BTreeMap<ComponentName, BTreeSet<Slot>> = BTreeMap::new();
    for page in store.namespace(Namespace::Slots).list(&prefix) {
        for listed in page? {
            if let Some(Key::Slot(name, slot)) = Key::parse(Namespace::Slots, &listed.name) {
                slots.entry(name).or_default().insert(slot);
            }
        }
    }
    if let Some(name) = &args.component {
        slots.entry(name.clone()).or_default();
        let found = read(slots, store)?;
        let is_unknown = |one: &Present| one.slots.is_empty() && one.catalog.is_none();
        return match found.present.iter().any(is_unknown) {
            true => Err(store.unknown(name)?.into()),
            false => Ok(found),
        };
    }
    let known: BTreeSet<Slot> = slots.values().flatten().cloned().collect();
    slots.retain(|_, slots| slots.contains(slot));
    match slots.is_empty() {
        true => Err(nowhere(session, slot, &known)?.into()),
        false => read(slots, store),
    }
}

/// Returns the refusal of a slot that no component (of the type) has; `known` are the slots that
/// they have.
fn nowhere(
    session: &Session<'_, RollbackArgs>,
    slot: &Slot,
    known: &BTreeSet<Slot>,
) -> Result<Refused> {
    let of_type = session.args.of_type.as_deref().filter(|_| known.is_empty());
    let names = of_type.map_or(Ok(Vec::new()), |_| session.store.components())?;
    let types = names.iter().map(ComponentName::type_name);
    let near_type = of_type.and_then(|of_type| nearest(of_type, types));
    let near_slot = nearest(slot.as_str(), known.iter().map(Slot::as_str));
    let help = match (near_type, near_slot) {
        (Some(near), _) => format!("did you mean --type {near}?"),
        (None, Some(near)) => format!("did you mean --all {near}?"),
        (None, None) => "list the slots with slotctl status".to_owned(),
    };
    Ok(Refused::new(format!("--all {slot}"), "no component has this slot in KV", help))
}

fn read(slots: BTreeMap<ComponentName, BTreeSet<Slot>>, store: &Store<'_>) -> Result<PresentSlots> {
    let mut found: BTreeMap<ComponentName, Present> = BTreeMap::new();
    let mut keys = Vec::new();
    for (name, slots) in slots {
        keys.extend(slots.into_iter().map(|slot| Key::Slot(name.clone(), slot)));
        keys.push(Key::Catalog(name.clone()));
        let present = Present { name: name.clone(), slots: BTreeMap::new(), catalog: None };
        found.insert(name, present);
    }
    let mut broken: BTreeMap<ComponentName, Notice> = BTreeMap::new();
    store.read(&keys, |key, value| {
        let Some(value) = value else { return };
        let (Key::Slot(name, _) | Key::Catalog(name)) = key else { return };
        let Some(present) = found.get_mut(name) else { return };
        let read = match key {
            Key::Slot(_, slot) => record::parse(value).map(|record| {
                present.slots.insert(slot.clone(), record);
            }),
            _ => record::parse(value).map(|record| present.catalog = Some(record)),
        };
        broken.extend(read.err().map(|error| (name.clone(), unusable(key, &error))));
    })?;
    found.retain(|name, _| !broken.contains_key(name));
    Ok(PresentSlots {
        present: found.into_values().collect(),
        broken: broken.into_values().collect(),
    })
}

/// The notice of a record that cannot be used. It stops the rollback of its component only.
fn unusable(key: &Key, error: &RecordError) -> Notice {
    let help = match error {
        RecordError::Malformed(_) => "write it again, then roll back: slotctl sync --repair",
        RecordError::FormatTooHigh { .. } => "roll back with the slotctl that wrote it, or later",
    };
    Notice {
        subject: key.to_string(),
        what: format!("the record in KV cannot be used: {error}"),
        help: Some(help.to_owned()),
    }
}

/// Refuses to roll back `latest` if it has no tag: it then follows the releases, and a tag
/// would end that permanently.
pub(super) fn refuse_latest(present: &Present, slot: &Slot, source: &Source) -> Result<(), Notice> {
    let name = &present.name;
    let (subject, tag) = (format!("{name}@{slot}"), format!("refs/tags/components/{name}/{slot}"));
    if *slot != Slot::latest() || source.has_tag(&tag) {
        return Ok(());
    }
    if let Origin::Unanswered { name: remote, .. } = &source.provenance.origin {
        let what = format!("{remote} did not answer, so that it is not known whether it has a tag");
        let help = Some("to go by the tags of this clone: --local-refs".to_owned());
        return Err(Notice { subject, what, help });
    }
    let help = format!(
        "withdraw the version in rollouts.toml, and latest skips it: [\"{name}\"] \
         revoked = {{ \"<version>\" = \"<why>\" }}; or pin it: slotctl tag set {name} latest <version>"
    );
    let what = "it has no tag, it follows the releases".to_owned();
    Err(Notice { subject, what, help: Some(help) })
}

/// Reads the records of the versions to return to. A version whose record or content is
/// missing in KV is a notice instead.
pub(super) fn versions(
    goals: &[(Present, Version)],
    store: &Store<'_>,
) -> Result<Vec<Result<VersionRecord, Notice>>> {
    let key = |(present, version): &(Present, Version)| {
        Key::Version(present.name.clone(), version.clone())
    };
    let keys: Vec<Key> = goals.iter().map(key).collect();
    let mut records: BTreeMap<Key, VersionRecord> = BTreeMap::new();
    let mut broken: BTreeMap<Key, Notice> = BTreeMap::new();
    store.read(&keys, |key, value| match value.map(record::parse::<VersionRecord>) {
        Some(Ok(record)) => drop(records.insert(key.clone(), record)),
        Some(Err(error)) => drop(broken.insert(key.clone(), unusable(key, &error))),
        None => {}
    })?;
    let contents: BTreeMap<Digest, Option<u64>> = records
        .values()
        .map(|record| (record.snapshot.digest, Some(record.snapshot.size)))
        .collect();
    let contents: Vec<(Digest, Option<u64>)> = contents.into_iter().collect();
    let mut there = BTreeSet::new();
    store.contents(&contents, |digest, bytes| {
        if bytes.is_some_and(|bytes| Digest::of(bytes) == digest) {
            there.insert(digest);
        }
    })?;
    let record = |(goal, key): (&(Present, Version), &Key)| match records.remove(key) {
        Some(record) if there.contains(&record.snapshot.digest) => Ok(record),
        Some(_) => Err(Notice {
            subject: key.to_string(),
            what: "its content is not in KV as it should be".to_owned(),
            help: Some("write it again, then roll back: slotctl sync --repair".to_owned()),
        }),
        None => Err(broken.remove(key).unwrap_or_else(|| unknown(&goal.0, key))),
    };
    Ok(goals.iter().zip(&keys).map(record).collect())
}

/// The notice of a version that KV does not have; it lists up to ten versions that KV has.
fn unknown(present: &Present, key: &Key) -> Notice {
    let versions = present.catalog.iter().flat_map(|catalog| catalog.versions.iter().rev());
    let there: Vec<String> =
        versions.take(10).map(|record| record.snapshot.version.to_string()).collect();
    Notice {
        subject: key.to_string(),
        what: "KV has no such version".to_owned(),
        help: Some(format!("it has: {}", there.join(", "))),
    }
}
