//! The mean of exponentials, computed from their logarithms.

/// Returns `count` numbers from `low` to `high` with equal ratios, ends included.
pub(crate) fn log_spaced(low: f64, high: f64, count: u32) -> impl Iterator<Item = f64> {
    let step = (high / low).ln() / f64::from(count.saturating_sub(1).max(1));
    (0..count).map(move |at| low * (step * f64::from(at)).exp())
}

/// Returns `ln Σ exp(x)`. It neither overflows nor loses small terms beside a large one.
pub(crate) fn log_sum_exp(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() {
        return largest;
    }
    largest + logs.iter().map(|log| (log - largest).exp()).sum::<f64>().ln()
}

/// Returns the logarithm of the mean of `exp(x)`.
pub(crate) fn log_mean_exp(logs: &[f64]) -> f64 {
    log_sum_exp(logs) - (logs.len() as f64).ln()
}
