//! A guard: the evidence and the rate from which the candidate goes back.

use crate::counts::Tally;
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
    /// Tells if the candidate has to go back. `candidate` has the bad outcomes of the candidate
    /// (`candidate`) and all of its outcomes (`all`), as a caller would count them.
    pub fn alarms(self, bad: &Starts, candidate: Tally, budget: Budget) -> bool {
        rate(candidate) >= self.floor && bad.log_evidence(self.tolerate) >= budget.log_threshold()
    }
}

fn rate(tally: Tally) -> f64 {
    if tally.all == 0 { 0.0 } else { tally.candidate as f64 / tally.all as f64 }
}
