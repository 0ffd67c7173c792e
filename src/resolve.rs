//! A component's answer, in numbered steps.

use std::cell::RefCell;
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::{CacheClass, Key};
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::{Outcome, Resolution, Selected, Step};

use crate::backend::{Backend, Unavailable};
use crate::config::{Config, IMMUTABLE_CACHE_TTL};
use crate::http::{Answer, Request};
use crate::memory::{ITEM_OVERHEAD, KeptRecord, Memory};
use crate::respond::{self, Cost, Source};

/// The resolver of one isolate.
pub struct Resolver<B: Backend> {
    /// The settings.
    pub config: Config,
    /// The platform.
    pub backend: B,
    memory: RefCell<Memory<B::Content>>,
}

/// What was read, or why not.
type Read<T> = Result<Option<T>, Unavailable>;

impl<B: Backend> Resolver<B> {
    /// A resolver that has nothing in memory yet.
    pub fn new(config: Config, backend: B) -> Self {
        let memory = RefCell::new(Memory::new(config.content_memory));
        Self { config, backend, memory }
    }

    /// Answers `GET` or `HEAD` of `/components/<raw>`.
    pub async fn component(
        &self,
        request: &Request<'_>,
        raw: &str,
    ) -> Result<Answer<B::Content>, Refusal> {
        let mut cost = Cost::default();
        // 1. Which component and which version of it: 400.
        let address = Address::from_url_path(raw).map_err(Refusal::Invalid)?;
        // 2. Down to one version: 404, 410, 502, 503.
        let selected = self.resolve(address, &mut cost).await?;
        // 3. The caller has it already: 304, and no content is read.
        if respond::has_current(request, &selected.snapshot.digest) {
            return Ok(respond::not_modified(&selected, &cost));
        }
        // 4. The headers say it all.
        if request.method == "HEAD" {
            return Ok(respond::component_head(&selected, &cost));
        }
        // 5. The bytes, checked: 502, 503.
        let content = self.content(selected.snapshot.digest, &mut cost).await?;
        // 6. 200.
        Ok(respond::component(&selected, &cost, content))
    }

    async fn resolve(&self, address: Address, cost: &mut Cost) -> Result<Selected, Refusal> {
        let Some(reference) = address.reference else {
            return Err(Refusal::RouteUnknown);
        };
        let mut resolution = Resolution::begin(address.name, reference);
        loop {
            let read = self.record(resolution.key(), cost).await;
            let outcome = match &read {
                Ok(Some(bytes)) => Outcome::Value(bytes),
                Ok(None) => Outcome::Absent,
                Err(_) => Outcome::Unavailable,
            };
            match resolution.supply(outcome) {
                Step::Read(next) => resolution = next,
                Step::Serve(selected) => return Ok(*selected),
                Step::Refuse(refusal) => return Err(*refusal),
            }
        }
    }

    /// Reads a record, a version's from memory where it is there.
    async fn record(&self, key: &Key, cost: &mut Cost) -> Read<Rc<[u8]>> {
        let kept = self.memory.borrow_mut().records.get(key);
        if let Some(kept) = kept.filter(|kept| self.backend.now() < kept.expires) {
            return Ok(Some(kept.bytes));
        }
        let text = key.to_string();
        let read = async |ttl| self.backend.record(key.namespace(), &text, ttl).await;
        let Some(bytes) = self.patiently(key, cost, read).await? else { return Ok(None) };
        let bytes: Rc<[u8]> = bytes.into();
        if key.cache_class() == CacheClass::Record {
            self.keep_record(key, &bytes);
        }
        Ok(Some(bytes))
    }

    fn keep_record(&self, key: &Key, bytes: &Rc<[u8]>) {
        let seconds = self.config.version_cache_ttl - self.config.record_cache_ttl();
        let expires = self.backend.now() + f64::from(seconds) * 1000.0;
        let kept = KeptRecord { bytes: bytes.clone(), expires };
        let size = bytes.len() + ITEM_OVERHEAD;
        self.memory.borrow_mut().records.put(key.clone(), kept, size);
    }

    async fn content(&self, digest: Digest, cost: &mut Cost) -> Result<B::Content, Refusal> {
        cost.content = Source::Memory;
        let kept = self.memory.borrow_mut().contents.get(&digest);
        if let Some(content) = kept {
            return Ok(content);
        }
        cost.content = Source::Kv;
        let key = Key::Content(digest);
        let unavailable = |_| Refusal::StoreUnavailable(key.namespace());
        let text = key.to_string();
        let read = async |ttl| self.backend.content(&text, ttl).await;
        let content = self.patiently(&key, cost, read).await.map_err(unavailable)?;
        let content = content.ok_or(Refusal::ContentMissing(digest))?;
        let found = self.backend.digest(&content).await.map_err(unavailable)?;
        if found != digest {
            return Err(Refusal::DigestMismatch { expected: digest, found });
        }
        let size = self.backend.size(&content) + ITEM_OVERHEAD;
        self.memory.borrow_mut().contents.put(digest, content.clone(), size);
        Ok(content)
    }

    /// Reads a key, once more where [`CacheClass::after_absent`] asks for it.
    async fn patiently<T>(
        &self,
        key: &Key,
        cost: &mut Cost,
        read: impl AsyncFn(u32) -> Read<T>,
    ) -> Read<T> {
        let mut class = key.cache_class();
        loop {
            cost.kv_reads += 1;
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
