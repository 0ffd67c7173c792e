//! When a secret of the Secrets Store is read.

use std::cell::Cell;

/// Milliseconds after which a secret is read again: 5 minutes.
const REFRESH: f64 = 300_000.0;

/// Milliseconds until the next attempt after a read that failed: 10 seconds.
const RETRY: f64 = 10_000.0;

/// Milliseconds for which the last value is used while reads fail: 1 hour. A token that was
/// revoked meanwhile is valid for no longer.
const KEEP: f64 = 3_600_000.0;

/// The times at which a secret is read. While no value is known, every request reads. Later one
/// request at a time does, and the others use the last value.
#[derive(Debug, Default)]
pub struct Schedule {
    /// The time of the next read, in milliseconds since 1970.
    due: Cell<f64>,
    /// The time of the last read that succeeded, in milliseconds since 1970.
    read_at: Cell<f64>,
    known: Cell<bool>,
    failing: Cell<bool>,
}

impl Schedule {
    /// Tells if a request at this time reads the secret.
    pub fn begin(&self, now: f64) -> bool {
        if now - self.read_at.get() >= KEEP {
            self.known.set(false);
        }
        let is_due = !self.known.get() || now >= self.due.get();
        if is_due && self.known.get() {
            self.due.set(now + RETRY);
        }
        is_due
    }

    /// Notes that the read has succeeded.
    pub fn succeed(&self, now: f64) {
        self.known.set(true);
        self.failing.set(false);
        self.read_at.set(now);
        self.due.set(now + REFRESH);
    }

    /// Notes that the read has failed. Returns true for the first failure since the last read
    /// that succeeded.
    pub fn fail(&self) -> bool {
        !self.failing.replace(true)
    }

    /// Tells if there is a value, and it is not too old.
    pub fn is_known(&self) -> bool {
        self.known.get()
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

    #[test]
    fn a_value_that_cannot_be_read_again_is_known_for_an_hour() {
        let schedule = Schedule::default();
        schedule.succeed(1.0);
        assert!(schedule.begin(KEEP) && schedule.is_known());
        // Every request reads again, as before the first value.
        assert!(schedule.begin(KEEP + 1.0) && schedule.begin(KEEP + 1.0) && !schedule.is_known());
        schedule.succeed(KEEP + 2.0);
        assert!(!schedule.begin(KEEP + 3.0) && schedule.is_known());
    }

    #[test]
    fn the_first_failure_in_a_row_is_told_apart() {
        let schedule = Schedule::default();
        assert_eq!([schedule.fail(), schedule.fail()], [true, false]);
        schedule.succeed(0.0);
        assert_eq!([schedule.fail(), schedule.fail()], [true, false]);
    }
}
