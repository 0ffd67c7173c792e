//! Differences of means: latency, cost, tokens, score. They are shown as approximate and decide
//! nothing.
//!
//! The interval is an asymptotic confidence sequence (Waudby-Smith et al., arXiv:2103.06476,
//! equation 9): it may be looked at any time, for large samples. It is tuned for 5,000 units: no
//! other tuning is narrower there.
//! Steps are strata: pooling over steps compares the traffic of different times, and is wrong
//! whenever the level drifts.

/// The number of units that the interval is tuned for.
const TUNED_FOR: f64 = 5_000.0;

/// The units of each arm from which a difference is shown.
pub const LEAST: u64 = 100;

/// The first values of callers in one arm at one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    count: u64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

impl Sample {
    /// Restores a sample from its count, mean and sum of squared distances from the mean.
    pub fn restore(count: u64, mean: f64, squares: f64) -> Self {
        Self { count, mean, squares }
    }

    /// Adds a value (Welford's algorithm, which does not cancel). Values that are not finite are
    /// left out.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.count = self.count.saturating_add(1);
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    /// Returns the number of values.
    pub fn count(self) -> u64 {
        self.count
    }

    /// Returns the mean.
    pub fn mean(self) -> f64 {
        self.mean
    }

    /// Returns the sum of squared distances from the mean.
    pub fn squares(self) -> f64 {
        self.squares
    }

    /// Returns the variance of the mean; unknown with fewer than two values.
    fn variance_of_mean(self) -> Option<f64> {
        let count = self.count as f64;
        (self.count > 1).then(|| self.squares / (count - 1.0) / count)
    }
}

/// The samples of both arms at one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stratum {
    /// The candidate's values.
    pub candidate: Sample,
    /// Stable's values.
    pub stable: Sample,
}

/// A difference of means, candidate minus stable, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The estimate.
    pub estimate: f64,
    /// The interval is `estimate ± half_width`.
    pub half_width: f64,
}

/// Returns the difference over all steps, with an error probability of about `alpha` at any look.
///
/// `d = Σ (N_s/N)·d_s` and `V = Σ (N_s/N)²·V_s`. Steps in which an arm has fewer than two values
/// are left out. Returns `None` until each arm has [`LEAST`] values.
pub fn difference(strata: &[Stratum], alpha: f64) -> Option<Difference> {
    let usable = || strata.iter().filter_map(|stratum| Some((stratum, variance(stratum)?)));
    let candidate: u64 = usable().map(|(stratum, _)| stratum.candidate.count).sum();
    let stable: u64 = usable().map(|(stratum, _)| stratum.stable.count).sum();
    if candidate < LEAST || stable < LEAST {
        return None;
    }
    let total = (candidate + stable) as f64;
    let weight =
        |stratum: &Stratum| (stratum.candidate.count + stratum.stable.count) as f64 / total;
    let estimate = usable()
        .map(|(stratum, _)| weight(stratum) * (stratum.candidate.mean - stratum.stable.mean))
        .sum();
    let variance: f64 = usable().map(|(stratum, v)| weight(stratum).powi(2) * v).sum();
    Some(Difference { estimate, half_width: half_width(variance * total, total, alpha) })
}

fn variance(stratum: &Stratum) -> Option<f64> {
    Some(stratum.candidate.variance_of_mean()? + stratum.stable.variance_of_mean()?)
}

/// Returns the half width for a variance per unit and a number of units (equation 9, with the
/// tuning of equation 161).
fn half_width(variance: f64, count: f64, alpha: f64) -> f64 {
    let spent = -2.0 * alpha.ln();
    let tuning = (spent + (spent + 1.0).ln()) / TUNED_FOR;
    let grown = count * tuning + 1.0;
    (variance * 2.0 * grown * (grown.sqrt() / alpha).ln() / (count * count * tuning)).sqrt()
}
