//! Planned shares: the probability that a unit is the candidate's.

/// The whole traffic of a slot, in thousandths of a percent, as in a slot record.
pub const FULL_WEIGHT: u32 = 100_000;

/// The probability that a unit is the candidate's, as an exact fraction strictly between 0 and 1.
///
/// A step without a choice (0 % or 100 %) has no share: nothing can be learned from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    part: u32,
    whole: u32,
}

impl Share {
    /// Returns the share of a step whose candidate has this weight, in thousandths of a percent.
    ///
    /// Returns `None` if all or none of the callers get the candidate.
    pub fn of_step(weight: u32) -> Option<Self> {
        Self::new(weight, FULL_WEIGHT)
    }

    /// Returns the share of a caller whose last bad unit was stable's, at a step with the weight
    /// `earlier`: `(θ_s − θ_r) / (1 − θ_r)`.
    ///
    /// A caller stays with the candidate while its share grows. So a caller that had stable at
    /// `earlier` is in the candidate's part of the traffic now only if it is in what was added.
    /// Returns `None` if nothing was added, or if no choice is left.
    pub fn of_step_after_stable(weight: u32, earlier: u32) -> Option<Self> {
        Self::new(weight.checked_sub(earlier)?, FULL_WEIGHT.checked_sub(earlier)?)
    }

    fn new(part: u32, whole: u32) -> Option<Self> {
        (part > 0 && part < whole).then_some(Self { part, whole })
    }

    /// Returns the share as a number strictly between 0 and 1.
    pub fn value(self) -> f64 {
        f64::from(self.part) / f64::from(self.whole)
    }
}
