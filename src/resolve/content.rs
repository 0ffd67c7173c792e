//! The content of a version.

use catalog::digest::Digest;
use catalog::key::{CacheClass, Key};
use catalog::refusal::Refusal;

use super::backend::Backend;
use super::reader::Reader;
use crate::trace::{ContentSource, Trace};

/// Takes a content from memory, or reads it.
///
/// # Errors
///
/// Those of [`read`].
pub(super) async fn recall<B: Backend>(
    reader: &Reader<B>,
    digest: Digest,
    trace: &mut Trace,
) -> Result<B::Content, Refusal> {
    if let Some(content) = reader.content_in_memory(&digest) {
        trace.content = ContentSource::Memory;
        return Ok(content);
    }
    trace.content = ContentSource::Kv;
    read(reader, digest, CacheClass::Immutable, trace).await
}

/// Reads a content, the first time with the `cacheTtl` of `class`, and checks its digest.
///
/// # Errors
///
/// A refusal if KV is unavailable, or if the content is missing or has another digest.
pub(super) async fn read<B: Backend>(
    reader: &Reader<B>,
    digest: Digest,
    class: CacheClass,
    trace: &mut Trace,
) -> Result<B::Content, Refusal> {
    let key = Key::Content(digest);
    let text = key.to_string();
    let read = async |ttl| reader.backend.content(&text, ttl).await;
    let is_right = |(_, found): &(B::Content, Digest)| *found == digest;
    let content = reader.patiently(class, trace, read, is_right).await;
    let content = content.map_err(|_| Refusal::StoreUnavailable(key.namespace()))?;
    let (content, found) = content.ok_or(Refusal::ContentMissing(digest))?;
    if found != digest {
        return Err(Refusal::DigestMismatch { expected: digest, found });
    }
    reader.keep_content(digest, &content);
    Ok(content)
}
