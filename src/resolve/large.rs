//! Bodies of responses, also of contents that are too large for the memory of an isolate: those
//! are sent while they are read.

use catalog::key::{CacheClass, Key};
use catalog::record::{RecordError, Snapshot};
use catalog::refusal::Refusal;
use catalog::resolution::{Basis, Question};

use super::backend::Backend;
use super::memory::MAX_KEPT;
use super::reader::Reader;
use super::{Resolved, keep_version, last_good, late, with_content};
use crate::trace::{ContentSource, Trace};

/// Tells if the content of a version is sent while it is read.
pub(crate) fn is_large(snapshot: &Snapshot) -> bool {
    snapshot.size > MAX_KEPT
}

/// Returns a version with the body of its response: its content, whose digest was checked, or a
/// stream, whose digest is checked before its last bytes are sent. If the content cannot be read,
/// uses the last good version.
///
/// # Errors
///
/// A refusal if neither content can be served.
pub(crate) async fn with_body<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    resolved: Resolved,
    trace: &mut Trace,
) -> Result<(Resolved, B::Body), Refusal> {
    if is_large(&resolved.basis.selected.snapshot) {
        return Box::pin(with_stream(reader, question, resolved, trace)).await;
    }
    let (resolved, content) = with_content(reader, question, resolved, trace).await?;
    Ok((resolved, content.into()))
}

async fn with_stream<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    resolved: Resolved,
    trace: &mut Trace,
) -> Result<(Resolved, B::Body), Refusal> {
    let basis = &resolved.basis;
    let body = match stream(reader, basis, CacheClass::Immutable, trace).await {
        Ok(body) => body,
        Err(refusal) => {
            if let Some(last) = last_body(reader, question, &resolved, &refusal, trace).await {
                return Ok(last);
            }
            let read =
                async |trace: &mut Trace| stream(reader, basis, CacheClass::Mutable, trace).await;
            late::read_again(reader, refusal, trace, read).await?
        }
    };
    if resolved.kept {
        reader.keep_record(&basis.key, &basis.record);
        keep_version(reader, &basis.selected, basis.version.as_ref());
    }
    Ok((resolved, body))
}

/// Returns the last good version with its body, if the record at hand, whose content cannot be
/// read, does not withdraw it.
async fn last_body<B: Backend>(
    reader: &Reader<B>,
    question: &Question,
    at_hand: &Resolved,
    refusal: &Refusal,
    trace: &mut Trace,
) -> Option<(Resolved, B::Body)> {
    let last = last_good(reader, question, at_hand)?;
    let snapshot = &last.basis.selected.snapshot;
    if let Some(content) = reader.content_in_memory(&snapshot.digest) {
        trace.content = ContentSource::Memory;
        return Some((last, content.into()));
    }
    // Workers KV answers, so it may have the older content.
    let answers = !matches!(refusal, Refusal::StoreUnavailable(_));
    let is_other = snapshot.digest != at_hand.basis.selected.snapshot.digest;
    if !answers || !is_other || !is_large(snapshot) {
        return None;
    }
    let body = stream(reader, &last.basis, CacheClass::Immutable, trace).await.ok()?;
    Some((last, body))
}

/// Begins to read a large content, the first time with the `cacheTtl` of `class`. If an earlier
/// stream broke off because its bytes were wrong, the digest and the size are checked first, by a
/// read of its own: the caller gets an error then, not half a content.
///
/// # Errors
///
/// A refusal if KV is unavailable, or if the content is missing or known to have another digest or
/// size.
async fn stream<B: Backend>(
    reader: &Reader<B>,
    basis: &Basis,
    class: CacheClass,
    trace: &mut Trace,
) -> Result<B::Body, Refusal> {
    trace.content = ContentSource::Kv;
    let Snapshot { digest, size, .. } = &basis.selected.snapshot;
    if reader.backend.doubts(digest) {
        check(reader, basis, trace).await?;
    }
    let key = Key::Content(*digest);
    let text = key.to_string();
    let read = async |ttl| reader.backend.stream(&text, ttl, digest, *size).await;
    let body = reader.patiently(class, trace, read, |_| true).await;
    let body = body.map_err(|_| Refusal::StoreUnavailable(key.namespace()))?;
    body.ok_or(Refusal::ContentMissing(*digest))
}

/// Checks the digest and the size of a content with the shortest `cacheTtl`, so that a mended one
/// is noticed.
async fn check<B: Backend>(
    reader: &Reader<B>,
    basis: &Basis,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    let Snapshot { digest: expected, size, .. } = basis.selected.snapshot;
    let key = Key::Content(expected);
    trace.kv_reads += 1;
    let ttl = reader.times.cache_ttl(CacheClass::Mutable);
    let found = reader.backend.digest(&key.to_string(), ttl).await;
    let found = found.map_err(|_| Refusal::StoreUnavailable(key.namespace()))?;
    let (found, found_size) = found.ok_or(Refusal::ContentMissing(expected))?;
    if found != expected {
        return Err(Refusal::DigestMismatch { expected, found });
    }
    if found_size != size {
        return Err(wrong_size(basis, found_size));
    }
    reader.backend.trust(&expected);
    Ok(())
}

/// The refusal of a record that says another size than that of its content.
fn wrong_size(basis: &Basis, found: u64) -> Refusal {
    let Basis { key, version, selected, .. } = basis;
    // A range reads the version from a record of its own.
    let key = if version.is_some() { selected.key() } else { key.clone() };
    let size = selected.snapshot.size;
    let why = format!("the size is {size}, but the content has {found} bytes");
    Refusal::RecordUnreadable(key, RecordError::Malformed(why))
}
