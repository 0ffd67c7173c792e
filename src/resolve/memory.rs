//! The memory of an isolate between requests.

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, DefaultHasher, Hash};
use std::marker::PhantomData;
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{self, SlotRecord, Snapshot};
use lru::LruCache;

/// A key of a cache: different keys of one cache have different bytes.
pub trait CacheKey {
    /// Returns the key's bytes.
    fn bytes(&self) -> Cow<'_, [u8]>;
}

impl CacheKey for Digest {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.as_raw().into()
    }
}

impl CacheKey for Key {
    fn bytes(&self) -> Cow<'_, [u8]> {
        format!("{}:{self}", self.namespace().binding()).into_bytes().into()
    }
}

/// A least-recently-used cache bounded by the sum of its items' sizes.
pub struct BoundedCache<K: ?Sized, V> {
    items: Items,
    of: PhantomData<fn(&K) -> V>,
}

impl<K: CacheKey + ?Sized, V: 'static> BoundedCache<K, V> {
    /// Creates an empty cache for items of `bound` bytes in total.
    pub fn new(bound: usize) -> Self {
        let items = LruCache::unbounded_with_hasher(Seeded::new());
        Self { items: Items { items, size: 0, bound }, of: PhantomData }
    }

    /// Returns the item of `key`, which becomes the most recently used.
    pub fn get(&mut self, key: &K) -> Option<Rc<V>> {
        self.items.get(&key.bytes())?.downcast().ok()
    }

    /// Keeps an item of `size` bytes. Returns the items that no longer fit: the least recently
    /// used ones, or this one if it is larger than the bound.
    pub fn put(&mut self, key: &K, item: Rc<V>, size: usize) -> Vec<Rc<V>> {
        let evicted = self.items.put(&key.bytes(), item, size);
        evicted.into_iter().filter_map(|item| item.downcast().ok()).collect()
    }

    /// Removes the item of `key`.
    pub fn remove(&mut self, key: &K) {
        self.items.remove(&key.bytes());
    }

    /// Returns the sum of the sizes of the items.
    pub fn size(&self) -> usize {
        self.items.size
    }
}

/// The items of a cache of any kind. The map and the list are most of the code; they are in the
/// Wasm once, not once for each kind.
struct Items {
    items: LruCache<Box<[u8]>, Item, Seeded>,
    size: usize,
    bound: usize,
}

struct Item {
    value: Rc<dyn Any>,
    size: usize,
}

impl Items {
    fn get(&mut self, key: &[u8]) -> Option<Rc<dyn Any>> {
        self.items.get(key).map(|item| item.value.clone())
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some(dropped) = self.items.pop(key) {
            self.size -= dropped.size;
        }
    }

    fn put(&mut self, key: &[u8], value: Rc<dyn Any>, size: usize) -> Vec<Rc<dyn Any>> {
        self.remove(key);
        if size > self.bound {
            return vec![value];
        }
        self.items.put(key.into(), Item { value, size });
        self.size += size;
        let mut evicted = Vec::new();
        while self.size > self.bound {
            let Some((_, dropped)) = self.items.pop_lru() else { break };
            self.size -= dropped.size;
            evicted.push(dropped.value);
        }
        evicted
    }
}

/// The standard library's `SipHash` with a random seed of the platform. Callers choose the
/// keys. On this target the library would derive its seed from addresses, which are the same in
/// every isolate.
struct Seeded(DefaultHasher);

impl Seeded {
    fn new() -> Self {
        let (mut hasher, mut seed) = (DefaultHasher::new(), [0_u8; 16]);
        // The runtime's generator does not fail inside a request.
        let _ = getrandom::fill(&mut seed);
        seed.hash(&mut hasher);
        Self(hasher)
    }
}

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        self.0.clone()
    }
}

/// A record that has led to an answer.
pub struct KeptRecord {
    /// The value as KV returned it at the last read.
    pub bytes: RefCell<Rc<[u8]>>,
    /// The time of the read, in milliseconds since 1970.
    pub read_at: Cell<f64>,
    /// The record of a version that was revoked.
    pub revoked: bool,
}

/// The memory of an isolate: contents, which never change, and the last good record of
/// each key. Absence is never kept: it removes the record of its key.
pub struct Memory<C> {
    /// Contents by digest. The digest of each was checked when it was read.
    pub contents: BoundedCache<Digest, C>,
    /// Records by key. The record of a version that may be served is used for a while without
    /// being read again; any other record is used only if its key cannot be read.
    pub records: BoundedCache<Key, KeptRecord>,
    /// Versions whose exact addresses were handed out, by the keys of their records.
    handed_out: BoundedCache<Key, HandedOut>,
}

/// A version whose exact address was handed out.
struct HandedOut {
    snapshot: Snapshot,
    /// The time, in milliseconds since 1970.
    at: f64,
}

/// The time in milliseconds for which an exact address that was handed out is served, even if
/// this location does not see the record of the version: two minutes. Workers KV shows a write
/// everywhere after a minute, and a location may keep an older read for half a minute longer.
const HANDED_OUT_TIME: f64 = 120_000.0;

/// The size of a version that was handed out, in bytes.
const HANDED_OUT_SIZE: usize = 500;

/// The maximum size of the kept records in bytes: about ten thousand records.
const RECORDS_BOUND: usize = 4 << 20;

/// The maximum size of the versions that were handed out, in bytes: about a thousand.
const HANDED_OUT_BOUND: usize = 512 << 10;

/// The maximum size of a content that is kept, in bytes (1 MiB). A larger one is sent while it is
/// read: it would displace many others, and several that are read at once would fill an isolate.
pub const MAX_KEPT: u64 = 1 << 20;

/// The overhead of an item in bytes: keys, links, the handle.
pub const ITEM_OVERHEAD: usize = 200;

impl<C: 'static> Memory<C> {
    /// Creates an empty memory for contents of `contents_bound` bytes in total.
    pub fn new(contents_bound: usize) -> Self {
        Self {
            contents: BoundedCache::new(contents_bound),
            records: BoundedCache::new(RECORDS_BOUND),
            handed_out: BoundedCache::new(HANDED_OUT_BOUND),
        }
    }

    /// Keeps a version whose exact address is handed out. `at` is in milliseconds since 1970.
    pub fn keep_handed_out(&mut self, name: &ComponentName, snapshot: &Snapshot, at: f64) {
        let key = Key::Version(name.clone(), snapshot.version.clone());
        if self.handed_out.get(&key).is_none_or(|kept| kept.at < at) {
            let kept = HandedOut { snapshot: snapshot.clone(), at };
            self.handed_out.put(&key, Rc::new(kept), HANDED_OUT_SIZE);
        }
    }

    /// Removes a record. The fast lane handed out the versions of a slot up to its last read.
    pub fn retire_record(&mut self, key: &Key) {
        let Some(kept) = self.records.get(key) else { return };
        self.records.remove(key);
        let Key::Slot(name, _) = key else { return };
        let Ok(record) = record::parse::<SlotRecord>(&kept.bytes.borrow()) else { return };
        for arm in record.arms() {
            self.keep_handed_out(name, &arm.snapshot, kept.read_at.get());
        }
    }

    /// Returns a version whose exact address was handed out not too long ago.
    pub fn handed_out(&mut self, key: &Key, now: f64) -> Option<Snapshot> {
        let kept = self.handed_out.get(key)?;
        (now - kept.at < HANDED_OUT_TIME).then(|| kept.snapshot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl CacheKey for str {
        fn bytes(&self) -> Cow<'_, [u8]> {
            self.as_bytes().into()
        }
    }

    fn cache(bound: usize) -> BoundedCache<str, i32> {
        BoundedCache::new(bound)
    }

    fn kept(cache: &mut BoundedCache<str, i32>, key: &str) -> Option<i32> {
        cache.get(key).map(|item| *item)
    }

    #[test]
    fn the_least_recently_used_item_is_evicted_first() {
        let mut cache = cache(10);
        cache.put("a", Rc::new(1), 4);
        cache.put("b", Rc::new(2), 4);
        assert_eq!(kept(&mut cache, "a"), Some(1));
        assert_eq!(cache.put("c", Rc::new(3), 4), [Rc::new(2)]);
        assert_eq!(["a", "b", "c"].map(|key| kept(&mut cache, key)), [Some(1), None, Some(3)]);
        assert_eq!(cache.size(), 8);
    }

    #[test]
    fn an_item_larger_than_the_bound_evicts_nothing() {
        let mut cache = cache(10);
        cache.put("a", Rc::new(1), 10);
        assert_eq!(cache.put("huge", Rc::new(2), 11), [Rc::new(2)]);
        assert_eq!(["a", "huge"].map(|key| kept(&mut cache, key)), [Some(1), None]);
        assert_eq!(cache.size(), 10);
    }

    #[test]
    fn a_replaced_item_counts_once() {
        let mut cache = cache(10);
        cache.put("a", Rc::new(1), 6);
        assert_eq!(cache.put("a", Rc::new(2), 8), []);
        assert_eq!((kept(&mut cache, "a"), cache.size()), (Some(2), 8));
        cache.put("a", Rc::new(3), 11);
        assert_eq!((kept(&mut cache, "a"), cache.size()), (None, 0));
    }

    #[test]
    fn a_removed_item_no_longer_counts() {
        let mut cache = cache(10);
        cache.put("a", Rc::new(1), 6);
        cache.remove("a");
        cache.remove("b");
        assert_eq!((kept(&mut cache, "a"), cache.size()), (None, 0));
    }

    /// With a shared seed, callers could choose keys that all collide.
    #[test]
    fn each_cache_hashes_with_its_own_seed() {
        let hashes = [Seeded::new(), Seeded::new()].map(|hasher| hasher.hash_one(b"a".as_slice()));
        assert_ne!(hashes[0], hashes[1]);
    }
}
