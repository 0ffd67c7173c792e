//! A component's answer, in numbered steps.

pub mod backend;
pub mod memory;
pub mod reader;

use std::cell::RefCell;
use std::rc::Rc;

use catalog::access::Grant;
use catalog::assign::Caller;
use catalog::key::{CacheClass, Key};
use catalog::name::ComponentName;
use catalog::record::{self, SlotRecord};
use catalog::reference::{Address, Reference};
use catalog::refusal::Refusal;
use catalog::resolution::{Outcome, Resolution, Selected, Step};

use crate::config::Config;
use crate::http::caller;
use crate::http::respond;
use crate::http::{Answer, Request};
use crate::resolve::backend::{Backend, Read};
use crate::resolve::memory::Memory;
use crate::trace::{Source, Trace};

/// The resolver of one isolate.
pub struct Resolver<B: Backend> {
    /// The settings.
    pub config: Config,
    /// The platform.
    pub backend: B,
    pub(crate) memory: RefCell<Memory<B::Content>>,
}

/// A version, and the record that led to it.
pub(crate) struct Resolved {
    pub(crate) selected: Selected,
    key: Key,
    record: Rc<[u8]>,
    /// Seconds since the record was read, where it is the last good one.
    pub(crate) stale: Option<u64>,
}

impl<B: Backend> Resolver<B> {
    /// A resolver that has nothing in memory yet.
    pub fn new(config: Config, backend: B) -> Self {
        let memory = RefCell::new(Memory::new(config.content_memory));
        Self { config, backend, memory }
    }

    /// Answers `GET` or `HEAD` of `/components/<raw>`.
    pub(crate) async fn component(
        &self,
        request: &Request<'_>,
        raw: &str,
        grant: &Grant,
        trace: &mut Trace,
    ) -> Result<Answer<B::Content>, Refusal> {
        // 1. Which component, and which version of it: 400.
        let address = Address::from_url_path(raw).map_err(Refusal::Invalid)?;
        let asked = self.complete(address, request.host, caller::of(request))?;
        trace.address = Some(asked.address());
        // 2. Down to one version: 404, 410, 502, 503.
        let resolved = self.resolve(&asked, grant, trace).await?;
        trace.select(&resolved);
        if request.parameter("explain").is_some() {
            return Ok(respond::explanation(&resolved.selected, resolved.slot_record().as_ref()));
        }
        // 3. The caller has it already: 304, and no content is read.
        if respond::has_current(request, &resolved.selected.snapshot.digest) {
            self.keep_unless_unsure(&resolved);
            return Ok(respond::not_modified(&resolved.selected, trace));
        }
        // 4. The headers say it all.
        if request.method == "HEAD" {
            self.keep_unless_unsure(&resolved);
            return Ok(respond::component_head(&resolved.selected, trace));
        }
        // 5. The bytes, checked, or the last good ones: 502, 503.
        let (resolved, content) = self.with_content(&asked, resolved, trace).await?;
        trace.select(&resolved);
        // 6. 200.
        Ok(respond::component(&resolved.selected, trace, content))
    }

    /// An address with the slot of the host where it has no reference.
    pub(crate) fn complete(
        &self,
        address: Address,
        host: &str,
        caller: Caller,
    ) -> Result<Asked, Refusal> {
        let Address { name, reference } = address;
        let reference = match reference {
            Some(reference) => reference,
            None => {
                let hosts = self.config.hosts.as_ref().map_err(Clone::clone)?;
                Reference::Slot(hosts.slot(host).clone())
            }
        };
        Ok(Asked { name, reference, caller })
    }

    pub(crate) async fn resolve(
        &self,
        asked: &Asked,
        grant: &Grant,
        trace: &mut Trace,
    ) -> Result<Resolved, Refusal> {
        let mut resolution = asked.admit(grant)?;
        let first = resolution.key().clone();
        loop {
            let key = resolution.key().clone();
            let read = self.record(&key, trace).await;
            match self.step(resolution, key, &read) {
                Next::Read(next) => resolution = next,
                Next::Done(done) => return self.settle(*done, &first, asked, grant),
            }
        }
    }

    /// Supplies what a read brought.
    pub(crate) fn step(&self, resolution: Resolution, key: Key, read: &Read<Rc<[u8]>>) -> Next {
        let outcome = match read {
            Ok(Some(bytes)) => Outcome::Value(bytes),
            Ok(None) => Outcome::Absent,
            Err(_) => Outcome::Unavailable,
        };
        match (resolution.supply(outcome, &|| self.backend.draw()), read) {
            (Step::Read(next), _) => Next::Read(next),
            (Step::Refuse(refusal), _) => Next::Done(Box::new(Err(*refusal))),
            (Step::Serve(selected), Ok(Some(bytes))) => {
                let resolved =
                    Resolved { selected: *selected, key, record: bytes.clone(), stale: None };
                Next::Done(Box::new(Ok(resolved)))
            }
            // A version is only ever selected from a record.
            (Step::Serve(_), _) => {
                Next::Done(Box::new(Err(Refusal::StoreUnavailable(key.namespace()))))
            }
        }
    }

    /// The end of a resolution: the last good record where KV failed, and nothing
    /// of what the caller may not see.
    pub(crate) fn settle(
        &self,
        done: Result<Resolved, Refusal>,
        first: &Key,
        asked: &Asked,
        grant: &Grant,
    ) -> Result<Resolved, Refusal> {
        done.or_else(|refusal| match refusal.status() {
            // What the caller may not see is not served from memory either.
            500.. if grant.allows(&asked.name, &asked.reference) => {
                self.last_good(first, asked).ok_or(refusal)
            }
            _ => Err(cut_down(refusal, grant)),
        })
    }

    fn last_good(&self, key: &Key, asked: &Asked) -> Option<Resolved> {
        let (record, age) = self.last_good_record(key)?;
        let outcome = Outcome::Value(&record);
        let Step::Serve(selected) = asked.begin().supply(outcome, &|| self.backend.draw()) else {
            return None;
        };
        Some(Resolved { selected: *selected, key: key.clone(), record, stale: Some(age) })
    }

    /// Keeps the record of an answer that needed no content, unless it would
    /// replace another whose content is in memory by one whose content nobody has seen.
    pub(crate) fn keep_unless_unsure(&self, resolved: &Resolved) {
        let digest = &resolved.selected.snapshot.digest;
        // A version's record names the same content whenever it is read.
        let sure = resolved.key.cache_class() == CacheClass::Record || {
            let mut memory = self.memory.borrow_mut();
            let kept = memory.records.get(&resolved.key);
            kept.is_none_or(|kept| kept.bytes == resolved.record)
                || memory.contents.get(digest).is_some()
        };
        if sure && resolved.stale.is_none() {
            self.keep_record(&resolved.key, &resolved.record);
        }
    }

    /// The content of what was resolved or, where that can't be had, the last
    /// good version with its content.
    pub(crate) async fn with_content(
        &self,
        asked: &Asked,
        resolved: Resolved,
        trace: &mut Trace,
    ) -> Result<(Resolved, B::Content), Refusal> {
        let digest = resolved.selected.snapshot.digest;
        match self.content(digest, trace).await {
            Ok(content) => {
                if resolved.stale.is_none() {
                    self.keep_record(&resolved.key, &resolved.record);
                }
                Ok((resolved, content))
            }
            Err(refusal) => self.last_good_content(asked, &resolved.key, trace).ok_or(refusal),
        }
    }

    fn last_good_content(
        &self,
        asked: &Asked,
        key: &Key,
        trace: &mut Trace,
    ) -> Option<(Resolved, B::Content)> {
        let last = self.last_good(key, asked)?;
        let content = self.in_memory(&last.selected.snapshot.digest)?;
        trace.content = Source::Memory;
        Some((last, content))
    }
}

/// What comes after a read.
// Moved once a read and never stored; how large it is depends on the target.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Next {
    /// Another one.
    Read(Resolution),
    /// Nothing.
    Done(Box<Result<Resolved, Refusal>>),
}

/// What is asked for, and by whom.
pub(crate) struct Asked {
    pub(crate) name: ComponentName,
    pub(crate) reference: Reference,
    pub(crate) caller: Caller,
}

impl Asked {
    pub(crate) fn address(&self) -> Address {
        Address { name: self.name.clone(), reference: Some(self.reference.clone()) }
    }

    fn begin(&self) -> Resolution {
        Resolution::begin(self.name.clone(), self.reference.clone(), self.caller.clone())
    }

    /// Begins a resolution, as far as the caller may see: 404 for a component that
    /// it may not see at all, and a reference that it may not use is as one that is
    /// not there.
    pub(crate) fn admit(&self, grant: &Grant) -> Result<Resolution, Refusal> {
        if !grant.sees(&self.name) {
            return Err(Refusal::ComponentUnknown(self.name.clone()));
        }
        match grant.allows(&self.name, &self.reference) {
            true => Ok(self.begin()),
            false => Ok(Resolution::denied(self.name.clone(), self.reference.clone())),
        }
    }
}

impl Resolved {
    /// The record of the slot that led to the version, if one did.
    fn slot_record(&self) -> Option<SlotRecord> {
        record::parse(&self.record).ok()
    }
}

fn cut_down(mut refusal: Refusal, grant: &Grant) -> Refusal {
    if let Some((name, existing)) = refusal.existing_mut() {
        grant.filter(name, existing);
    }
    refusal
}

impl Trace {
    pub(crate) fn select(&mut self, resolved: &Resolved) {
        self.selected = Some(resolved.selected.clone());
        self.record = Some((resolved.key.clone(), resolved.record.clone()));
        self.stale = resolved.stale;
    }
}
