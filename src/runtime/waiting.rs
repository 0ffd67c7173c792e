//! Items of requests that wait for the platform.

/// Items by the numbers of their requests. If there are too many, the oldest is dropped: its
/// request may have been cancelled, and then its item would never be taken.
pub(crate) struct Waiting<T>(Vec<(u32, T)>);

/// The maximum number of items. An isolate has no memory for more requests at once.
const MOST: usize = 4_000;

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Waiting<T> {
    /// Keeps the item of a request.
    pub(crate) fn put(&mut self, number: u32, item: T) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push((number, item));
    }

    /// Takes the item of a request, if it is still there.
    pub(crate) fn take(&mut self, number: u32) -> Option<T> {
        let at = self.0.iter().rposition(|(known, _)| *known == number)?;
        Some(self.0.remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_taken_once_and_the_oldest_is_dropped() {
        let mut waiting = Waiting::default();
        for number in 0..=MOST as u32 {
            waiting.put(number, number);
        }
        assert_eq!((waiting.take(0), waiting.0.len()), (None, MOST));
        assert_eq!((waiting.take(1), waiting.take(1)), (Some(1), None));
        assert_eq!(waiting.take(MOST as u32), Some(MOST as u32));
    }
}
