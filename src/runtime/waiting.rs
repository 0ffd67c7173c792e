//! Items of requests that wait for the platform.

/// Items by the numbers of their requests, oldest request first. The runtime does not always
/// say that a request was cancelled, and then its item would never be taken. So items that have
/// waited for too long are dropped. If the items are too large together, the largest are
/// dropped first, so that requests for many references cannot displace usual ones, and of
/// similar sizes the oldest.
pub(crate) struct Waiting<T> {
    items: Vec<WaitingItem<T>>,
    /// The sum of the sizes of the items.
    size: usize,
}

struct WaitingItem<T> {
    number: u32,
    size: usize,
    since: f64,
    item: T,
}

/// Sizes within the same multiple of this number of bytes are similar.
const STEP: usize = 32 << 10;

/// The maximum sum of the sizes of the items, in bytes: about a thousand requests.
const BOUND: usize = 3 << 20;

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { items: Vec::new(), size: 0 }
    }
}

impl<T> Waiting<T> {
    /// Keeps the item of a request, which takes up `size` bytes of memory. `now` is in
    /// milliseconds since 1970.
    pub(crate) fn put(&mut self, number: u32, item: T, size: usize, now: f64) {
        drop(self.take(number));
        let at = self.items.partition_point(|known| known.number < number);
        let size = size + size_of::<WaitingItem<T>>();
        self.items.insert(at, WaitingItem { number, size, since: now, item });
        self.size += size;
        while self.size > BOUND && self.items.len() > 1 {
            self.remove(self.largest());
        }
    }

    /// Returns the place of the oldest of the largest items.
    fn largest(&self) -> usize {
        let places = self.items.iter().enumerate().rev();
        let largest = places.max_by_key(|(_, known)| known.size / STEP);
        largest.map_or(0, |(at, _)| at)
    }

    /// Takes the item of a request, if it is still there.
    pub(crate) fn take(&mut self, number: u32) -> Option<T> {
        let at = self.items.binary_search_by_key(&number, |known| known.number).ok()?;
        Some(self.remove(at))
    }

    /// Drops the items that wait since before `oldest`, in milliseconds since 1970.
    pub(crate) fn drop_older(&mut self, oldest: f64) {
        self.items.retain(|known| known.since >= oldest);
        self.size = self.items.iter().map(|known| known.size).sum();
    }

    fn remove(&mut self, at: usize) -> T {
        let removed = self.items.remove(at);
        self.size -= removed.size;
        removed.item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_taken_once() {
        let mut waiting = Waiting::default();
        for number in [2, 1, 3, 1] {
            waiting.put(number, number, 0, 0.0);
        }
        assert_eq!((waiting.take(1), waiting.take(1)), (Some(1), None));
        assert_eq!((waiting.take(3), waiting.take(2), waiting.size), (Some(3), Some(2), 0));
    }

    #[test]
    fn the_oldest_requests_are_dropped_if_the_items_are_too_large() {
        let mut waiting = Waiting::default();
        for number in [2, 3, 1, 4] {
            waiting.put(number, number, BOUND / 3, 0.0);
        }
        assert_eq!([1, 2, 3, 4].map(|number| waiting.take(number)), [None, None, Some(3), Some(4)]);
        waiting.put(5, 5, BOUND + 1, 0.0);
        assert_eq!((waiting.take(5), waiting.size), (Some(5), 0));
    }

    #[test]
    fn the_largest_items_are_dropped_first() {
        let mut waiting = Waiting::default();
        for (number, size) in [(1, 100), (2, 2 * STEP), (3, BOUND - 3 * STEP), (4, STEP)] {
            waiting.put(number, number, size, 0.0);
        }
        waiting.put(5, 5, 2 * STEP, 0.0);
        assert_eq!(
            [1, 2, 3, 4].map(|number| waiting.take(number)),
            [Some(1), Some(2), None, Some(4)]
        );
    }

    #[test]
    fn items_that_wait_for_too_long_are_dropped() {
        let mut waiting = Waiting::default();
        waiting.put(1, 1, 10, 1000.0);
        waiting.put(2, 2, 10, 2000.0);
        waiting.put(1, 1, 10, 3000.0);
        waiting.drop_older(2500.0);
        assert_eq!((waiting.take(2), waiting.take(1), waiting.size), (None, Some(1), 0));
    }
}
