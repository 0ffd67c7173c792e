//! Callers with a version key: they keep their arm while the candidate's share grows.

use ramp::caller::LastBad;
use ramp::counts::Tally;
use ramp::guard::{Budget, Guard};
use ramp::starts::Starts;

/// A caller: its place among all callers, from 0 to 1, and its rate of bad outcomes in both arms.
pub(crate) struct Caller {
    pub(crate) place: f64,
    pub(crate) rate: f64,
    /// How many requests it sends for each one of an ordinary caller.
    pub(crate) traffic: u32,
    last_bad: LastBad,
    bad_at: Option<u32>,
}

impl Caller {
    pub(crate) fn new(random: &mut fastrand::Rng, rate: f64, traffic: u32) -> Self {
        let place = random.f64();
        Self { place, rate, traffic, last_bad: LastBad::Never, bad_at: None }
    }

    /// Tells if the caller gets the candidate at the step with this weight.
    pub(crate) fn is_candidate(&self, weight: u32) -> bool {
        self.place * 100_000.0 < f64::from(weight)
    }
}

/// A ramp with one guard.
pub(crate) struct Keyed {
    starts: Starts,
    outcomes: Tally,
    budget: Budget,
}

impl Keyed {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { starts: Starts::default(), outcomes: Tally::default(), budget }
    }

    pub(crate) fn start(&mut self) {
        self.starts.start();
    }

    /// Counts an outcome of a caller that was served at the step with this weight, and tells if
    /// the guard alarms.
    pub(crate) fn count(&mut self, caller: &mut Caller, weight: u32, is_bad: bool) -> bool {
        let is_candidate = caller.is_candidate(weight);
        if is_candidate {
            self.outcomes.add(is_bad);
        }
        if !is_bad || caller.bad_at == Some(weight) {
            return false;
        }
        let Some(share) = caller.last_bad.share(weight) else { return false };
        caller.bad_at = Some(weight);
        caller.last_bad = LastBad::after(weight, is_candidate);
        self.starts.add(share, is_candidate);
        is_candidate && Guard::default().alarms(&self.starts, self.outcomes, self.budget)
    }
}
