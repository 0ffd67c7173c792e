//! What waits for something that the platform brings.

/// Items by number. The oldest is given up where there are too many: whoever waits for
/// one may be cut off, and nobody else would ever take it away.
pub(crate) struct Waiting<T> {
    last: u32,
    items: Vec<(u32, T)>,
}

/// More than an isolate serves at once; an item is a hundred bytes.
const MOST: usize = 1_000;

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { last: 0, items: Vec::new() }
    }
}

impl<T> Waiting<T> {
    /// Adds an item and says its number.
    pub(crate) fn add(&mut self, item: T) -> u32 {
        if self.items.len() == MOST {
            self.items.remove(0);
        }
        self.last = self.last.wrapping_add(1);
        self.items.push((self.last, item));
        self.last
    }

    /// The item of a number, if it still waits.
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.items.iter().find(|(known, _)| *known == number).map(|(_, item)| item)
    }

    /// Takes the item of a number, if it still waits.
    pub(crate) fn take(&mut self, number: u32) -> Option<T> {
        let at = self.items.iter().position(|(known, _)| *known == number)?;
        Some(self.items.remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_the_oldest_given_up() {
        let mut waiting = Waiting::default();
        let numbers: Vec<u32> = (0..=MOST).map(|item| waiting.add(item)).collect();
        assert_eq!(waiting.get(numbers[0]), None);
        assert_eq!((waiting.get(numbers[1]), waiting.items.len()), (Some(&1), MOST));
        assert_eq!((waiting.take(numbers[1]), waiting.take(numbers[1])), (Some(1), None));
        assert_eq!(waiting.take(numbers[MOST]), Some(MOST));
    }
}
