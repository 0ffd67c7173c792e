//! Workers KV, as locations see it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::resolution::{Read, Unavailable};
use component_resolver::resolve::backend::Backend;
use serde_json::Value;

/// The longest time after which a location sees a write, in milliseconds.
const LATE: f64 = 60_000.0;

/// The longest time for which a location shows something that is not there any more or not yet
/// there: it sees the write late and has kept the read before.
pub(crate) const SETTLED: f64 = LATE + 30_000.0;

/// The writes to a key, each with its time.
type Writes = BTreeMap<(Namespace, String), Vec<(f64, Option<Vec<u8>>)>>;

/// KV: the writes, and a clock.
#[derive(Default)]
pub(crate) struct Central {
    writes: RefCell<Writes>,
    /// Milliseconds since 1970.
    pub(crate) clock: Cell<f64>,
    /// The seed of the delays.
    seed: u64,
}

impl Central {
    /// An empty KV at the beginning of time.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Writes a value; `None` deletes the key.
    pub(crate) fn put(&self, key: &Key, value: Option<Vec<u8>>) {
        let place = (key.namespace(), key.to_string());
        let now = self.clock.get();
        self.writes.borrow_mut().entry(place).or_default().push((now, value));
    }

    /// Writes JSON.
    pub(crate) fn put_json(&self, key: &Key, value: &Value) {
        self.put(key, Some(value.to_string().into_bytes()));
    }

    /// Returns the value that a location sees now. The delay of a write is a hash of it.
    fn seen(&self, location: usize, place: &(Namespace, String)) -> Option<Vec<u8>> {
        let writes = self.writes.borrow();
        let writes = writes.get(place)?.iter().enumerate();
        let visible = writes.filter(|(at, (time, _))| {
            let text = format!("{} {location} {} {} {at}", self.seed, place.0.binding(), place.1);
            let hash = Digest::of(text.as_bytes());
            let delay = f64::from(u16::from_be_bytes([hash.as_raw()[0], hash.as_raw()[1]]));
            time + delay / 65_536.0 * LATE <= self.clock.get()
        });
        // A location that has seen a write does not go back to an earlier one.
        visible.last().and_then(|(_, (_, value))| value.clone())
    }
}

/// What a location has read, with the time of each read.
type Kept = BTreeMap<(Namespace, String), (f64, Option<Vec<u8>>)>;

/// A location, as each of its isolates sees it.
#[derive(Clone)]
pub(crate) struct Location {
    number: usize,
    central: Rc<Central>,
    kept: Rc<RefCell<Kept>>,
}

impl Location {
    /// A location that has read nothing yet.
    pub(crate) fn new(number: usize, central: &Rc<Central>) -> Self {
        Self { number, central: central.clone(), kept: Rc::default() }
    }

    fn read(&self, namespace: Namespace, key: &str, cache_ttl: u32) -> Option<Vec<u8>> {
        let place = (namespace, key.to_owned());
        let now = self.central.clock.get();
        let mut kept = self.kept.borrow_mut();
        if let Some((at, value)) = kept.get(&place)
            && now - at < f64::from(cache_ttl) * 1000.0
        {
            return value.clone();
        }
        let value = self.central.seen(self.number, &place);
        kept.insert(place, (now, value.clone()));
        value
    }
}

impl Backend for Location {
    type Content = Vec<u8>;
    type Body = Vec<u8>;

    async fn record(&self, namespace: Namespace, key: &str, ttl: u32) -> Read<Vec<u8>> {
        Ok(self.read(namespace, key, ttl))
    }

    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        Ok(keys.iter().map(|key| self.read(namespace, key, ttl)).collect())
    }

    async fn content(&self, key: &str, ttl: u32) -> Read<(Vec<u8>, Digest)> {
        let content = self.read(Namespace::Components, key, ttl);
        Ok(content.map(|content| (content.clone(), Digest::of(&content))))
    }

    async fn stream(&self, key: &str, ttl: u32, digest: &Digest, size: u64) -> Read<Vec<u8>> {
        let read = self.content(key, ttl).await?;
        let is_right =
            |(content, found): &(Vec<u8>, Digest)| found == digest && content.len() as u64 == size;
        // A stream of other bytes breaks off. Here it ends.
        Ok(read.map(|read| if is_right(&read) { read.0 } else { Vec::new() }))
    }

    async fn digest(&self, key: &str, ttl: u32) -> Read<(Digest, u64)> {
        Ok(self.content(key, ttl).await?.map(|(content, found)| (found, content.len() as u64)))
    }

    fn doubts(&self, _: &Digest) -> bool {
        false
    }

    fn trust(&self, _: &Digest) {}

    fn sending(&self) -> u64 {
        0
    }

    async fn pause(&self, milliseconds: u32) {
        self.central.clock.set(self.central.clock.get() + f64::from(milliseconds));
    }

    fn size(&self, content: &Vec<u8>) -> usize {
        content.len()
    }

    fn has_limit(&self) -> bool {
        false
    }

    async fn admits(&self, _: &str, _: u32) -> bool {
        true
    }

    fn random(&self) -> u32 {
        1 << 31
    }

    fn now(&self) -> f64 {
        self.central.clock.get()
    }
}
