//! The fast lane: what the full path decided for a URL and a record, remembered.
//!
//! A slot's answer depends on its URL, its record, a handful of the request's headers
//! and the content, which the record names. So once the full path has answered, the
//! lane keeps the record, as the text that KV returned, and the finished answer by
//! what chose it. While KV returns that very text, the same rule of `catalog` that
//! chose then chooses now, and the answer is there: nothing is parsed, no header is
//! written. Whatever the lane has not seen, it leaves to the full path.

pub mod rehearsal;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use catalog::assign::{Decision, decide};
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::{self, SlotRecord};
use catalog::resolution::{Found, Selected};

use crate::http::caller::Asker;
use crate::resolve::Resolver;
use crate::resolve::backend::Backend;
use crate::resolve::memory::{BoundedCache, KeptRecord};
use crate::trace::{Source, Trace};

/// How many bytes the lane may keep, as it counts them: some thousand URLs.
const LANE_BOUND: usize = 8 << 20;

/// What a finished answer counts, in bytes: mostly its headers.
const ANSWER_SIZE: usize = 4_000;

/// The methods whose answers are remembered.
pub const LANE_METHODS: [&str; 2] = ["GET", "HEAD"];

/// What the full path decided, by URL. `T` is a record in the platform's own form,
/// `P` an answer that is ready to be sent but for the content.
pub struct Lane<T, P> {
    routes: BoundedCache<str, Route<T, P>>,
}

/// What a URL leads to while its record stays as it is.
struct Route<T, P> {
    key: Key,
    /// The key in the platform's own form.
    name: T,
    /// The record while it is the last good one, and nothing once it is not.
    kept: Weak<KeptRecord>,
    text: T,
    /// The record of a slot; `None` for an exact version.
    slot: Option<SlotRecord>,
    /// Whether its last answer had to read its content.
    missed: Cell<bool>,
    answers: RefCell<Vec<(Form, Selected, Rc<P>)>>,
}

/// Which of an answer's forms a request gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Full(Source),
    Head,
    NotModified,
}

/// An answer of the lane.
pub struct Recalled<P, C> {
    /// All but the content.
    pub answer: Rc<P>,
    /// The digest of what was selected.
    pub digest: Digest,
    /// The content.
    pub body: Body<C>,
}

/// The content of an answer of the lane.
pub enum Body<C> {
    /// It has none.
    Empty,
    /// The isolate's memory had it.
    Content(C),
    /// It has to be read.
    Missing(Missing),
}

/// A content that is not in memory.
pub struct Missing {
    /// The digest by which it is to be read.
    pub digest: Digest,
    /// The slot's record that led to it, if one did and is still the last good one.
    pub(crate) slot: Weak<KeptRecord>,
}

impl<T: PartialEq + 'static, P: 'static> Default for Lane<T, P> {
    fn default() -> Self {
        Self { routes: BoundedCache::new(LANE_BOUND) }
    }
}

impl<T: PartialEq + Clone + 'static, P: 'static> Lane<T, P> {
    /// What to read of `SLOTS` before [`Lane::recall`] is asked; nothing for a URL that
    /// the lane does not know, or that needs no read. And whether to ask [`Lane::expects`].
    pub fn ahead(&mut self, url: &str) -> Option<(T, bool)> {
        let route = self.routes.get(url)?;
        route.slot.is_some().then(|| (route.name.clone(), route.missed.get()))
    }

    /// The key that [`Lane::ahead`] names.
    pub fn key(&mut self, url: &str) -> Option<Key> {
        self.routes.get(url).map(|route| route.key.clone())
    }

    /// The content that [`Lane::recall`] is going to miss if the record is what it was, so
    /// that both can be read at once. Of a slot with one target: no draw decides twice.
    pub fn expects<B: Backend>(
        &mut self,
        resolver: &Resolver<B>,
        url: &str,
        asker: &dyn Asker,
    ) -> Option<Digest> {
        let route = self.routes.get(url)?;
        let sole = route.slot.as_ref().is_some_and(|slot| slot.targets.len() == 1);
        route.kept.upgrade().filter(|_| sole && asker.is_usual(&resolver.config))?;
        let Body::Missing(missing) = route.find(resolver, asker)?.body else { return None };
        Some(missing.digest)
    }

    /// The answer that the full path would give, and its content, if this lane has it.
    /// `text` is what was read of [`Lane::ahead`].
    pub fn recall<B: Backend>(
        &mut self,
        resolver: &Resolver<B>,
        url: &str,
        asker: &dyn Asker,
        text: Option<&T>,
    ) -> Option<Recalled<P, B::Content>> {
        let route = self.routes.get(url)?;
        let kept = route.current(resolver, text).filter(|_| asker.is_usual(&resolver.config))?;
        let recalled = route.find(resolver, asker)?;
        route.missed.set(matches!(recalled.body, Body::Missing(_)));
        if route.slot.is_some() && !route.missed.get() {
            resolver.read_again(&kept);
        }
        Some(recalled)
    }

    /// Remembers an answer of the full path, if the same request would get the same one
    /// and the lane has it not yet; true if so.
    /// `text` makes the platform's form of the record.
    pub fn learn<B: Backend>(
        &mut self,
        resolver: &Resolver<B>,
        url: &str,
        asker: &dyn Asker,
        (status, trace): (u16, &Trace),
        prepared: &Rc<P>,
        text: impl Fn(&str) -> T,
    ) -> bool {
        let Some((key, record, selected, form)) = repeatable(status, trace) else { return false };
        let kept = resolver.kept(key, record);
        let Ok(written) = std::str::from_utf8(record) else { return false };
        let (Some(kept), true) = (kept, asker.is_usual(&resolver.config)) else { return false };
        let known = self.routes.get(url);
        let known = known.filter(|route| route.kept.as_ptr() == Rc::as_ptr(&kept));
        let route = known.unwrap_or_else(|| {
            let slot = record::parse(record).ok();
            Rc::new(Route {
                key: key.clone(),
                name: text(&key.to_string()),
                kept: Rc::downgrade(&kept),
                text: text(written),
                slot: slot.filter(|_| matches!(key, Key::Slot(..))),
                missed: Cell::default(),
                answers: RefCell::default(),
            })
        });
        let mut answers = route.answers.borrow_mut();
        if answers.iter().any(|(known, other, _)| *known == form && *other == selected) {
            return false;
        }
        answers.push((form, selected, prepared.clone()));
        let size = url.len() + 3 * record.len() + answers.len() * ANSWER_SIZE;
        drop(answers);
        self.routes.put(url, route, size);
        true
    }
}

impl<T: PartialEq, P> Route<T, P> {
    /// The record, if it still is what it was: as it was read just now or, for an
    /// exact version, as it is in memory and may still be used.
    fn current<B: Backend>(
        &self,
        resolver: &Resolver<B>,
        text: Option<&T>,
    ) -> Option<Rc<KeptRecord>> {
        let kept = self.kept.upgrade()?;
        let current = match self.slot {
            Some(_) => text == Some(&self.text),
            None => resolver.is_fresh(&kept),
        };
        current.then_some(kept)
    }

    /// The answer for an asker while the record is what it was.
    fn find<B: Backend>(
        &self,
        resolver: &Resolver<B>,
        asker: &dyn Asker,
    ) -> Option<Recalled<P, B::Content>> {
        let decision = match (&self.slot, &self.key) {
            (Some(slot), Key::Slot(name, _)) => {
                Some(decide(slot, name, &asker.caller(slot), &|| resolver.backend.draw())?)
            }
            _ => None,
        };
        let answers = self.answers.borrow();
        let mut fitting = answers.iter().filter(|(_, known, _)| fits(known, decision.as_ref()));
        let digest = fitting.clone().next()?.1.snapshot.digest;
        let (form, body) = match (asker.has(&digest), asker.method()) {
            (true, _) => (Form::NotModified, Body::Empty),
            (false, "HEAD") => (Form::Head, Body::Empty),
            (false, _) => match resolver.in_memory(&digest) {
                Some(content) => (Form::Full(Source::Memory), Body::Content(content)),
                None => {
                    let slot = self.slot.as_ref().map(|_| self.kept.clone()).unwrap_or_default();
                    (Form::Full(Source::Kv), Body::Missing(Missing { digest, slot }))
                }
            },
        };
        let (_, _, answer) = fitting.find(|(known, ..)| *known == form)?;
        Some(Recalled { answer: answer.clone(), digest, body })
    }
}

/// What was selected, by which record, and the answer's form, where the same reads
/// would lead to the same answer, down to its `Server-Timing`.
fn repeatable(status: u16, trace: &Trace) -> Option<(&Key, &[u8], Selected, Form)> {
    let ((key, record), mut selected) = (trace.record.as_ref()?, trace.selected.clone()?);
    let (form, reads) = match (status, trace.content) {
        (304, _) => (Form::NotModified, 0),
        (200, Source::None) => (Form::Head, 0),
        (200, source) => (Form::Full(source), u32::from(source == Source::Kv)),
        _ => return None,
    };
    let reads = match (&mut selected.found, key) {
        (Found::Slot(slot), Key::Slot(..)) => {
            // Callers at different points get the same answer.
            slot.point = None;
            reads + 1
        }
        (Found::Exact, Key::Version(..)) => reads,
        _ => return None,
    };
    let same = trace.kv_reads == reads && trace.stale.is_none();
    same.then_some((key, record, selected, form))
}

/// Whether an answer was selected as a caller is decided now.
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
