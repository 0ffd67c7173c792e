//! The comparison of two versions from their answers and times. Pure.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bound::{is_above, is_below};
use crate::percent::Percent;

/// The limits up to which a release continues.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// The share of answers that fail, as a fraction of 1.
    pub error_rate: f64,
    /// The time of the new version divided by the time of the old one.
    pub slowdown: f64,
}

/// A shorter delay is not noticeable.
const NOTICEABLE: Duration = Duration::from_millis(5);

/// The fraction of requests that reach a location with the previous step.
const LATE: f64 = 0.01;

/// A problem that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check.
    pub check: &'static str,
    /// A description of the problem.
    pub what: String,
}

impl Finding {
    /// Creates a finding of a check.
    pub fn new(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.what)
    }
}

/// The number of answers and the number of failed ones.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    asked: u64,
    failed: u64,
    /// The last failure.
    last: Option<String>,
}

impl Tally {
    /// Counts an answer; `failure` is the reason if it failed.
    pub fn add(&mut self, failure: Option<String>) {
        self.asked += 1;
        if failure.is_some() {
            self.failed += 1;
            self.last = failure;
        }
    }

    fn judge(&self, whose: &str, limits: Thresholds) -> Option<Finding> {
        let Self { asked, failed, last } = self;
        let last = last.as_deref().unwrap_or_default();
        is_above(*failed, *asked, limits.error_rate).then(|| {
            Finding::new("errors", format!("{failed} of {asked} answers of {whose} failed: {last}"))
        })
    }

    fn value(&self) -> Value {
        json!({ "asked": self.asked, "failed": self.failed })
    }
}

/// The number of answers of each version to callers that asked for no version.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered {
    /// Answers of the new version.
    pub new: u64,
    /// Answers of the old version.
    pub old: u64,
}

/// The observations while the new version had one share of the traffic.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Answers of the new version, requested by an override.
    pub new: Tally,
    /// Answers of the old version, requested by an override.
    pub old: Tally,
    /// Answers to callers that asked for no version.
    pub callers: Tally,
    /// The versions that gave these answers.
    pub answered: Answered,
    /// The times of the new and the old version for the same request at the same time.
    pub times: Vec<(Duration, Duration)>,
    /// Answers in which the versions differ.
    pub different: Vec<Finding>,
}

impl Observed {
    /// Returns the findings that more answers would not remove.
    pub fn at_once(&self, limits: Thresholds) -> Vec<Finding> {
        let errors = [
            self.new.judge("the new version", limits),
            self.old.judge("the old version", limits),
            self.callers.judge("either version, without an override,", limits),
        ];
        self.different.iter().cloned().chain(errors.into_iter().flatten()).collect()
    }

    /// Returns a finding if the new version is slower than the limit in significantly more than
    /// half of the pairs of answers.
    pub fn slow(&self, limits: Thresholds) -> Option<Finding> {
        let slower = |(new, old): &&(Duration, Duration)| {
            *new > old.mul_f64(limits.slowdown) && *new > *old + NOTICEABLE
        };
        let (slow, all) = (self.times.iter().filter(slower).count(), self.times.len());
        is_above(slow as u64, all as u64, 0.5).then(|| {
            let (new, old) = self.medians();
            let (new, old) = (new.as_secs_f64() * 1e3, old.as_secs_f64() * 1e3);
            let limit = limits.slowdown;
            Finding::new(
                "latency",
                format!("the new version takes {new:.1} ms, the old one {old:.1} ms: over {limit} times as long in {slow} of {all} pairs"),
            )
        })
    }

    /// Returns a finding if too many or too few callers got the new version. A location may
    /// still have the step `before`.
    pub fn off_share(&self, at: Percent, before: Percent) -> Option<(OffShare, Finding)> {
        let Answered { new, old } = self.answered;
        let all = new + old;
        let least = at.fraction() - LATE * (at.fraction() - before.fraction());
        let off = match () {
            () if is_above(new, all, at.fraction()) => OffShare::Above,
            () if is_below(new, all, least) => OffShare::Below,
            () => return None,
        };
        let what = format!("the new version answered {new} of {all} callers, and should {at} %");
        Some((off, Finding::new("share", what)))
    }

    fn medians(&self) -> (Duration, Duration) {
        let median = |mut times: Vec<Duration>| {
            times.sort_unstable();
            times.get(times.len() / 2).copied().unwrap_or_default()
        };
        let (new, old) = self.times.iter().copied().unzip();
        (median(new), median(old))
    }

    /// Returns the median time of the new version divided by that of the old version.
    fn ratio(&self) -> Option<f64> {
        let (new, old) = self.medians();
        (!old.is_zero()).then(|| new.as_secs_f64() / old.as_secs_f64())
    }

    /// Returns the observations as JSON.
    pub fn value(&self) -> Value {
        let (new, old) = self.medians();
        json!({
            "new": self.new.value(),
            "old": self.old.value(),
            "callers": self.callers.value(),
            "answered": { "new": self.answered.new, "old": self.answered.old },
            "latency": { "new": new.as_secs_f64(), "old": old.as_secs_f64(), "ratio": self.ratio() },
        })
    }
}

/// The direction in which a share is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffShare {
    /// The new version got too many callers.
    Above,
    /// The new version got too few callers. This also happens while a deployment spreads.
    Below,
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answered { new, old } = self.answered;
        let tallies = [&self.new, &self.old, &self.callers];
        let asked: u64 = tallies.iter().map(|tally| tally.asked).sum();
        let failed: u64 = tallies.iter().map(|tally| tally.failed).sum();
        write!(f, "{asked} answers, {failed} failed, {new} of {} by the new version", new + old)?;
        self.ratio().map_or(Ok(()), |ratio| write!(f, ", latency × {ratio:.2}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Thresholds = Thresholds { error_rate: 0.001, slowdown: 1.5 };

    fn tally(asked: u64, failed: u64) -> Tally {
        Tally { asked, failed, last: Some("status 500".to_owned()) }
    }

    #[test]
    fn errors_of_both_versions_are_judged() {
        for (new, old, callers, whose) in [
            ((100, 0), (100, 0), (200, 0), None),
            ((100, 3), (100, 3), (200, 3), None),
            (
                (100, 4),
                (100, 0),
                (200, 0),
                Some("4 of 100 answers of the new version failed: status 500"),
            ),
            (
                (100, 0),
                (20, 3),
                (200, 0),
                Some("3 of 20 answers of the old version failed: status 500"),
            ),
            (
                (100, 0),
                (100, 0),
                (200, 9),
                Some("9 of 200 answers of either version, without an override, failed: status 500"),
            ),
        ] {
            let observed = Observed {
                new: tally(new.0, new.1),
                old: tally(old.0, old.1),
                callers: tally(callers.0, callers.1),
                ..Observed::default()
            };
            let found = observed.at_once(LIMITS);
            assert_eq!(found.first().map(|finding| &*finding.what), whose);
        }
    }

    #[test]
    fn slow_reports_only_noticeable_differences() {
        for (new, old, pairs, slow) in [
            (20, 20, 100, false),
            (29, 20, 100, false),
            (31, 20, 100, true),
            (31, 20, 10, false),
            // Twice as long, but not noticeable.
            (4, 2, 100, false),
            (10, 100, 100, false),
        ] {
            let pair = (Duration::from_millis(new), Duration::from_millis(old));
            let observed = Observed { times: vec![pair; pairs], ..Observed::default() };
            assert_eq!(observed.slow(LIMITS).is_some(), slow, "{new} {old} {pairs}");
        }
    }

    #[test]
    fn off_share_allows_for_late_locations() {
        for (new, all, at, before, off) in [
            (0, 200, "0", "0", None),
            (1, 200, "0", "0", Some(OffShare::Above)),
            (2, 200, "1", "0", None),
            (12, 120, "10", "1", None),
            (0, 120, "10", "1", Some(OffShare::Below)),
            (50, 120, "10", "1", Some(OffShare::Above)),
            (200, 200, "100", "50", None),
            // One or two late locations are normal; half of them are too many.
            (196, 200, "100", "50", None),
            (150, 200, "100", "50", Some(OffShare::Below)),
        ] {
            let answered = Answered { new, old: all - new };
            let observed = Observed { answered, ..Observed::default() };
            let found = observed.off_share(at.parse().unwrap(), before.parse().unwrap());
            assert_eq!(found.map(|(off, _)| off), off, "{new} of {all} at {at}");
        }
    }
}
