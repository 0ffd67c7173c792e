//! The planned-share test: are bad units the candidate's more often than its share explains?
//!
//! The arm of a unit is an independent draw with a known probability `h`. If the candidate's
//! units are bad `ω` times as often as stable's, a bad unit is the candidate's with the
//! probability `h·ω / (1 + h·(ω − 1))`. So over the bad units, with `c` of `n` the candidate's,
//!
//! ```text
//! S(ω) = Σ_h [ c_h · ln ω − n_h · ln(1 + h·(ω − 1)) ]
//! E    = mean over 24 log-spaced ω in [1.1·ω0, 64·ω0] of exp(S(ω) − S(ω0))
//! ```
//!
//! For every true ratio of at most `ω0`, `E` is a test supermartingale: the probability that it
//! ever reaches `b` is at most `1/b` (Ville's inequality), however often it is looked at.
//!
//! Sources: Lindon, Malek, `NeurIPS` 2022, arXiv:2011.03567 (planned shares); ter Schure et al.,
//! arXiv:2011.06931.

use crate::counts::Counts;
use crate::grid::{log_mean_exp, log_spaced};

/// The number of alternatives that the evidence is averaged over.
const ALTERNATIVES: u32 = 24;

/// The nearest and the farthest alternative of a guard, as multiples of the tolerated ratio.
const OF_GUARD: (f64, f64) = (1.1, 64.0);

/// The nearest and the farthest alternative of a goal, as multiples of 1.
const OF_GOAL: (f64, f64) = (1.02, 4.0);

/// The side on which the alternatives are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The candidate's units are bad more often than tolerated.
    More,
    /// The candidate's units are bad less often than the ratio says.
    Less,
}

/// Returns `ln E`, the evidence that the ratio of bad shares, candidate to stable, is above
/// (`More`) or below (`Less`) the ratio `tolerate`.
///
/// 0 means that nothing is known. `tolerate` has to be positive and finite.
pub fn log_evidence(bad: &Counts, tolerate: f64, side: Side) -> f64 {
    log_mixture(bad, tolerate, OF_GUARD, side)
}

/// Returns `ln E` of the two-sided test for a goal: the evidence that an arm's units reach it
/// more often (`More`) or less often (`Less`) than the other's.
///
/// The probability that one of the two sides ever reaches `2/α` is at most `α` if the arms are
/// equal.
pub fn log_goal_evidence(converted: &Counts, side: Side) -> f64 {
    log_mixture(converted, 1.0, OF_GOAL, side)
}

/// Returns the logarithm of the mean likelihood ratio of log-spaced alternatives to `null`.
fn log_mixture(counts: &Counts, null: f64, (nearest, farthest): (f64, f64), side: Side) -> f64 {
    let under_null = log_likelihood(counts, null);
    let logs: Vec<f64> = log_spaced(nearest, farthest, ALTERNATIVES)
        .map(|factor| match side {
            Side::More => null * factor,
            Side::Less => null / factor,
        })
        .map(|ratio| log_likelihood(counts, ratio) - under_null)
        .collect();
    log_mean_exp(&logs)
}

/// Returns `S(ω)`: the logarithm of the likelihood of the draws at the ratio `ω`, up to a constant.
pub(crate) fn log_likelihood(counts: &Counts, ratio: f64) -> f64 {
    let log_ratio = ratio.ln();
    let terms = counts.tallies().map(|(share, tally)| {
        let mixed = (share.value() * (ratio - 1.0)).ln_1p();
        tally.candidate as f64 * log_ratio - tally.all as f64 * mixed
    });
    terms.sum()
}
