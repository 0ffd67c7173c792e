//! Outcomes without a version key: each is a unit.

use ramp::counts::Tally;
use ramp::guard::{Budget, Guard};
use ramp::share::Share;
use ramp::starts::Starts;

/// A ramp with one guard.
pub(crate) struct Keyless {
    starts: Starts,
    outcomes: Tally,
    budget: Budget,
}

impl Keyless {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { starts: Starts::default(), outcomes: Tally::default(), budget }
    }

    pub(crate) fn start(&mut self) {
        self.starts.start();
    }

    /// Counts an outcome, and tells if the guard alarms.
    pub(crate) fn count(&mut self, share: Share, is_candidate: bool, is_bad: bool) -> bool {
        if is_candidate {
            self.outcomes.add(is_bad);
        }
        if is_bad {
            self.starts.add(share, is_candidate);
        }
        // Evidence grows only with a bad unit of the candidate.
        let grew = is_candidate && is_bad;
        grew && Guard::default().alarms(&self.starts, self.outcomes, self.budget)
    }
}
