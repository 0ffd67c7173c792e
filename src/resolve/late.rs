//! What a location of Workers KV sees late.
//!
//! After a write, a location may see the old value of a key for up to a minute, whatever it sees
//! of other keys. A content that a record names is read again after a pause. An exact version
//! whose own record and catalog do not show it is looked for in the records of slots: one of
//! them may have led to its address, in this isolate or in another one of the location. So may a
//! ranges record that still lists it, and then the version is not known to be missing.

use std::rc::Rc;

use catalog::access::Grant;
use catalog::key::{Key, Namespace};
use catalog::record::{self, SlotRecord, Snapshot};
use catalog::reference::Reference;
use catalog::refusal::Refusal;
use catalog::resolution::{Question, Unavailable};
use catalog::slot::Slot;
use catalog::version::Version;

use super::backend::Backend;
use super::reader::Reader;
use super::resolved::{Resolved, named_elsewhere};
use crate::trace::Trace;

/// The first pause as a part of the patience. A request pauses for at most the whole of it.
const FIRST_PAUSE: u32 = 8;

/// The factor by which each pause is longer than the one before.
const GROWTH: u32 = 4;

/// The maximum number of slots of one component that are searched for a version.
const MAX_SLOTS: usize = 10;

/// The maximum number of slots that are searched for one request: as many keys as Workers KV
/// reads at once.
const MAX_KEYS: usize = 100;

/// Calls `read` for a content again that `refusal` says is missing, after pauses that get longer.
/// Any other refusal is returned.
///
/// # Errors
///
/// A refusal if the content is still missing, or cannot be read.
pub(super) async fn read_again<B: Backend, T>(
    reader: &Reader<B>,
    refusal: Refusal,
    trace: &mut Trace,
    read: impl AsyncFn(&mut Trace) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let patience = reader.times.patience;
    let mut pause = (patience / FIRST_PAUSE).max(1);
    let mut outcome = Err(refusal);
    while matches!(outcome, Err(Refusal::ContentMissing(_))) && trace.waited + pause <= patience {
        reader.backend.pause(pause).await;
        trace.waited += pause;
        pause *= GROWTH;
        outcome = read(trace).await;
    }
    outcome
}

/// Answers an exact version that this location does not see, although this isolate has handed
/// out its address: from the record that named it then.
pub(super) fn handed_out<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    grant: &Grant,
) -> Option<Resolved> {
    exact_version(question, grant)?;
    let snapshot = reader.handed_out(&question.key())?;
    Some(named_elsewhere(question, snapshot))
}

/// Looks for the exact versions among refused questions in the slots of their components, with
/// one bulk read for all. A question that no slot answers keeps its refusal.
pub(super) async fn look<B: Backend>(
    reader: &Reader<B>,
    refused: Vec<(&Question, Refusal)>,
    grant: &Grant,
    trace: &mut Trace,
) -> Vec<Result<Resolved, Refusal>> {
    let mut keys = Vec::new();
    for (question, refusal) in &refused {
        let slots = slots_to_search(&reader.host_slots, question, refusal, grant);
        let wanted = slots.into_iter().map(|slot| Key::Slot(question.name.clone(), slot));
        keys.extend(wanted.take(MAX_KEYS - keys.len()));
    }
    keys.sort();
    keys.dedup();
    let slots = read_slots(reader, keys, trace).await;
    let questions: Vec<&Question> = refused.iter().map(|(question, _)| *question).collect();
    let settle = |(question, refusal)| settle(reader, question, refusal, grant, &slots);
    let settled = refused.into_iter().map(settle).collect();
    refuse_listed(reader, &questions, settled, grant, trace).await
}

async fn read_slots<B: Backend>(reader: &Reader<B>, keys: Vec<Key>, trace: &mut Trace) -> Slots {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let values = reader.records(Namespace::Slots, &keys, trace).await?;
    let parse = |(key, value): (Key, Option<Rc<[u8]>>)| Some((key, record::parse(&value?).ok()?));
    Ok(keys.into_iter().zip(values).filter_map(parse).collect())
}

/// Refuses with 503 in place of 404 each exact version that the ranges record of its component
/// lists: an isolate that has the version's record in memory hands out its address for a range.
async fn refuse_listed<B: Backend>(
    reader: &Reader<B>,
    questions: &[&Question],
    settled: Vec<Result<Resolved, Refusal>>,
    grant: &Grant,
    trace: &mut Trace,
) -> Vec<Result<Resolved, Refusal>> {
    let ranges_of = |question: &Question, end: &Result<Resolved, Refusal>| {
        let missing = end.as_ref().is_err_and(|refusal| refusal.status() == 404);
        let is_in_ranges = exact_version(question, grant)?.semver().is_some();
        (missing && is_in_ranges).then(|| Key::Ranges(question.name.clone()))
    };
    let ends = questions.iter().zip(&settled);
    let mut keys: Vec<Key> =
        ends.filter_map(|(question, end)| ranges_of(question, end)).take(MAX_KEYS).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return settled;
    }
    let Ok(values) = reader.records(Namespace::Components, &keys, trace).await else {
        return settled;
    };
    let listed = |question: &Question| {
        let key = Key::Ranges(question.name.clone());
        let text = values.get(keys.binary_search(&key).ok()?)?.as_ref()?;
        let ranges = reader.parsed.ranges.parse(text).ok()?;
        ranges.has(exact_version(question, grant)?).ok()?.then(|| question.key())
    };
    let ends = questions.iter().zip(settled);
    ends.map(|(question, end)| match ranges_of(question, &end).and_then(|_| listed(question)) {
        Some(key) => Err(Refusal::RecordMissing(key)),
        None => end,
    })
    .collect()
}

/// Records of slots that were read.
type Slots = Result<Vec<(Key, SlotRecord)>, Unavailable>;

/// Answers a refused question by the records of slots.
fn settle<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    refusal: Refusal,
    grant: &Grant,
    slots: &Slots,
) -> Result<Resolved, Refusal> {
    let version = exact_version(question, grant).filter(|_| refusal.status() == 404);
    let Some(version) = version else { return Err(refusal) };
    // Whether a slot names the version is unknown then.
    let slots = slots.as_ref().map_err(|_| Refusal::StoreUnavailable(Namespace::Slots))?;
    let of_component = |key: &Key| matches!(key, Key::Slot(name, _) if *name == question.name);
    let records = slots.iter().filter(|(key, _)| of_component(key)).map(|(_, record)| record);
    let snapshot = named_by(records, question, version)?.ok_or(refusal)?;
    let resolved = named_elsewhere(question, snapshot);
    reader.keep_named(&resolved.basis.selected);
    Ok(resolved)
}

/// Returns the version that the caller asks for by its own name, if that is allowed.
fn exact_version<'a>(question: &'a Question, grant: &Grant) -> Option<&'a Version> {
    match &question.reference {
        Reference::Version(version) if grant.allows(&question.name, &question.reference) => {
            Some(version)
        }
        _ => None,
    }
}

/// Returns the slots that may name the version of a refused question: those that the settings
/// of hosts name, and those that the catalog lists.
fn slots_to_search(
    host_slots: &[Slot],
    question: &Question,
    refusal: &Refusal,
    grant: &Grant,
) -> Vec<Slot> {
    if refusal.status() != 404 || exact_version(question, grant).is_none() {
        return Vec::new();
    }
    let listed = refusal.existing().map_or_else(Vec::new, |existing| existing.slots.clone());
    let listed = listed.into_iter().filter(|slot| !host_slots.contains(slot));
    host_slots.iter().cloned().chain(listed).take(MAX_SLOTS).collect()
}

/// Finds a version in the records of slots of its component.
///
/// # Errors
///
/// 410 if a slot says that the version was revoked.
fn named_by<'a>(
    records: impl Iterator<Item = &'a SlotRecord>,
    question: &Question,
    version: &Version,
) -> Result<Option<Snapshot>, Refusal> {
    let mut named = None;
    for record in records {
        if let Some(gone) = record.gone.as_ref().filter(|gone| gone.version == *version) {
            let (name, version) = (question.name.clone(), version.clone());
            let reason = gone.reason.clone();
            return Err(Refusal::VersionRevoked { name, version, reason });
        }
        let arm = record.arms().find(|arm| arm.snapshot.version == *version);
        named = named.or_else(|| arm.map(|arm| arm.snapshot.clone()));
    }
    Ok(named)
}
