//! Components under the keys with which Conductor reads a KV namespace.
//!
//! `catalog::conductor` returns the meanings of a key, and each is resolved as for HTTP. A key
//! without a component is absent, as in Workers KV. Every other failure is a refusal, never an
//! absence.

use std::rc::Rc;

use catalog::access::Grant;
use catalog::assign::Caller;
use catalog::conductor::{Listing, Meaning, Metadata, Page, meanings, versions_index};
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{self, CatalogRecord, IndexRecord, VersionRecord};
use catalog::refusal::Refusal;
use catalog::resolution::{Basis, Question, Resolution};

use crate::resolve::backend::Backend;
use crate::resolve::bulk::resolve_all;
use crate::resolve::large::with_body;
use crate::resolve::reader::{ReadAhead, Reader};
use crate::resolve::{Resolved, resolve, stored, with_content};
use crate::trace::Trace;

/// The maximum size of the contents in one answer in bytes, as in a bulk read of Workers KV (25
/// MiB).
const MAX_BULK: u64 = 25 << 20;

/// The number of catalog records that a listing reads at once. Each may be large.
const CATALOGS: usize = 25;

/// The value of a key.
pub(crate) enum KvValue<B> {
    /// The bytes of a component.
    Content(B),
    /// Text that the Worker has written.
    Text(String),
}

/// The value of a key, with its metadata if it was requested and exists.
pub(crate) struct KvEntry<B> {
    pub(crate) value: KvValue<B>,
    pub(crate) metadata: Option<Metadata>,
    /// The basis of a content.
    pub(crate) basis: Option<Basis>,
}

/// A caller and the parts that it requests for each key.
#[derive(Clone, Copy)]
pub(crate) struct Get<'a> {
    pub(crate) caller: &'a Rc<Caller>,
    /// True if the metadata is requested.
    pub(crate) metadata: bool,
    /// True if a content may be a stream.
    pub(crate) stream: bool,
}

/// Looks up a key. `ahead` is the record of its slot, if it was read before.
///
/// # Errors
///
/// A refusal, except for a component that does not exist.
pub(crate) async fn get<B: Backend>(
    reader: &Reader<B>,
    key: &str,
    get: Get<'_>,
    mut ahead: Option<ReadAhead>,
    trace: &mut Trace,
) -> Result<Option<KvEntry<B::Body>>, Refusal> {
    for meaning in meanings(key) {
        let (name, reference) = match meaning {
            Meaning::Versions(name) => match versions_of(reader, name, trace).await? {
                None => continue,
                found => return Ok(found),
            },
            Meaning::Content(name, reference) => (name, reference),
        };
        let question = Question { name, reference, caller: get.caller.clone() };
        trace.address.get_or_insert_with(|| question.address());
        let mut resolution = Resolution::begin(question);
        match resolve(reader, &mut resolution, &Grant::All, &mut ahead, trace).await {
            Ok(resolved) => {
                let question = resolution.question();
                trace.address = Some(question.address());
                return entry(reader, question, resolved, get, trace).await.map(Some);
            }
            Err(refusal) if refusal.status() == 404 => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(None)
}

/// Looks up several keys: one bulk read per namespace and round, then the contents that are
/// not in memory.
///
/// # Errors
///
/// A refusal, except for components that do not exist.
pub(crate) async fn get_all<B: Backend>(
    reader: &Reader<B>,
    keys: &[String],
    get: Get<'_>,
    trace: &mut Trace,
) -> Result<Vec<Option<KvEntry<B::Body>>>, Refusal> {
    let mut left = MAX_BULK;
    let mut found: Vec<Option<KvEntry<B::Body>>> = keys.iter().map(|_| None).collect();
    let mut open: Vec<_> = keys.iter().map(|key| meanings(key).into_iter()).collect();
    loop {
        let next = next_questions(reader, &mut found, &mut open, get.caller, trace).await?;
        if next.is_empty() {
            return Ok(found);
        }
        let (places, questions): (Vec<usize>, Vec<_>) = next.into_iter().unzip();
        let settled = resolve_all(reader, questions, &Grant::All, trace).await;
        for (place, settled) in places.into_iter().zip(settled) {
            let (question, resolved) = match settled {
                Ok(found) => found,
                Err(refusal) if refusal.status() == 404 => continue,
                Err(refusal) => return Err(refusal),
            };
            left = afford(left, &resolved)?;
            let entry = entry(reader, &question, resolved, get, trace).await?;
            if let Some(place) = found.get_mut(place) {
                *place = Some(entry);
            }
        }
    }
}

/// Returns the next question for each key that was not found yet, with the position of the key.
/// Also looks up the lists of versions.
async fn next_questions<B: Backend>(
    reader: &Reader<B>,
    found: &mut [Option<KvEntry<B::Body>>],
    open: &mut [impl Iterator<Item = Meaning>],
    caller: &Rc<Caller>,
    trace: &mut Trace,
) -> Result<Vec<(usize, Result<Question, Refusal>)>, Refusal> {
    let mut questions = Vec::new();
    for (place, (found, rest)) in found.iter_mut().zip(open).enumerate() {
        while found.is_none() {
            match rest.next() {
                Some(Meaning::Versions(name)) => *found = versions_of(reader, name, trace).await?,
                Some(Meaning::Content(name, reference)) => {
                    let question = Question { name, reference, caller: caller.clone() };
                    questions.push((place, Ok(question)));
                    break;
                }
                None => break,
            }
        }
    }
    Ok(questions)
}

fn afford(left: u64, resolved: &Resolved) -> Result<u64, Refusal> {
    let selected = &resolved.basis.selected;
    left.checked_sub(selected.snapshot.size).ok_or_else(|| Refusal::ContentTooLarge {
        name: selected.name.clone(),
        version: selected.snapshot.version.clone(),
        limit: MAX_BULK,
    })
}

/// Lists at most `limit` keys after `after` that begin with `prefix`.
///
/// # Errors
///
/// A refusal if the index or a catalog record cannot be read.
pub(crate) async fn list<B: Backend>(
    reader: &Reader<B>,
    prefix: &str,
    after: &str,
    limit: usize,
    trace: &mut Trace,
) -> Result<Page, Refusal> {
    let index = stored::read::<IndexRecord, B>(reader, &Key::Index, trace).await?;
    let names = index.ok_or(Refusal::RecordMissing(Key::Index))?.components;
    let mut listing = Listing::new(&names, prefix, after, limit);
    loop {
        let wanted = listing.wants(CATALOGS);
        if wanted.is_empty() {
            return Ok(listing.finish());
        }
        supply(reader, &mut listing, wanted, trace).await?;
    }
}

async fn supply<B: Backend>(
    reader: &Reader<B>,
    listing: &mut Listing,
    names: Vec<ComponentName>,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    let keys: Vec<Key> = names.iter().cloned().map(Key::Catalog).collect();
    let read = reader.records(Namespace::Components, &keys, trace).await;
    let values = read.map_err(|_| Refusal::StoreUnavailable(Namespace::Components))?;
    for ((name, key), value) in names.into_iter().zip(keys).zip(values) {
        let parse = |bytes| record::parse::<CatalogRecord>(bytes);
        let unreadable = |error| Refusal::RecordUnreadable(key, error);
        let catalog = value.as_deref().map(parse).transpose().map_err(unreadable)?;
        listing.supply(&name, catalog.as_ref());
    }
    Ok(())
}

async fn versions_of<B: Backend>(
    reader: &Reader<B>,
    name: ComponentName,
    trace: &mut Trace,
) -> Result<Option<KvEntry<B::Body>>, Refusal> {
    let key = Key::Catalog(name);
    let catalog = stored::read::<CatalogRecord, B>(reader, &key, trace).await?;
    Ok(catalog.map(|catalog| KvEntry {
        value: KvValue::Text(versions_index(&catalog)),
        metadata: None,
        basis: None,
    }))
}

async fn entry<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    resolved: Resolved,
    get: Get<'_>,
    trace: &mut Trace,
) -> Result<KvEntry<B::Body>, Refusal> {
    let (resolved, content) = if get.stream {
        Box::pin(with_body(reader, question, resolved, trace)).await?
    } else {
        let (resolved, content) = with_content(reader, question, resolved, trace).await?;
        (resolved, content.into())
    };
    trace.select(&resolved.basis.selected, resolved.stale);
    let metadata = match get.metadata {
        true => Some(metadata(reader, &resolved, trace).await?),
        false => None,
    };
    Ok(KvEntry { value: KvValue::Content(content), metadata, basis: Some(resolved.basis) })
}

/// Returns the metadata of a version. Its author is in the version record.
async fn metadata<B: Backend>(
    reader: &Reader<B>,
    resolved: &Resolved,
    trace: &mut Trace,
) -> Result<Metadata, Refusal> {
    let selected = &resolved.basis.selected;
    let key = selected.key();
    let record = match reader.record(&key, &mut None, trace).await {
        Ok(record) => record,
        Err(_) => match reader.last_good_record(&key) {
            Some((record, _)) => Some(record),
            None => return Err(Refusal::StoreUnavailable(key.namespace())),
        },
    };
    let mut author = None;
    if let Some(bytes) = record {
        let unreadable = |error| Refusal::RecordUnreadable(key.clone(), error);
        let record = record::parse::<VersionRecord>(&bytes).map_err(unreadable)?;
        match record.revoked {
            Some(_) => reader.keep_revoked_record(&key, &bytes),
            None => reader.keep_record(&key, &bytes),
        }
        author = Some(record.author);
    }
    Ok(Metadata::of_selected(selected, author.as_deref(), resolved.stale))
}
