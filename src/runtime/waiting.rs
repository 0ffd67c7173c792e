//! What waits for something that the platform brings.

/// Items by the numbers of their requests. The oldest is given up where there are too many:
/// whoever waits for one may be cut off, and nobody else would ever take it away.
pub(crate) struct Waiting<T>(Vec<(u32, T)>);

/// More than an isolate has the memory to serve at once.
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

    /// Takes the item of a request, if it still waits.
    pub(crate) fn take(&mut self, number: u32) -> Option<T> {
        let at = self.0.iter().rposition(|(known, _)| *known == number)?;
        Some(self.0.remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_the_oldest_given_up() {
        let mut waiting = Waiting::default();
        for number in 0..=MOST as u32 {
            waiting.put(number, number);
        }
        assert_eq!((waiting.take(0), waiting.0.len()), (None, MOST));
        assert_eq!((waiting.take(1), waiting.take(1)), (Some(1), None));
        assert_eq!(waiting.take(MOST as u32), Some(MOST as u32));
    }
}
