//! The results of scipy, `gbstats` (`GrowthBook`) and savvi (`tests/vectors/oracle.py`).

// A test fails by a panic.
#![allow(clippy::unwrap_used)]

use ramp::counts::{Counts, Tally};
use ramp::evidence::{Side, log_evidence};
use ramp::means::{Sample, Stratum, difference};
use ramp::mismatch;
use ramp::share::Share;
use serde::Deserialize;

#[track_caller]
fn assert_near(found: f64, expected: f64, precision: f64) {
    let bound = precision * expected.abs().max(1.0);
    assert!((found - expected).abs() <= bound, "{found} is not {expected}");
}

fn counts(groups: &[(u32, u64, u64)]) -> Counts {
    let mut counts = Counts::default();
    for &(weight, candidate, all) in groups {
        counts.add_tally(Share::of_step(weight).unwrap(), Tally { candidate, all });
    }
    counts
}

#[derive(Deserialize)]
struct Planned {
    groups: Vec<(u32, u64, u64)>,
    tolerate: f64,
    ln_e: f64,
}

#[test]
fn planned_share_test_agrees_with_scipy() {
    let vectors: Vec<Planned> = serde_json::from_str(include_str!("vectors/planned.json")).unwrap();
    for Planned { groups, tolerate, ln_e } in vectors {
        assert_near(log_evidence(&counts(&groups), tolerate, Side::More), ln_e, 1e-9);
    }
}

#[derive(Deserialize)]
struct Mismatch {
    weight: u32,
    candidate: u64,
    stable: u64,
    ln_e: f64,
}

#[test]
fn share_check_agrees_with_savvi() {
    let vectors: Vec<Mismatch> =
        serde_json::from_str(include_str!("vectors/mismatch.json")).unwrap();
    for Mismatch { weight, candidate, stable, ln_e } in vectors {
        let units = counts(&[(weight, candidate, candidate + stable)]);
        assert_near(mismatch::log_evidence(&units), ln_e, 1e-9);
    }
}

/// Count, mean and standard deviation.
type Summary = (u64, f64, f64);

#[derive(Deserialize)]
struct Means {
    candidate: Summary,
    stable: Summary,
    alpha: f64,
    estimate: f64,
    half_width: f64,
}

fn sample((count, mean, deviation): Summary) -> Sample {
    Sample::restore(count, mean, (count - 1) as f64 * deviation * deviation)
}

#[test]
fn difference_of_means_agrees_with_gbstats() {
    let vectors: Vec<Means> = serde_json::from_str(include_str!("vectors/means.json")).unwrap();
    for vector in vectors {
        let (candidate, stable) = (sample(vector.candidate), sample(vector.stable));
        let found = difference(&[Stratum { candidate, stable }], vector.alpha).unwrap();
        assert_near(found.estimate, vector.estimate, 1e-12);
        assert_near(found.half_width, vector.half_width, 1e-12);
    }
}
