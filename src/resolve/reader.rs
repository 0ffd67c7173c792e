//! Reading through the isolate's memory.

use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::{CacheClass, Key};
use catalog::refusal::Refusal;

use crate::config::IMMUTABLE_CACHE_TTL;
use crate::lane::Missing;
use crate::resolve::Resolver;
use crate::resolve::backend::{Backend, Read};
use crate::resolve::memory::{ITEM_OVERHEAD, KeptRecord};
use crate::trace::{Source, Trace};

/// What the memory for contents has to be a multiple of, for one of them to be short.
const SHORT: usize = 100;

impl<B: Backend> Resolver<B> {
    /// The last good record of a key and how many seconds ago it was read.
    pub(crate) fn last_good_record(&self, key: &Key) -> Option<(Rc<[u8]>, u64)> {
        let kept = self.memory.borrow_mut().records.get(key)?;
        let age = (self.backend.now() - kept.read_at.get()).max(0.0) / 1000.0;
        Some((kept.bytes.clone(), age as u64))
    }

    /// Reads a record, a version's from memory while that may be used.
    pub(crate) async fn record(&self, key: &Key, trace: &mut Trace) -> Read<Rc<[u8]>> {
        if let Some(bytes) = self.fresh(key) {
            return Ok(Some(bytes));
        }
        if let Some((_, read)) = trace.read_ahead.take_if(|(ahead, _)| ahead == key) {
            trace.kv_reads += 1;
            return Ok(read?.map(Rc::from));
        }
        let text = key.to_string();
        let read = async |ttl| self.backend.record(key.namespace(), &text, ttl).await;
        let found = self.patiently(key, trace, read).await?;
        Ok(found.map(Rc::from))
    }

    pub(crate) fn fresh(&self, key: &Key) -> Option<Rc<[u8]>> {
        if key.cache_class() != CacheClass::Record {
            return None;
        }
        let kept = self.memory.borrow_mut().records.get(key)?;
        self.is_fresh(&kept).then(|| kept.bytes.clone())
    }

    /// Whether a version's record may be used without being read again.
    pub(crate) fn is_fresh(&self, kept: &KeptRecord) -> bool {
        self.backend.now() - kept.read_at.get() < self.config.record_memory()
    }

    /// Keeps a record that has led to an answer, as the last good one of its key.
    pub(crate) fn keep_record(&self, key: &Key, record: &Rc<[u8]>) {
        let read_at = self.backend.now();
        let mut memory = self.memory.borrow_mut();
        match memory.records.get(key) {
            // A version's record counts from when it was read, not from its last use.
            Some(known) if Rc::ptr_eq(&known.bytes, record) => {}
            Some(known) if known.bytes == *record => known.read_at.set(read_at),
            _ => {
                let kept = KeptRecord { bytes: record.clone(), read_at: read_at.into() };
                memory.records.put(key, Rc::new(kept), record.len() + ITEM_OVERHEAD);
            }
        }
    }

    /// The kept record of a key, if it is the same as `record`.
    pub(crate) fn kept(&self, key: &Key, record: &[u8]) -> Option<Rc<KeptRecord>> {
        let kept = self.memory.borrow_mut().records.get(key)?;
        (*kept.bytes == *record).then_some(kept)
    }

    /// Notes that a record was read again just now.
    pub(crate) fn read_again(&self, kept: &KeptRecord) {
        kept.read_at.set(self.backend.now());
    }

    /// The content that an answer of the lane needs, if what was read, with this
    /// digest, is that.
    pub fn arrived(
        &self,
        missing: &Missing,
        content: B::Content,
        found: Digest,
    ) -> Option<B::Content> {
        (found == missing.digest).then(|| self.keep_content(found, &content))?;
        if let Some(kept) = missing.slot.upgrade() {
            self.read_again(&kept);
        }
        Some(content)
    }

    pub(crate) fn keep_content(&self, digest: Digest, content: &B::Content) {
        let size = self.backend.size(content) + ITEM_OVERHEAD;
        self.memory.borrow_mut().contents.put(&digest, Rc::new(content.clone()), size);
    }

    /// Whether a content takes up little of the memory, even in a second form.
    pub(crate) fn is_short(&self, content: &B::Content) -> bool {
        self.backend.size(content) <= self.config.content_memory / SHORT
    }

    /// A content, if it is in memory.
    pub(crate) fn in_memory(&self, digest: &Digest) -> Option<B::Content> {
        self.memory.borrow_mut().contents.get(digest).map(|content| (*content).clone())
    }

    /// A content, checked against its digest when it comes in.
    pub(crate) async fn content(
        &self,
        digest: Digest,
        trace: &mut Trace,
    ) -> Result<B::Content, Refusal> {
        if let Some(content) = self.in_memory(&digest) {
            trace.content = Source::Memory;
            return Ok(content);
        }
        trace.content = Source::Kv;
        let key = Key::Content(digest);
        let unavailable = |_| Refusal::StoreUnavailable(key.namespace());
        let text = key.to_string();
        let read = async |ttl| self.backend.content(&text, ttl).await;
        let content = self.patiently(&key, trace, read).await.map_err(unavailable)?;
        let (content, found) = content.ok_or(Refusal::ContentMissing(digest))?;
        if found != digest {
            return Err(Refusal::DigestMismatch { expected: digest, found });
        }
        self.keep_content(digest, &content);
        Ok(content)
    }

    /// Reads a key, once more where [`CacheClass::after_absent`] asks for it.
    async fn patiently<T>(
        &self,
        key: &Key,
        trace: &mut Trace,
        read: impl AsyncFn(u32) -> Read<T>,
    ) -> Read<T> {
        let mut class = key.cache_class();
        loop {
            trace.kv_reads += 1;
            let found = read(self.cache_ttl(class)).await?;
            match class.after_absent() {
                Some(next) if found.is_none() => class = next,
                _ => return Ok(found),
            }
        }
    }

    fn cache_ttl(&self, class: CacheClass) -> u32 {
        match class {
            CacheClass::Mutable => self.config.slot_cache_ttl,
            CacheClass::Record => self.config.record_cache_ttl(),
            CacheClass::Immutable => IMMUTABLE_CACHE_TTL,
        }
    }
}
