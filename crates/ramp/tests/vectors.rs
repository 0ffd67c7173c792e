//! The vectors that were computed apart from this implementation.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::float_cmp)]

use ramp::counts::{Counts, Tally};
use ramp::evidence::{Side, log_evidence};
use ramp::interval::interval;
use ramp::mismatch;
use ramp::share::Share;
use ramp::starts::Starts;
use serde::Deserialize;

const VECTORS: &str = include_str!("vectors/design.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    planned: Vec<Planned>,
    restart: Vec<Restart>,
    share: Vec<ShareCheck>,
}

/// Planned share, bad units of the candidate, bad units of both arms.
type Group = (f64, u64, u64);

#[derive(Deserialize)]
struct Planned {
    groups_share_cand_all: Vec<Group>,
    tolerate: f64,
    #[serde(rename = "lnE")]
    log_evidence: f64,
}

#[derive(Deserialize)]
struct Restart {
    steps: Vec<Vec<Group>>,
    tolerate: f64,
    #[serde(rename = "lnE_from_each_start")]
    from_each_start: Vec<f64>,
    #[serde(rename = "lnE")]
    log_evidence: f64,
}

#[derive(Deserialize)]
struct ShareCheck {
    cand: u64,
    all: u64,
    share: f64,
    ln_e: f64,
}

fn vectors() -> Vectors {
    serde_json::from_str(VECTORS).unwrap()
}

/// Returns the share with this value; 4/99 is that of a caller whose stable was bad at 1 %.
fn share(value: f64) -> Share {
    let steps = [1_000, 5_000, 10_000, 25_000, 50_000, 100];
    let all = steps.into_iter().flat_map(|weight| {
        let later =
            steps.into_iter().map(move |earlier| Share::of_step_after_stable(weight, earlier));
        later.chain([Share::of_step(weight)]).flatten()
    });
    let mut all = all;
    all.find(|share| (share.value() - value).abs() < 1e-9).unwrap_or_else(|| panic!("{value}"))
}

fn counts(groups: &[Group]) -> Counts {
    let mut counts = Counts::default();
    for &(value, candidate, all) in groups {
        counts.add_tally(share(value), Tally { candidate, all });
    }
    counts
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{found} is not {expected}"
    );
}

#[test]
fn planned_share_test_reproduces_the_vectors() {
    for vector in vectors().planned {
        let counts = counts(&vector.groups_share_cand_all);
        assert_near(log_evidence(&counts, vector.tolerate, Side::More), vector.log_evidence);
    }
}

#[test]
fn evidence_from_each_start_reproduces_the_vectors() {
    for vector in vectors().restart {
        let mut now = Counts::default();
        let mut starts = Vec::new();
        for groups in &vector.steps {
            starts.push(now.clone());
            for &(value, candidate, all) in groups {
                now.add_tally(share(value), Tally { candidate, all });
            }
        }
        for (start, expected) in starts.iter().zip(&vector.from_each_start) {
            assert_near(log_evidence(&now.since(start), vector.tolerate, Side::More), *expected);
        }
        let evidence = Starts::restore(now, starts).log_evidence(vector.tolerate);
        assert_near(evidence, vector.log_evidence);
    }
}

#[test]
fn share_check_reproduces_the_vectors() {
    for vector in vectors().share {
        let tally = Tally { candidate: vector.cand, all: vector.all };
        let mut counts = Counts::default();
        counts.add_tally(share(vector.share), tally);
        assert_near(mismatch::log_evidence(&counts), vector.ln_e);
    }
}

#[test]
fn interval_reproduces_the_example_of_the_design() {
    let found = interval(&counts(&[(0.01, 6, 60)]), 0.05);
    assert!((found.low.unwrap() - 2.0260).abs() < 5e-5, "{found:?}");
    assert!((found.high.unwrap() - 35.5326).abs() < 5e-5, "{found:?}");
}
