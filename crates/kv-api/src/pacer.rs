//! Keeps the number of calls within Cloudflare's limit.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A limit on the number of calls in any period of a fixed length.
///
/// Cloudflare's limit is 1,200 calls in five minutes for all clients of a user, so a 429 is
/// still possible and is retried.
#[derive(Debug)]
pub(crate) struct Pacer {
    calls: usize,
    span: Duration,
    made: VecDeque<Instant>,
}

impl Pacer {
    pub(crate) fn cloudflare() -> Self {
        Self::new(1_200, Duration::from_mins(5))
    }

    fn new(calls: usize, span: Duration) -> Self {
        Self { calls, span, made: VecDeque::new() }
    }

    /// Counts a call at `now` and returns the time to wait before it.
    pub(crate) fn admit(&mut self, now: Instant) -> Duration {
        while self.made.front().is_some_and(|first| *first + self.span <= now) {
            self.made.pop_front();
        }
        let free = match self.made.len() < self.calls {
            true => now,
            false => self.made.pop_front().map_or(now, |first| first + self.span),
        };
        self.made.push_back(free);
        free - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pacer_never_exceeds_the_limit_per_period() {
        let second = Duration::from_secs(1);
        let mut pacer = Pacer::new(3, 10 * second);
        let start = Instant::now();
        let mut now = start;
        let mut made = Vec::new();
        for _ in 0..12 {
            now += pacer.admit(now);
            made.push((now - start).as_secs());
            now += second;
        }
        assert_eq!(made, [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]);
    }
}
