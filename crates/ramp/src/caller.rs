//! The bad units of one caller with a version key.
//!
//! A caller counts at most once a step, and no more once it was bad as the candidate's. So a
//! caller that always fails, or one with most of the traffic, counts like any other.

use crate::share::Share;

/// The last bad unit of a caller in a ramp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastBad {
    /// The caller had no bad unit.
    #[default]
    Never,
    /// Stable's answer was bad at the step with this weight, in thousandths of a percent.
    Stable(u32),
    /// The candidate's answer was bad.
    Candidate,
}

impl LastBad {
    /// Returns the planned share of the caller's next bad unit at the step with this weight, and
    /// `None` if that unit does not count.
    pub fn share(self, weight: u32) -> Option<Share> {
        match self {
            Self::Never => Share::of_step(weight),
            Self::Stable(earlier) => Share::of_step_after_stable(weight, earlier),
            Self::Candidate => None,
        }
    }

    /// Returns the state after a bad unit that counted at the step with this weight.
    #[must_use]
    pub fn after(weight: u32, is_candidate: bool) -> Self {
        if is_candidate { Self::Candidate } else { Self::Stable(weight) }
    }
}
