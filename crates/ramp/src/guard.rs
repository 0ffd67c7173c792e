//! A guard: the evidence and the rate from which the candidate goes back.

use crate::starts::Starts;

/// A deciding guard of a ramp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guard {
    /// The ratio of bad shares, candidate to stable, that is tolerated.
    pub tolerate: f64,
    /// The least rate of bad outcomes of the candidate that matters, from 0 to 1.
    pub floor: f64,
}

impl Default for Guard {
    fn default() -> Self {
        Self { tolerate: 1.25, floor: 0.005 }
    }
}

/// The error budget of a ramp: the probability of a false alarm that all deciding guards have
/// together. It is frozen when the ramp starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// The number of deciding guards.
    pub guards: u32,
    /// The probability of a false alarm, from 0 to 1.
    pub false_alarms: f64,
}

impl Budget {
    /// Returns the `ln E` from which a guard alarms: `ln (guards / false alarms)`.
    pub fn log_threshold(self) -> f64 {
        (f64::from(self.guards.max(1)) / self.false_alarms).ln()
    }
}

impl Guard {
    /// Tells if the candidate has to go back. `rate` is the share of the candidate's outcomes that
    /// are bad, from 0 to 1.
    pub fn alarms(self, bad: &Starts, rate: f64, budget: Budget) -> bool {
        rate >= self.floor && bad.log_evidence(self.tolerate) >= budget.log_threshold()
    }
}
