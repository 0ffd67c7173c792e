//! Reads through the memory of the isolate.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::{CacheClass, Key, Namespace};
use catalog::parsed::ParsedRecords;
use catalog::record::Snapshot;
use catalog::resolution::{Basis, Read, Selected, Unavailable};
use catalog::slot::Slot;

use super::backend::Backend;
use super::memory::{ITEM_OVERHEAD, KeptRecord, MAX_KEPT, Memory};
use super::times::Times;
use crate::config::{Config, HostSlots};
use crate::trace::Trace;

pub use super::ahead::{MissingContent, ReadAhead};

/// A content is short if at least this many of its size fit into the memory.
const SHORT: usize = 100;

/// The platform, the memory of the isolate, and the times for which both may be used.
pub struct Reader<B: Backend> {
    /// The platform.
    pub backend: B,
    /// The records that were parsed last.
    pub(crate) parsed: ParsedRecords,
    /// The time at which both namespaces last answered, in milliseconds since 1970.
    pub(crate) healthy_at: Cell<f64>,
    /// The bytes of the large contents that requests in progress read as a whole.
    pub(super) whole: Cell<u64>,
    memory: RefCell<Memory<B::Content>>,
    /// The maximum size of the contents in memory, in bytes.
    content_memory: usize,
    pub(crate) times: Times,
    /// The slots that requests without a reference ask for.
    pub(crate) host_slots: Vec<Slot>,
}

impl<B: Backend> Reader<B> {
    /// Creates a reader with an empty memory.
    pub fn new(config: &Config, backend: B) -> Self {
        Self {
            backend,
            parsed: ParsedRecords::default(),
            healthy_at: Cell::new(f64::NEG_INFINITY),
            whole: Cell::default(),
            memory: RefCell::new(Memory::new(config.content_memory)),
            content_memory: config.content_memory,
            times: Times::of(config),
            host_slots: config.hosts.as_ref().map_or_else(|_| Vec::new(), HostSlots::all),
        }
    }

    /// Reads a record. A version record in memory is not read again while it is fresh.
    pub(crate) async fn record(
        &self,
        key: &Key,
        ahead: &mut Option<ReadAhead>,
        trace: &mut Trace,
    ) -> Read<Rc<[u8]>> {
        if let Some(bytes) = self.fresh(key) {
            return Ok(Some(bytes));
        }
        let found = match ahead.take_if(|ahead| ahead.key == *key) {
            Some(ahead) => {
                trace.kv_reads += 1;
                ahead.read?
            }
            None => {
                let text = key.to_string();
                let read = async |ttl| self.backend.record(key.namespace(), &text, ttl).await;
                self.patiently(key.cache_class(), trace, read, |_| true).await?
            }
        };
        Ok(self.found(key, found))
    }

    /// Converts what was read. An absent key has no last good record any more.
    fn found(&self, key: &Key, value: Option<Vec<u8>>) -> Option<Rc<[u8]>> {
        if value.is_none() {
            self.forget_record(key);
        }
        value.map(Rc::from)
    }

    /// Reads up to a hundred records of one namespace in one bulk read.
    pub(crate) async fn records(
        &self,
        namespace: Namespace,
        keys: &[Key],
        trace: &mut Trace,
    ) -> Result<Vec<Option<Rc<[u8]>>>, Unavailable> {
        trace.kv_reads += 1;
        let texts: Vec<String> = keys.iter().map(Key::to_string).collect();
        // The shortest time for all, so that an absent key need not be read again.
        let values = self
            .backend
            .records(namespace, &texts, self.times.cache_ttl(CacheClass::Mutable))
            .await?;
        Ok(keys.iter().zip(values).map(|(key, value)| self.found(key, value)).collect())
    }

    /// Returns the version record in memory, if it may be used without being read again.
    pub(crate) fn fresh(&self, key: &Key) -> Option<Rc<[u8]>> {
        if key.cache_class() != CacheClass::Record {
            return None;
        }
        let kept = self.memory.borrow_mut().records.get(key)?;
        (!kept.revoked && self.is_fresh(&kept)).then(|| kept.bytes.borrow().clone())
    }

    /// Tells if a version record may be used without being read again.
    pub(crate) fn is_fresh(&self, kept: &KeptRecord) -> bool {
        self.backend.now() - kept.read_at.get() < self.times.record_memory
    }

    /// Returns the last good record of a key and its age in seconds.
    pub(crate) fn last_good_record(&self, key: &Key) -> Option<(Rc<[u8]>, u64)> {
        let kept = self.memory.borrow_mut().records.get(key)?;
        let age = (self.backend.now() - kept.read_at.get()).max(0.0) / 1000.0;
        Some((kept.bytes.borrow().clone(), age as u64))
    }

    /// Returns the kept record of a key, if its bytes are `record`.
    pub(crate) fn kept_record(&self, key: &Key, record: &[u8]) -> Option<Rc<KeptRecord>> {
        let kept = self.memory.borrow_mut().records.get(key)?;
        let is_same = **kept.bytes.borrow() == *record;
        is_same.then_some(kept)
    }

    /// Keeps a record that has led to an answer, as the last good one of its key.
    pub(crate) fn keep_record(&self, key: &Key, record: &Rc<[u8]>) {
        self.keep(key, record, false);
    }

    /// Keeps the record of a revoked version, so that an older one is never used again.
    pub(crate) fn keep_revoked_record(&self, key: &Key, record: &Rc<[u8]>) {
        self.keep(key, record, true);
    }

    fn keep(&self, key: &Key, record: &Rc<[u8]>, revoked: bool) {
        let (read_at, mut memory) = (self.backend.now(), self.memory.borrow_mut());
        match memory.records.get(key).filter(|known| known.revoked == revoked) {
            // The age of a version record counts from its read, not from its last use.
            Some(known) if Rc::ptr_eq(&known.bytes.borrow(), record) => {}
            Some(known) if *known.bytes.borrow() == *record => {
                known.read_at.set(read_at);
                // The next comparison with this record is one of pointers.
                known.bytes.replace(record.clone());
            }
            _ => {
                memory.retire_record(key);
                let (bytes, read_at) = (record.clone().into(), read_at.into());
                let kept = KeptRecord { bytes, read_at, revoked };
                memory.records.put(key, Rc::new(kept), record.len() + ITEM_OVERHEAD);
            }
        }
    }

    /// Forgets the last good record of a key.
    pub(crate) fn forget_record(&self, key: &Key) {
        self.memory.borrow_mut().retire_record(key);
    }

    /// Tells if the last record of a version says that it was revoked.
    pub(crate) fn is_revoked(&self, key: &Key) -> bool {
        self.memory.borrow_mut().records.get(key).is_some_and(|kept| kept.revoked)
    }

    /// Keeps the record of an answer that needed no content. A slot record that names another
    /// content than the kept one is kept only if that content is in memory.
    pub(crate) fn keep_record_unless_unsure(&self, key: &Key, record: &Rc<[u8]>, names: &Digest) {
        // A version record names the same content at every read.
        let sure = key.cache_class() == CacheClass::Record || {
            let mut memory = self.memory.borrow_mut();
            let kept = memory.records.get(key);
            kept.is_none_or(|kept| *kept.bytes.borrow() == *record)
                || memory.contents.get(names).is_some()
        };
        if sure {
            self.keep_record(key, record);
        }
    }

    /// Keeps a version whose exact address is handed out. The record of a version hands out
    /// nothing.
    pub(crate) fn keep_handed_out(&self, basis: &Basis) {
        if !matches!(basis.key, Key::Version(..)) {
            self.keep_named(&basis.selected);
        }
    }

    /// Keeps a version that the record of another key names.
    pub(crate) fn keep_named(&self, Selected { name, snapshot, .. }: &Selected) {
        self.memory.borrow_mut().keep_handed_out(name, snapshot, self.backend.now());
    }

    /// Returns a version whose exact address was handed out not too long ago.
    pub(crate) fn handed_out(&self, key: &Key) -> Option<Snapshot> {
        self.memory.borrow_mut().handed_out(key, self.backend.now())
    }

    /// Records that a kept record was read again now.
    pub(crate) fn touch(&self, kept: &KeptRecord) {
        kept.read_at.set(self.backend.now());
    }

    /// Returns the content, if it is in memory.
    pub(crate) fn content_in_memory(&self, digest: &Digest) -> Option<B::Content> {
        self.memory.borrow_mut().contents.get(digest).map(|content| (*content).clone())
    }

    /// Keeps a content whose digest was checked, unless it is larger than [`MAX_KEPT`].
    pub(crate) fn keep_content(&self, digest: Digest, content: &B::Content) {
        let size = self.backend.size(content);
        if size as u64 <= MAX_KEPT {
            let (content, size) = (Rc::new(content.clone()), size + ITEM_OVERHEAD);
            self.memory.borrow_mut().contents.put(&digest, content, size);
        }
    }

    /// Accepts a missing content that the caller has read, if its digest `found` is the
    /// expected one.
    pub fn accept(
        &self,
        missing: &MissingContent,
        content: B::Content,
        found: Digest,
    ) -> Option<B::Content> {
        (found == missing.digest).then(|| self.keep_content(found, &content))?;
        if let Some(kept) = missing.slot.upgrade() {
            self.touch(&kept);
        }
        Some(content)
    }

    /// Tells if a content takes up so little memory that a second form of it may be kept.
    pub(crate) fn is_short(&self, content: &B::Content) -> bool {
        self.backend.size(content) <= self.content_memory / SHORT
    }

    /// Reads a key, and reads it again if it is absent or wrong and [`CacheClass::after_absent`]
    /// asks for it: this location may have kept an old result.
    pub(super) async fn patiently<T>(
        &self,
        mut class: CacheClass,
        trace: &mut Trace,
        read: impl AsyncFn(u32) -> Read<T>,
        is_right: impl Fn(&T) -> bool,
    ) -> Read<T> {
        loop {
            trace.kv_reads += 1;
            let found = read(self.times.cache_ttl(class)).await?;
            match class.after_absent() {
                Some(next) if !found.as_ref().is_some_and(&is_right) => class = next,
                _ => return Ok(found),
            }
        }
    }
}
