//! The full path from a question to a version and its content.

pub mod backend;
pub(crate) mod bulk;
pub mod memory;
pub(crate) mod nearest;
pub mod reader;
pub(crate) mod stored;

use catalog::access::Grant;
use catalog::assign::Caller;
use catalog::reference::{Address, Reference};
use catalog::refusal::Refusal;
use catalog::resolution::{Basis, Question, Resolution};

use self::backend::Backend;
use self::reader::{ReadAhead, Reader};
use crate::config::Config;
use crate::trace::{Source, Trace};

/// A question that is resolved to a version.
pub(crate) struct Resolved {
    pub(crate) basis: Basis,
    /// The age of the record in seconds, if the last good record was used.
    pub(crate) stale: Option<u64>,
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
    caller: Caller,
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
    if !grant.sees(&question.name) {
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
        let supplied = resolution.supply(read, &|| reader.backend.random());
        if let Some(basis) = supplied.transpose() {
            return settle(reader, resolution.question(), basis, grant);
        }
    }
}

/// Ends a resolution. Uses the last good record if KV failed, and removes from a refusal
/// everything that the caller may not see.
pub(crate) fn settle<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    basis: Result<Basis, Refusal>,
    grant: &Grant,
) -> Result<Resolved, Refusal> {
    let refusal = match basis {
        Ok(basis) => return Ok(Resolved { basis, stale: None }),
        Err(refusal) => refusal,
    };
    match refusal.status() {
        // A reference that the caller may not use is not served from memory either.
        500.. if grant.allows(&question.name, &question.reference) => {
            last_good(reader, question).ok_or(refusal)
        }
        _ => Err(cut_down(refusal, grant)),
    }
}

/// Answers a question from the last good record in memory.
fn last_good<B: Backend>(reader: &Reader<B>, question: &Question) -> Option<Resolved> {
    let mut resolution = Resolution::begin(question.clone());
    let (record, age) = reader.last_good_record(resolution.key())?;
    let basis = resolution.supply(Ok(Some(record)), &|| reader.backend.random());
    Some(Resolved { basis: basis.ok()??, stale: Some(age) })
}

fn cut_down(mut refusal: Refusal, grant: &Grant) -> Refusal {
    if let Some((name, existing)) = refusal.existing_mut() {
        grant.filter(name, existing);
    }
    refusal
}

/// Keeps the record of an answer that needed no content, unless it names a new content that has
/// not been read yet.
pub(crate) fn keep_unless_unsure<B: Backend>(reader: &Reader<B>, resolved: &Resolved) {
    let Basis { key, record, selected, .. } = &resolved.basis;
    if resolved.stale.is_none() {
        reader.keep_record_unless_unsure(key, record, &selected.snapshot.digest);
    }
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
            if resolved.stale.is_none() {
                reader.keep_record(key, record);
            }
            Ok((resolved, content))
        }
        Err(refusal) => {
            let last = last_good(reader, question).ok_or_else(|| refusal.clone())?;
            let digest = &last.basis.selected.snapshot.digest;
            let content = reader.content_in_memory(digest).ok_or(refusal)?;
            trace.content = Source::Memory;
            Ok((last, content))
        }
    }
}
