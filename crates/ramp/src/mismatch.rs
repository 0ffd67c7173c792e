//! The share check (sample-ratio mismatch): did the candidate get the share that was planned?
//!
//! ```text
//! e = B(kθ + x) / B(kθ) · Π θ_i^(−x_i),   k = 100
//! ```
//!
//! `x` has the numbers of units of both arms, `θ` their planned shares, `B` is the beta function.
//! If the shares are as planned, `e` reaches 1,000 with a probability of at most 1 in 1,000, at
//! any look (Lindon, Malek, `NeurIPS` 2022, arXiv:2011.03567). It is computed for one share at a
//! time; over shares, the logarithms add up.

use crate::counts::{Counts, Tally};
use crate::share::Share;

/// The weight of the prior: that of 100 units.
const PRIOR: f64 = 100.0;

/// The `ln e` from which the shares are not the planned ones: `ln 1000`.
pub const ALARM: f64 = 6.907_755_278_982_137;

/// Returns `ln e` over all shares.
pub fn log_evidence(units: &Counts) -> f64 {
    units.tallies().map(|(share, tally)| log_evidence_of(share, tally)).sum()
}

fn log_evidence_of(share: Share, tally: Tally) -> f64 {
    let theta = share.value();
    let (candidate, stable) = (tally.candidate as f64, (tally.all - tally.candidate) as f64);
    let (prior_candidate, prior_stable) = (PRIOR * theta, PRIOR * (1.0 - theta));
    log_beta(prior_candidate + candidate, prior_stable + stable)
        - log_beta(prior_candidate, prior_stable)
        - candidate * theta.ln()
        - stable * (-theta).ln_1p()
}

/// Returns the logarithm of the beta function.
fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}
