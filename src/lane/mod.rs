//! The fast lane remembers what the full path decided for a URL and a record.
//!
//! The response for a slot depends on its URL, its record, a handful of request headers and the
//! content that the record names. Once the full path has answered, the lane keeps the record,
//! as the text that KV returned, and the finished response. While KV returns the same text, the
//! lane runs the same assignment as the full path and finds the response: nothing is parsed and
//! no header is written. All other requests take the full path.

pub mod asker;
mod cached;
pub mod rehearsal;
pub mod urls;

use std::cell::RefCell;
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::Key;
use catalog::resolution::{Basis, Found, Selected};

use self::asker::Asker;
use self::cached::{CachedResponse, CachedUrl, Form};
use self::urls::{UrlNumber, UrlTable};
use crate::resolve::backend::Backend;
use crate::resolve::large::is_large;
use crate::resolve::memory::{BoundedCache, KeptRecord};
use crate::resolve::reader::Reader;
use crate::trace::{ContentSource, Trace};

pub use self::cached::{Recalled, RecalledContent};

/// The maximum size of the lane in bytes, by its own count: a few thousand URLs.
const LANE_BOUND: usize = 8 << 20;

/// The counted size of a finished response in bytes, mostly its headers.
pub const RESPONSE_SIZE: usize = 4_000;

/// The responses of the full path by URL. `P` is a response that can be sent again, without its
/// content.
pub struct Lane<U: UrlTable, P> {
    table: U,
    urls: BoundedCache<UrlNumber, CachedUrl<U::Text, P>>,
}

/// A response of the full path, for the lane to learn from.
pub struct Lesson<'a> {
    /// The status code.
    pub status: u16,
    /// The facts about the request.
    pub trace: &'a Trace,
    /// The basis of the response.
    pub basis: Basis,
}

impl<U: UrlTable, P: 'static> Lane<U, P> {
    /// Creates a lane that knows no URL, as does the table.
    pub fn new(table: U) -> Self {
        Self { table, urls: BoundedCache::new(LANE_BOUND) }
    }

    /// Returns the table.
    pub fn table(&self) -> &U {
        &self.table
    }

    /// Returns the key that the table has for a URL.
    pub fn key(&mut self, url: &str) -> Option<Key> {
        let number = self.table.number(url)?;
        self.urls.get(&number).map(|known| known.key.clone())
    }

    /// Returns the content that [`Lane::recall`] will miss if the record is unchanged, so that
    /// both can be read at once. This is limited to a slot with one target, so that no random
    /// assignment is made twice.
    pub fn expects<B: Backend>(
        &mut self,
        reader: &Reader<B>,
        number: UrlNumber,
        asker: &dyn Asker,
    ) -> Option<Digest> {
        let known = self.urls.get(&number)?;
        let sole = known.slot.as_ref().is_some_and(|slot| slot.targets.len() == 1);
        known.kept.upgrade().filter(|_| sole && asker.is_usual())?;
        let recalled = known.find(reader, asker)?;
        let RecalledContent::Missing(missing) = recalled.content else { return None };
        Some(missing.digest)
    }

    /// Returns the response that the full path would give, with its content, if the lane has
    /// it. `text` is the record that was read under the key that the table has for the URL.
    pub fn recall<B: Backend>(
        &mut self,
        reader: &Reader<B>,
        number: UrlNumber,
        asker: &dyn Asker,
        text: Option<&U::Text>,
    ) -> Option<Recalled<P, B::Content>> {
        let known = self.urls.get(&number)?;
        let kept = known.current(reader, text).filter(|_| asker.is_usual())?;
        let recalled = known.find(reader, asker)?;
        let missed = matches!(recalled.content, RecalledContent::Missing(_));
        if known.slot.is_some() && !missed {
            reader.touch(&kept);
        }
        Some(recalled)
    }

    /// Remembers a response of the full path if the same request would get the same response.
    /// Returns true if the response is new.
    pub fn learn<B: Backend>(
        &mut self,
        reader: &Reader<B>,
        url: &str,
        asker: &dyn Asker,
        lesson: Lesson<'_>,
        prepared: &Rc<P>,
    ) -> bool {
        let Some(form) = repeatable(&lesson).filter(|_| asker.is_usual()) else { return false };
        let Basis { key, record, slot, mut selected, .. } = lesson.basis;
        let Some(kept) = reader.kept_record(&key, &record) else { return false };
        let Ok(written) = std::str::from_utf8(&record) else { return false };
        forget_point(&mut selected);
        let known = self.known(url, &kept).unwrap_or_else(|| {
            let name = slot.is_some().then(|| key.to_string());
            Rc::new(CachedUrl {
                number: self.table.add(url, name.as_deref()),
                url: url.into(),
                key,
                kept: Rc::downgrade(&kept),
                text: self.table.text(written),
                slot,
                responses: RefCell::default(),
            })
        });
        let mut responses = known.responses.borrow_mut();
        if responses.iter().any(|known| known.form == form && known.selected == selected) {
            return false;
        }
        responses.push(CachedResponse { form, selected, prepared: prepared.clone() });
        let size = 2 * url.len() + 3 * record.len() + responses.len() * RESPONSE_SIZE;
        drop(responses);
        let number = known.number;
        for evicted in self.urls.put(&number, known, size) {
            self.table.remove(&evicted.url, evicted.number);
        }
        true
    }

    /// Returns what is known of a URL with this record. Forgets what is known of it with
    /// another one.
    fn known(&mut self, url: &str, kept: &Rc<KeptRecord>) -> Option<Rc<CachedUrl<U::Text, P>>> {
        let number = self.table.number(url)?;
        let known = self.urls.get(&number)?;
        let is_current = known.kept.as_ptr() == Rc::as_ptr(kept);
        if !is_current {
            self.urls.remove(&number);
        }
        is_current.then_some(known)
    }
}

/// Returns the form of a response if the same reads would lead to the same response, down to
/// its `Server-Timing`.
fn repeatable(lesson: &Lesson<'_>) -> Option<Form> {
    let Lesson { status, trace, basis } = lesson;
    let (form, reads) = match (status, trace.content) {
        (304, _) => (Form::NotModified, 0),
        (200, ContentSource::None) => (Form::Head, 0),
        // A stream cannot be sent again.
        (200, _) if is_large(&basis.selected.snapshot) => return None,
        (200, source) => (Form::Full(source), u32::from(source == ContentSource::Kv)),
        _ => return None,
    };
    let reads = match (&basis.selected.found, &basis.key) {
        (Found::Slot(_), Key::Slot(..)) => reads + 1,
        (Found::Exact, Key::Version(..)) => reads,
        _ => return None,
    };
    (trace.kv_reads == reads && trace.stale.is_none()).then_some(form)
}

/// Removes the point: callers at different points get the same response.
fn forget_point(selected: &mut Selected) {
    if let Found::Slot(slot) = &mut selected.found {
        slot.point = None;
    }
}
