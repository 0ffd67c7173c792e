//! A ramp with one guard.

use ramp::guard::{Budget, Guard};
use ramp::share::Share;
use ramp::starts::Starts;

/// The outcomes of a ramp that were counted.
pub(crate) struct Ramp {
    starts: Starts,
    /// The candidate's outcomes, and the bad ones of them.
    outcomes: u32,
    bad: u32,
    budget: Budget,
}

impl Ramp {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { starts: Starts::default(), outcomes: 0, bad: 0, budget }
    }

    pub(crate) fn start(&mut self) {
        self.starts.start();
    }

    /// Counts an outcome, and tells if the guard alarms. A bad outcome is a unit if it has a share.
    pub(crate) fn count(&mut self, share: Option<Share>, is_candidate: bool, is_bad: bool) -> bool {
        self.outcomes += u32::from(is_candidate);
        self.bad += u32::from(is_candidate && is_bad);
        let Some(share) = share.filter(|_| is_bad) else { return false };
        self.starts.add(share, is_candidate);
        // Evidence grows only with a bad unit of the candidate.
        let rate = f64::from(self.bad) / f64::from(self.outcomes);
        is_candidate && Guard::default().alarms(&self.starts, rate, self.budget)
    }
}
