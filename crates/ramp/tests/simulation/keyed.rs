//! Callers with a version key: they keep their arm while the candidate's share grows.

use super::guarded::Ramp;
use ramp::caller::LastBad;

/// A caller: its place among all callers, from 0 to 1, and its rate of bad outcomes in both arms.
pub(crate) struct Caller {
    pub(crate) place: f64,
    pub(crate) rate: f64,
    /// How many requests it sends for each one of an ordinary caller.
    pub(crate) traffic: u32,
    last_bad: LastBad,
}

impl Caller {
    pub(crate) fn new(random: &mut fastrand::Rng, rate: f64, traffic: u32) -> Self {
        Self { place: random.f64(), rate, traffic, last_bad: LastBad::Never }
    }

    /// Counts an outcome of the caller at the step with this weight, and tells if the guard alarms.
    pub(crate) fn report(&mut self, ramp: &mut Ramp, weight: u32, is_bad: bool) -> bool {
        let is_candidate = self.place * 100_000.0 < f64::from(weight);
        let share = self.last_bad.share(weight);
        if is_bad && share.is_some() {
            self.last_bad = LastBad::after(weight, is_candidate);
        }
        ramp.count(share, is_candidate, is_bad)
    }
}
