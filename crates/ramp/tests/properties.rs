//! Properties of the statistics: exact expectations, bounds and edges.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::float_cmp)]

use proptest::prelude::*;
use ramp::caller::LastBad;
use ramp::counts::{Counts, Tally};
use ramp::evidence::{Side, log_evidence, log_goal_evidence};
use ramp::interval::{interval, most_likely};
use ramp::means::{Sample, Stratum, difference};
use ramp::mismatch;
use ramp::share::Share;
use ramp::starts::Starts;

const STEPS: [u32; 5] = [1, 1_000, 5_000, 25_000, 50_000];

fn counts(groups: &[(u32, u64, u64)]) -> Counts {
    let mut counts = Counts::default();
    for &(weight, candidate, stable) in groups {
        let tally = Tally { candidate, all: candidate + stable };
        counts.add_tally(Share::of_step(weight).unwrap(), tally);
    }
    counts
}

/// Returns the factor by which a bad unit multiplies the likelihood ratio of `ratio` to 1.
fn factor(share: Share, is_candidate: bool, ratio: f64) -> f64 {
    (if is_candidate { ratio } else { 1.0 }) / (1.0 + share.value() * (ratio - 1.0))
}

/// Returns the expected likelihood ratio of a caller whose place among all callers is known to
/// be above `above` (as a weight), over the steps from `steps` on. It is bad once at each step
/// that `is_bad` names.
fn expected(steps: &[u32], is_bad: &[bool], last: LastBad, above: u32, ratio: f64) -> f64 {
    let (Some((weight, later)), Some((bad, later_bad))) =
        (steps.split_first(), is_bad.split_first())
    else {
        return 1.0;
    };
    let Some(share) = last.share(*weight).filter(|_| *bad) else {
        return expected(later, later_bad, last, above, ratio);
    };
    // The probability that the place is below this step's weight, given that it is above
    // `above`: computed from the places, apart from the crate's shares.
    let probability = f64::from(weight - above) / f64::from(100_000 - above);
    let after = |is_candidate| LastBad::after(*weight, is_candidate);
    let of_candidate = expected(later, later_bad, after(true), above, ratio);
    let of_stable = expected(later, later_bad, after(false), *weight, ratio);
    probability * factor(share, true, ratio) * of_candidate
        + (1.0 - probability) * factor(share, false, ratio) * of_stable
}

proptest! {
    /// Whatever the steps at which a caller is bad, it multiplies the evidence by 1 on average.
    #[test]
    fn one_caller_changes_no_evidence_on_average(
        is_bad in prop::array::uniform5(any::<bool>()),
        ratio in 0.1..100.0,
    ) {
        let found = expected(&STEPS, &is_bad, LastBad::Never, 0, ratio);
        prop_assert!((found - 1.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn every_result_is_a_number(
        weight in prop::sample::select(vec![1_u32, 1_000, 50_000, 99_999]),
        candidate in prop::sample::select(vec![0_u64, 1, 7, 1_000_000_000]),
        stable in prop::sample::select(vec![0_u64, 1, 7, 1_000_000_000]),
        tolerate in 0.01..100.0,
    ) {
        let counts = counts(&[(weight, candidate, stable)]);
        prop_assert!(!log_evidence(&counts, tolerate, Side::More).is_nan());
        prop_assert!(!log_evidence(&counts, tolerate, Side::Less).is_nan());
        prop_assert!(log_goal_evidence(&counts, Side::More).is_finite());
        prop_assert!(log_goal_evidence(&counts, Side::Less).is_finite());
        prop_assert!(mismatch::log_evidence(&counts).is_finite());
        prop_assert!(most_likely(&counts) > 0.0);
        let Interval { low, high } = interval(&counts, 0.05);
        prop_assert!(low.unwrap_or(0.0) <= high.unwrap_or(f64::INFINITY));
    }

    #[test]
    fn a_bad_unit_of_the_candidate_raises_the_evidence_and_one_of_stable_lowers_it(
        weight in prop::sample::select(STEPS.to_vec()),
        candidate in 0_u64..200,
        stable in 0_u64..200,
    ) {
        let at = |candidate, stable| {
            log_evidence(&counts(&[(weight, candidate, stable)]), 1.25, Side::More)
        };
        prop_assert!(at(candidate + 1, stable) > at(candidate, stable));
        prop_assert!(at(candidate, stable + 1) < at(candidate, stable));
    }

    /// The test of a goal has no preferred arm: with equal shares, it says of the one what it says
    /// of the other with the roles exchanged.
    #[test]
    fn a_goal_is_tested_alike_for_both_arms(candidate in 0_u64..200, stable in 0_u64..200) {
        let at = |candidate, stable, side| {
            log_goal_evidence(&counts(&[(50_000, candidate, stable)]), side)
        };
        let (more, less) = (at(candidate, stable, Side::More), at(stable, candidate, Side::Less));
        prop_assert!((more - less).abs() < 1e-9, "{more} {less}");
    }

    #[test]
    fn evidence_falls_while_more_is_tolerated(
        candidate in 0_u64..100,
        stable in 0_u64..100,
        tolerate in 0.5..5.0,
    ) {
        let counts = counts(&[(10_000, candidate, stable)]);
        let at = |tolerate| log_evidence(&counts, tolerate, Side::More);
        prop_assert!(at(tolerate * 1.1) <= at(tolerate) + 1e-9);
    }

    #[test]
    fn an_interval_contains_the_most_likely_ratio(
        groups in prop::collection::vec((prop::sample::select(STEPS.to_vec()), 0_u64..50, 0_u64..500), 1..4),
        alpha in 0.001..0.5,
    ) {
        let counts = counts(&groups);
        let Interval { low, high } = interval(&counts, alpha);
        let likely = most_likely(&counts);
        prop_assert!(low.is_none_or(|low| low <= likely * 1.001), "{low:?} {likely}");
        prop_assert!(high.is_none_or(|high| high >= likely * 0.999), "{high:?} {likely}");
    }

    #[test]
    fn counts_since_a_start_are_those_that_were_added(
        before in prop::collection::vec((prop::sample::select(STEPS.to_vec()), any::<bool>()), 0..30),
        later in prop::collection::vec((prop::sample::select(STEPS.to_vec()), any::<bool>()), 0..30),
    ) {
        let (mut starts, mut alone) = (Starts::default(), Starts::default());
        alone.start();
        for (weight, is_candidate) in before {
            starts.add(Share::of_step(weight).unwrap(), is_candidate);
        }
        starts.start();
        for (weight, is_candidate) in later {
            starts.add(Share::of_step(weight).unwrap(), is_candidate);
            alone.add(Share::of_step(weight).unwrap(), is_candidate);
        }
        prop_assert_eq!(starts.counts(), alone.counts());
        prop_assert_eq!(starts.log_evidence(1.25), alone.log_evidence(1.25));
    }

    #[test]
    fn a_difference_is_a_number(
        values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 400),
        alpha in 0.001..0.5,
    ) {
        let mut stratum = Stratum::default();
        for (at, value) in values.iter().enumerate() {
            let sample = if at % 2 == 0 { &mut stratum.candidate } else { &mut stratum.stable };
            sample.add(value.clamp(-1e100, 1e100));
        }
        let found = difference(&[stratum], alpha).unwrap();
        prop_assert!(found.estimate.is_finite() && found.half_width.is_finite(), "{:?}", found);
    }
}

use ramp::interval::Interval;

#[test]
fn a_step_without_a_choice_has_no_share() {
    assert_eq!(Share::of_step(0), None);
    assert_eq!(Share::of_step(100_000), None);
    assert_eq!(Share::of_step_after_stable(1_000, 1_000), None);
    assert_eq!(Share::of_step_after_stable(1_000, 5_000), None);
    assert_eq!(Share::of_step_after_stable(100_000, 5_000), None);
}

#[test]
fn nothing_is_said_without_units() {
    let none = Counts::default();
    assert_eq!(log_evidence(&none, 1.25, Side::More), 0.0);
    assert_eq!(mismatch::log_evidence(&none), 0.0);
    assert_eq!(interval(&none, 0.05), Interval { low: None, high: None });
    assert_eq!(Starts::default().log_evidence(1.25), 0.0);
    assert_eq!(difference(&[Stratum::default()], 0.05), None);
}

#[test]
fn a_step_with_a_drifting_level_does_not_bias_a_difference() {
    // The level rises from 1 to 100 between two steps; in each step both arms have the same mean.
    let stratum = |level: f64, candidates: u32, stables: u32| {
        let sample = |count| {
            let mut sample = Sample::default();
            (0..count).for_each(|at| sample.add(level + f64::from(at % 2)));
            sample
        };
        Stratum { candidate: sample(candidates), stable: sample(stables) }
    };
    let found =
        difference(&[stratum(1.0, 100, 9_900), stratum(100.0, 5_000, 5_000)], 0.05).unwrap();
    assert!(found.estimate.abs() < 1e-9, "{found:?}");
}
