//! The full path from a question to a version and its content.

pub(crate) mod ahead;
pub mod backend;
pub(crate) mod bulk;
mod content;
pub(crate) mod large;
mod late;
pub mod memory;
pub(crate) mod nearest;
pub mod reader;
mod resolved;
pub(crate) mod room;
pub(crate) mod stored;
mod times;

use std::rc::Rc;

use catalog::access::Grant;
use catalog::assign::Caller;
use catalog::key::{CacheClass, Key};
use catalog::reference::{Address, Reference};
use catalog::refusal::Refusal;
use catalog::resolution::{Basis, Question, Read, Resolution, Selected};

use self::backend::Backend;
use self::reader::ReadAhead;
use self::reader::Reader;
pub(crate) use self::resolved::{Resolved, Settled};
use crate::config::Config;
use crate::trace::{ContentSource, Trace};

/// Turns an address into a question. Without a reference it asks for the slot of the host.
///
/// # Errors
///
/// A refusal if the settings for hosts are invalid.
pub(crate) fn question(
    config: &Config,
    address: Address,
    host: &str,
    caller: Rc<Caller>,
) -> Result<Question, Refusal> {
    let Address { name, reference } = address;
    let reference = match reference {
        Some(reference) => reference,
        None => {
            let hosts = config.hosts.as_ref().map_err(Clone::clone)?;
            Reference::Slot(hosts.slot(host).clone())
        }
    };
    Ok(Question { name, reference, caller })
}

/// Begins a resolution within the rights of the caller. A reference that the caller may not use
/// is answered like one that does not exist.
///
/// # Errors
///
/// 404 for a component that the caller may not see at all.
pub(crate) fn begin(question: Question, grant: &Grant) -> Result<Resolution, Refusal> {
    if !grant.covers(&question.name) {
        return Err(Refusal::ComponentUnknown(question.name, None));
    }
    match grant.allows(&question.name, &question.reference) {
        true => Ok(Resolution::begin(question)),
        false => Ok(Resolution::denied(question)),
    }
}

/// Resolves a question to a version. `ahead` is a record that was read before.
///
/// # Errors
///
/// The refusal that answers the question, without anything that the caller may not see.
pub(crate) async fn resolve<B: Backend>(
    reader: &Reader<B>,
    resolution: &mut Resolution,
    grant: &Grant,
    ahead: &mut Option<ReadAhead>,
    trace: &mut Trace,
) -> Result<Resolved, Refusal> {
    loop {
        let read = reader.record(resolution.key(), ahead, trace).await;
        match advance(reader, resolution, read, grant) {
            None => {}
            Some(Err(refusal)) if refusal.status() == 404 => {
                return not_found(reader, resolution.question(), refusal, grant, trace).await;
            }
            Some(end) => return end,
        }
    }
}

/// Looks for the version of a question once more before it is refused.
async fn not_found<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    refusal: Refusal,
    grant: &Grant,
    trace: &mut Trace,
) -> Result<Resolved, Refusal> {
    // Boxed, so that the code is compiled only if it is needed.
    let looking = Box::pin(late::look(reader, vec![(question, refusal.clone())], grant, trace));
    looking.await.pop().unwrap_or(Err(refusal))
}

/// Supplies a read to a resolution. Returns its end, or `None` if it needs another key.
pub(crate) fn advance<B: Backend>(
    reader: &Reader<B>,
    resolution: &mut Resolution,
    read: Read<Rc<[u8]>>,
    grant: &Grant,
) -> Option<Result<Resolved, Refusal>> {
    let record = read.as_ref().ok().cloned().flatten();
    let key = resolution.key().clone();
    let supplied = resolution.supply(read, &|| reader.backend.random(), &reader.parsed);
    match (supplied.transpose(), record) {
        (Some(supplied), record) => {
            if let (Err(refusal), Some(record)) = (&supplied, record) {
                remember_refusal(reader, resolution.key(), &record, refusal);
            }
            Some(settle(reader, resolution.question(), supplied, grant))
        }
        (None, Some(record)) => {
            remember_detour(reader, resolution, &key, &record);
            None
        }
        (None, None) => None,
    }
}

/// Keeps a record that did not give the answer to a range, so that during an outage nothing older
/// is served: a ranges record that has no version for it, or the record of a revoked version.
fn remember_detour<B: Backend>(
    reader: &Reader<B>,
    resolution: &Resolution,
    key: &Key,
    record: &Rc<[u8]>,
) {
    match (key, resolution.key()) {
        (Key::Ranges(_), Key::Catalog(_)) => reader.keep_record(key, record),
        (Key::Version(..), _) if resolution.revoked().is_some() => {
            reader.keep_revoked_record(key, record);
        }
        _ => {}
    }
}

/// Keeps the record of a refusal as the last answer of its key: during an outage, nothing older
/// is served.
fn remember_refusal<B: Backend>(
    reader: &Reader<B>,
    key: &Key,
    record: &Rc<[u8]>,
    refusal: &Refusal,
) {
    let Refusal::VersionRevoked { name, version, .. } = refusal else {
        if refusal.status() < 500 {
            reader.keep_record(key, record);
        }
        return;
    };
    let revoked = Key::Version(name.clone(), version.clone());
    if *key == revoked {
        reader.keep_revoked_record(key, record);
    } else {
        // A record of the version that does not know of the revocation is older.
        if !reader.is_revoked(&revoked) {
            reader.forget_record(&revoked);
        }
        reader.keep_record(key, record);
    }
}

/// Ends a resolution. Uses the last good record if KV failed, and removes from a refusal
/// everything that the caller may not see.
fn settle<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    basis: Result<Basis, Refusal>,
    grant: &Grant,
) -> Result<Resolved, Refusal> {
    let refusal = match basis {
        Ok(basis) => return Ok(Resolved { basis, stale: None, kept: true }),
        Err(refusal) => refusal,
    };
    match refusal.status() {
        // A reference that the caller may not use is not served from memory either.
        500.. if grant.allows(&question.name, &question.reference) => {
            last_answer(reader, question).unwrap_or(Err(refusal))
        }
        404 => late::handed_out(reader, question, grant).ok_or_else(|| grant.cut_down(refusal)),
        _ => Err(grant.cut_down(refusal)),
    }
}

/// Answers a question from the last good record in memory: with a version, or with its
/// revocation. Absence is not known from memory.
fn last_answer<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
) -> Option<Result<Resolved, Refusal>> {
    let mut resolution = Resolution::begin(question.clone());
    let mut oldest = None;
    loop {
        let (record, age) = reader.last_good_record(resolution.key()).unzip();
        // Only a range can also be found in other records.
        if record.is_none() && !matches!(question.reference, Reference::Range(_)) {
            return None;
        }
        oldest = oldest.max(age);
        match resolution.supply(Ok(record), &|| reader.backend.random(), &reader.parsed) {
            Ok(None) => {}
            Ok(Some(basis)) => {
                let is_revoked = reader.is_revoked(&basis.selected.key());
                let resolved = Resolved { basis, stale: oldest, kept: false };
                return (!is_revoked).then_some(Ok(resolved));
            }
            Err(refusal) => return (refusal.status() == 410).then_some(Err(refusal)),
        }
    }
}

/// Keeps the record of an answer that needed no content, unless it names a new content that has
/// not been read yet.
pub(crate) fn keep_unless_unsure<B: Backend>(reader: &Reader<B>, resolved: &Resolved) {
    let Basis { key, record, version, selected, .. } = &resolved.basis;
    if resolved.kept {
        reader.keep_record_unless_unsure(key, record, &selected.snapshot.digest);
        keep_version(reader, selected, version.as_ref());
    }
}

/// Keeps the record of the version that a range chose.
fn keep_version<B: Backend>(reader: &Reader<B>, selected: &Selected, record: Option<&Rc<[u8]>>) {
    if let Some(record) = record {
        reader.keep_record(&selected.key(), record);
    }
}

/// Returns the last good version of a question if the record at hand, whose content cannot be
/// read, does not withdraw it.
fn last_good<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    at_hand: &Resolved,
) -> Option<Resolved> {
    let last = last_answer(reader, question)?.ok()?;
    let withdrawn = at_hand.basis.withdraws(&last.basis.selected.snapshot.version, &reader.parsed);
    (!withdrawn).then_some(last)
}

/// Reads the content of a version. If that fails, uses the last good version with its content.
/// Without one, a content that is missing is read again after a while.
///
/// # Errors
///
/// A refusal if neither content can be served.
pub(crate) async fn with_content<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    resolved: Resolved,
    trace: &mut Trace,
) -> Result<(Resolved, B::Content), Refusal> {
    let Basis { key, record, version, selected, .. } = &resolved.basis;
    let digest = selected.snapshot.digest;
    let content = match content::recall(reader, digest, trace).await {
        Ok(content) => content,
        Err(refusal) => {
            let last = last_good(reader, question, &resolved);
            let last_content = last.as_ref().map(|last| last.basis.selected.snapshot.digest);
            let content = last_content.and_then(|digest| reader.content_in_memory(&digest));
            if let Some(last) = last.zip(content) {
                trace.content = ContentSource::Memory;
                return Ok(last);
            }
            let read = async |trace: &mut Trace| {
                content::read(reader, digest, CacheClass::Mutable, trace).await
            };
            // Boxed, so that the code is compiled only if it is needed.
            Box::pin(late::read_again(reader, refusal, trace, read)).await?
        }
    };
    if resolved.kept {
        reader.keep_record(key, record);
        keep_version(reader, selected, version.as_ref());
    }
    Ok((resolved, content))
}
