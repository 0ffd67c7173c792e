//! When a secret of the Secrets Store is read.

use std::cell::Cell;

/// Milliseconds after which a secret is read again: 5 minutes.
const REFRESH: f64 = 300_000.0;

/// Milliseconds until the next attempt after a read that failed: 10 seconds.
const RETRY: f64 = 10_000.0;

/// The times at which a secret is read. Until the first read that succeeds, every request
/// reads. Later one request at a time does, and the others use the last value.
#[derive(Debug, Default)]
pub struct Schedule {
    /// The time of the next read, in milliseconds since 1970.
    due: Cell<f64>,
    known: Cell<bool>,
}

impl Schedule {
    /// Tells if a request at this time reads the secret.
    pub fn begin(&self, now: f64) -> bool {
        let due = now >= self.due.get();
        if due && self.known.get() {
            self.due.set(now + RETRY);
        }
        due
    }

    /// Notes that the read has succeeded.
    pub fn succeed(&self, now: f64) {
        self.known.set(true);
        self.due.set(now + REFRESH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_reads_until_one_read_succeeds() {
        let schedule = Schedule::default();
        assert!(schedule.begin(1.0) && schedule.begin(1.0) && schedule.begin(2.0));
        schedule.succeed(3.0);
        assert!(!schedule.begin(3.0) && !schedule.begin(3.0 + REFRESH - 1.0));
    }

    #[test]
    fn one_request_reads_again_and_a_failure_is_retried_soon() {
        let schedule = Schedule::default();
        schedule.succeed(0.0);
        assert!(schedule.begin(REFRESH) && !schedule.begin(REFRESH));
        assert!(!schedule.begin(REFRESH + RETRY - 1.0) && schedule.begin(REFRESH + RETRY));
        schedule.succeed(REFRESH + RETRY);
        assert!(!schedule.begin(2.0 * REFRESH) && schedule.begin(2.0 * REFRESH + RETRY));
    }
}
