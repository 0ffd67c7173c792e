//! A test that tells if a count differs from the expected count by more than chance.
//!
//! Of `n` independent trials with the probability `p`, at least (for `k/n > p`; or at
//! most, for `k/n < p`) `k` hits have at most the probability `exp(-n · D(k/n ‖ p))`,
//! with `D(a ‖ b) = a ln(a/b) + (1-a) ln((1-a)/(1-b))`. That is the bound of Chernoff
//! and Hoeffding: W. Hoeffding, "Probability inequalities for sums of bounded random
//! variables", Journal of the American Statistical Association 58 (1963), theorem 1.
//! It holds for every `n` and `p`, also where a normal distribution is far off.

/// The accepted probability per test that chance looks like a fault.
const CHANCE: f64 = 1e-4;

/// Tells if `hits` of `trials` are more than a probability of at most `p` explains.
pub fn is_above(hits: u64, trials: u64, p: f64) -> bool {
    trials > 0 && hits as f64 > p * trials as f64 && is_surprising(hits, trials, p)
}

/// Tells if `hits` of `trials` are fewer than a probability of at least `p` explains.
pub fn is_below(hits: u64, trials: u64, p: f64) -> bool {
    trials > 0 && (hits as f64) < p * trials as f64 && is_surprising(hits, trials, p)
}

fn is_surprising(hits: u64, trials: u64, p: f64) -> bool {
    let found = hits as f64 / trials as f64;
    trials as f64 * divergence(found, p) > -CHANCE.ln()
}

/// Returns `D(a ‖ b)` in nats. It is infinite if `b` excludes an outcome that `a` has.
fn divergence(a: f64, b: f64) -> f64 {
    let term = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
    term(a, b) + term(1.0 - a, 1.0 - b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_separate_chance_from_faults() {
        for (hits, trials, p, above, below) in [
            (0, 0, 0.5, false, false),
            (10, 100, 0.1, false, false),
            // A single hit with the probability 0 is a fault.
            (1, 100, 0.0, true, false),
            (99, 100, 1.0, false, true),
            (0, 100, 0.0, false, false),
            (100, 100, 1.0, false, false),
            // Errors with a limit of 0.1 %: three of a hundred may be network errors.
            (3, 100, 0.001, false, false),
            (4, 100, 0.001, true, false),
            (2, 20, 0.001, false, false),
            (3, 20, 0.001, true, false),
            // A tenth of the traffic: 0 of 80 is too rare, 30 of 100 is too often.
            (0, 80, 0.1, false, false),
            (0, 90, 0.1, false, true),
            (24, 100, 0.1, false, false),
            (30, 100, 0.1, true, false),
        ] {
            let found = (is_above(hits, trials, p), is_below(hits, trials, p));
            assert_eq!(found, (above, below), "{hits} of {trials} at {p}");
        }
    }

    /// Returns the probability of exactly this number of hits.
    fn binomial(hits: u64, trials: u64, p: f64) -> f64 {
        let ways = (0..hits).map(|i| ((trials - i) as f64 / (i + 1) as f64).ln()).sum::<f64>();
        (ways + hits as f64 * p.ln() + (trials - hits) as f64 * (1.0 - p).ln()).exp()
    }

    proptest! {
        /// Chance looks like a fault at most as often as `CHANCE` says.
        #[test]
        fn chance_is_rarely_reported_as_a_fault(trials in 1u64..400, p in 0.001f64..0.999) {
            let called = |rule: fn(u64, u64, f64) -> bool| -> f64 {
                (0..=trials).filter(|hits| rule(*hits, trials, p)).map(|hits| binomial(hits, trials, p)).sum()
            };
            prop_assert!(called(is_above) <= CHANCE);
            prop_assert!(called(is_below) <= CHANCE);
        }
    }
}
