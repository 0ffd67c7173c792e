//! What an isolate keeps between requests.

use std::borrow::Borrow;
use std::hash::Hash;
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::Key;
use lru::LruCache;

/// A least-recently-used cache bounded by the sum of its items' sizes.
pub struct BoundedCache<K: Hash + Eq, V> {
    items: LruCache<K, (V, usize)>,
    size: usize,
    bound: usize,
}

impl<K: Hash + Eq, V: Clone> BoundedCache<K, V> {
    /// An empty cache for items of `bound` bytes in all.
    pub fn new(bound: usize) -> Self {
        Self { items: LruCache::unbounded(), size: 0, bound }
    }

    /// The item of `key`, which becomes the most recently used.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.items.get(key).map(|(item, _)| item.clone())
    }

    /// The item of `key` in its place, which becomes the most recently used.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.items.get_mut(key).map(|(item, _)| item)
    }

    /// Keeps an item of `size` bytes, dropping the least recently used ones that
    /// no longer fit. An item larger than the bound is not kept.
    pub fn put(&mut self, key: K, item: V, size: usize) {
        self.remove(&key);
        if size > self.bound {
            return;
        }
        self.items.put(key, (item, size));
        self.size += size;
        while self.size > self.bound {
            let Some((_, (_, dropped))) = self.items.pop_lru() else { return };
            self.size -= dropped;
        }
    }

    /// Forgets the item of `key`.
    pub fn remove(&mut self, key: &K) {
        if let Some((_, dropped)) = self.items.pop(key) {
            self.size -= dropped;
        }
    }

    /// The sum of the sizes of what is kept.
    pub fn size(&self) -> usize {
        self.size
    }
}

/// A record that has led to an answer.
#[derive(Clone)]
pub struct KeptRecord {
    /// The value as KV returned it.
    pub bytes: Rc<[u8]>,
    /// When it was read, in milliseconds since 1970.
    pub read_at: f64,
}

/// All that an isolate keeps: contents, which never change, and the last good
/// record of each key. Absence is never kept.
pub struct Memory<C: Clone> {
    /// Contents by digest; each was checked against it when it came in.
    pub contents: BoundedCache<Digest, C>,
    /// A version's record is used for a while without being read again; any
    /// other only when its key can't be read.
    pub records: BoundedCache<Key, KeptRecord>,
}

/// How many bytes of records are kept: some ten thousand of them.
const RECORDS_BOUND: usize = 4 << 20;

/// What an item costs beside its bytes: keys, links, the handle.
pub const ITEM_OVERHEAD: usize = 200;

impl<C: Clone> Memory<C> {
    /// An empty memory for contents of `contents_bound` bytes in all.
    pub fn new(contents_bound: usize) -> Self {
        Self {
            contents: BoundedCache::new(contents_bound),
            records: BoundedCache::new(RECORDS_BOUND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = BoundedCache::new(10);
        cache.put("a", 1, 4);
        cache.put("b", 2, 4);
        assert_eq!(cache.get(&"a"), Some(1));
        cache.put("c", 3, 4);
        assert_eq!((cache.get(&"a"), cache.get(&"b"), cache.get(&"c")), (Some(1), None, Some(3)));
        assert_eq!(cache.size(), 8);
    }

    #[test]
    fn an_item_larger_than_the_bound_evicts_nothing() {
        let mut cache = BoundedCache::new(10);
        cache.put("a", 1, 10);
        cache.put("huge", 2, 11);
        assert_eq!((cache.get(&"a"), cache.get(&"huge"), cache.size()), (Some(1), None, 10));
    }

    #[test]
    fn replacing_counts_once() {
        let mut cache = BoundedCache::new(10);
        cache.put("a", 1, 6);
        cache.put("a", 2, 8);
        assert_eq!((cache.get(&"a"), cache.size()), (Some(2), 8));
        cache.put("a", 3, 11);
        assert_eq!((cache.get(&"a"), cache.size()), (None, 0));
    }
}
