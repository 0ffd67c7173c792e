//! The responses that the lane remembers for a URL.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use catalog::assign::{Decision, decide};
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::SlotRecord;
use catalog::resolution::{Found, Selected};

use super::asker::Asker;
use super::urls::UrlNumber;
use crate::resolve::backend::Backend;
use crate::resolve::memory::KeptRecord;
use crate::resolve::reader::{MissingContent, Reader};
use crate::trace::ContentSource;

/// A URL whose record is unchanged.
pub(super) struct CachedUrl<T, P> {
    pub(super) url: Box<str>,
    pub(super) number: UrlNumber,
    pub(super) key: Key,
    /// The record, until it is no longer the last good one.
    pub(super) kept: Weak<KeptRecord>,
    pub(super) text: T,
    /// The record of a slot; `None` for an exact version.
    pub(super) slot: Option<SlotRecord>,
    pub(super) responses: RefCell<Vec<CachedResponse<P>>>,
}

pub(super) struct CachedResponse<P> {
    pub(super) form: Form,
    pub(super) selected: Selected,
    pub(super) prepared: Rc<P>,
}

/// The form of a response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Full(ContentSource),
    Head,
    NotModified,
}

/// A response of the lane.
pub struct Recalled<P, C> {
    /// The response without its content.
    pub prepared: Rc<P>,
    /// The digest of the selected version.
    pub digest: Digest,
    /// The content.
    pub content: RecalledContent<C>,
}

/// The content of a response of the lane.
pub enum RecalledContent<C> {
    /// The response has no body.
    Empty,
    /// The content was in memory.
    InMemory(C),
    /// The content has to be read.
    Missing(MissingContent),
}

impl<T: PartialEq, P> CachedUrl<T, P> {
    /// Returns the record if it is unchanged: for a slot, the record that was just read; for an
    /// exact version, the record in memory while it may be used.
    pub(super) fn current<B: Backend>(
        &self,
        reader: &Reader<B>,
        text: Option<&T>,
    ) -> Option<Rc<KeptRecord>> {
        let kept = self.kept.upgrade()?;
        let current = match self.slot {
            Some(_) => text == Some(&self.text),
            None => reader.is_fresh(&kept),
        };
        current.then_some(kept)
    }

    /// Returns the response for an asker while the record is unchanged.
    pub(super) fn find<B: Backend>(
        &self,
        reader: &Reader<B>,
        asker: &dyn Asker,
    ) -> Option<Recalled<P, B::Content>> {
        let decision = match (&self.slot, &self.key) {
            (Some(slot), Key::Slot(name, _)) => {
                let caller = asker.caller(slot);
                caller.check_for(slot).ok()?;
                Some(decide(slot, name, &caller, &|| reader.backend.random())?)
            }
            _ => None,
        };
        let responses = self.responses.borrow();
        let digest = match &decision {
            Some(decision) => decision.arm.snapshot.digest,
            // All responses for an exact version have the same content.
            None => responses.first()?.selected.snapshot.digest,
        };
        let (form, content) = self.form(reader, asker, digest);
        // The form is compared first, because that is cheaper.
        let known = responses
            .iter()
            .find(|known| known.form == form && fits(&known.selected, decision.as_ref()))?;
        Some(Recalled { prepared: known.prepared.clone(), digest, content })
    }

    fn form<B: Backend>(
        &self,
        reader: &Reader<B>,
        asker: &dyn Asker,
        digest: Digest,
    ) -> (Form, RecalledContent<B::Content>) {
        if asker.has(&digest) {
            return (Form::NotModified, RecalledContent::Empty);
        }
        if asker.method() == "HEAD" {
            return (Form::Head, RecalledContent::Empty);
        }
        match reader.content_in_memory(&digest) {
            Some(content) => {
                (Form::Full(ContentSource::Memory), RecalledContent::InMemory(content))
            }
            None => {
                let slot = self.slot.as_ref().map(|_| self.kept.clone()).unwrap_or_default();
                let missing = MissingContent { digest, slot };
                (Form::Full(ContentSource::Kv), RecalledContent::Missing(missing))
            }
        }
    }
}

/// Tells if a remembered response belongs to the decision for a caller.
fn fits(known: &Selected, decision: Option<&Decision<'_>>) -> bool {
    match (&known.found, decision) {
        (Found::Slot(slot), Some(decision)) => {
            slot.slot == decision.arm.slot
                && slot.assignment == decision.assignment
                && slot.override_ignored == decision.override_ignored
                && known.snapshot == decision.arm.snapshot
        }
        (_, decision) => decision.is_none(),
    }
}
