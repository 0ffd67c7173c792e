//! The interval of the ratio of bad shares, candidate to stable.

use crate::counts::Counts;
use crate::evidence::{Side, log_evidence, log_likelihood};

/// The bounds of a ratio. A bound is `None` if the counts set none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The ratios below are excluded.
    pub low: Option<f64>,
    /// The ratios above are excluded.
    pub high: Option<f64>,
}

/// The ratios that are looked at, from one in a million to a million.
const EXTREME: f64 = 1e6;

/// The bisections halve the logarithm of this range until it is smaller than the resolution of
/// a number.
const HALVINGS: u32 = 64;

/// Returns the ratios that the bad units do not exclude, with an error probability of at most
/// `alpha` at any look.
///
/// Each side takes half of `alpha`: a ratio is excluded if the evidence against it reaches
/// `2/alpha`. The ratios that are left are connected and contain the most likely one, so a
/// bisection on each side finds the bounds.
pub fn interval(bad: &Counts, alpha: f64) -> Interval {
    let excluded = (2.0 / alpha).ln();
    let most_likely = most_likely(bad);
    let is_too_low = |ratio: f64| log_evidence(bad, ratio, Side::More) >= excluded;
    let is_too_high = |ratio: f64| log_evidence(bad, ratio, Side::Less) >= excluded;
    Interval {
        low: bound(EXTREME.recip(), most_likely, is_too_low),
        high: bound(EXTREME, most_likely, is_too_high),
    }
}

/// Returns the most likely ratio: the one at which the likelihood has its maximum. Without
/// bad units it is 1.
pub fn most_likely(bad: &Counts) -> f64 {
    // The likelihood is concave in the logarithm of the ratio, so its slope changes sign once.
    let rises = |log: f64| {
        let at = |log: f64| log_likelihood(bad, log.exp());
        at(log + 1e-4) > at(log - 1e-4)
    };
    if bad.total().all == 0 {
        return 1.0;
    }
    let (mut low, mut high) = (-EXTREME.ln(), EXTREME.ln());
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if rises(middle) { low = middle } else { high = middle }
    }
    low.exp()
}

/// Returns the ratio between `excluded` and `inside` at which `is_excluded` changes, or `None` if
/// even the extreme is not excluded.
fn bound(extreme: f64, inside: f64, is_excluded: impl Fn(f64) -> bool) -> Option<f64> {
    if !is_excluded(extreme) {
        return None;
    }
    let (mut outside, mut inside) = (extreme.ln(), inside.ln());
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(outside, inside);
        if is_excluded(middle.exp()) { outside = middle } else { inside = middle }
    }
    Some(outside.exp())
}
