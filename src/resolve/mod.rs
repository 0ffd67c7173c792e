//! The full path from a question to a version and its content.

pub(crate) mod ahead;
pub mod backend;
pub(crate) mod bulk;
pub(crate) mod large;
pub mod memory;
pub(crate) mod nearest;
pub mod reader;
pub(crate) mod stored;

use std::rc::Rc;

use catalog::access::Grant;
use catalog::assign::Caller;
use catalog::key::Key;
use catalog::reference::{Address, Reference};
use catalog::refusal::Refusal;
use catalog::resolution::{Basis, Found, Question, Read, Resolution, Selected};

use self::backend::Backend;
use self::reader::{ReadAhead, Reader};
use crate::config::Config;
use crate::trace::{ContentSource, Trace};

/// A question that is resolved to a version.
pub(crate) struct Resolved {
    pub(crate) basis: Basis,
    /// The age of the record in seconds, if the last good record was used.
    pub(crate) stale: Option<u64>,
    /// The record was read for this question, and becomes the last good one of its key.
    pub(crate) kept: bool,
}

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
        if let Some(end) = advance(reader, resolution, read, grant) {
            return end;
        }
    }
}

/// Supplies a read to a resolution. Returns its end, or `None` if it needs another key.
pub(crate) fn advance<B: Backend>(
    reader: &Reader<B>,
    resolution: &mut Resolution,
    read: Read<Rc<[u8]>>,
    grant: &Grant,
) -> Option<Result<Resolved, Refusal>> {
    let record = read.as_ref().ok().cloned().flatten();
    let supplied =
        resolution.supply(read, &|| reader.backend.random(), &reader.parsed).transpose()?;
    if let (Err(refusal), Some(record)) = (&supplied, record) {
        remember_refusal(reader, resolution.key(), &record, refusal);
    }
    Some(settle(reader, resolution.question(), supplied, grant))
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
        404 => handed_out(reader, question, grant).ok_or_else(|| grant.cut_down(refusal)),
        _ => Err(grant.cut_down(refusal)),
    }
}

/// Answers an exact version that this location does not see, although it has handed out the
/// address: from the record that named it then.
fn handed_out<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    grant: &Grant,
) -> Option<Resolved> {
    let key = question.key();
    let is_exact = matches!(key, Key::Version(..));
    let is_allowed = is_exact && grant.allows(&question.name, &question.reference);
    let snapshot = is_allowed.then(|| reader.handed_out(&key)).flatten()?;
    let selected = Selected { name: question.name.clone(), snapshot, found: Found::Exact };
    let basis = Basis { key, record: Rc::default(), slot: None, selected };
    Some(Resolved { basis, stale: None, kept: false })
}

/// Answers a question from the last good record in memory: with a version, or with its
/// revocation. Absence is not known from memory.
fn last_answer<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
) -> Option<Result<Resolved, Refusal>> {
    let mut resolution = Resolution::begin(question.clone());
    let (record, age) = reader.last_good_record(resolution.key())?;
    match resolution.supply(Ok(Some(record)), &|| reader.backend.random(), &reader.parsed) {
        Ok(basis) => {
            let basis = basis.filter(|basis| !reader.is_revoked(&basis.selected.key()))?;
            Some(Ok(Resolved { basis, stale: Some(age), kept: false }))
        }
        Err(refusal) if refusal.status() == 410 => Some(Err(refusal)),
        Err(_) => None,
    }
}

/// Keeps the record of an answer that needed no content, unless it names a new content that has
/// not been read yet.
pub(crate) fn keep_unless_unsure<B: Backend>(reader: &Reader<B>, resolved: &Resolved) {
    let Basis { key, record, selected, .. } = &resolved.basis;
    if resolved.kept {
        reader.keep_record_unless_unsure(key, record, &selected.snapshot.digest);
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
    let Basis { key, record, selected, .. } = &resolved.basis;
    match reader.content(selected.snapshot.digest, trace).await {
        Ok(content) => {
            if resolved.kept {
                reader.keep_record(key, record);
            }
            Ok((resolved, content))
        }
        Err(refusal) => {
            let last = last_good(reader, question, &resolved).ok_or_else(|| refusal.clone())?;
            let digest = &last.basis.selected.snapshot.digest;
            let content = reader.content_in_memory(digest).ok_or(refusal)?;
            trace.content = ContentSource::Memory;
            Ok((last, content))
        }
    }
}
