//! How soon a guard sees harm. The tables are those that operators read.

use super::guarded::Ramp;
use super::{FIVE_GUARDS, STEPS};
use ramp::counts::{Counts, Tally};
use ramp::evidence::{Side, log_evidence};
use ramp::share::Share;

const RUNS: u32 = 400;

/// The rates of bad outcomes of stable and of the candidate, in percent.
type Rates = (f64, f64);

/// The candidate's outcomes until the alarm, at the shares 1, 5, 25 and 50 %: the median and
/// nine of ten, of one test that starts with the step.
const UNTIL_ALARM: [(Rates, [(u32, u32); 4]); 5] = [
    ((0.0, 2.0), [(133, 281), (131, 241), (333, 534), (641, 915)]),
    ((0.0, 20.0), [(14, 27), (13, 26), (34, 49), (64, 86)]),
    ((1.0, 10.0), [(63, 138), (74, 159), (88, 187), (197, 352)]),
    ((2.0, 10.0), [(115, 234), (128, 248), (201, 357), (296, 578)]),
    ((2.0, 4.0), [(1970, 3890), (2073, 4051), (3127, 5949), (4913, 8880)]),
];

/// The candidate's outcomes a step, and the ramps in percent that go to 100 % unseen.
const UNSEEN: [(u32, [(Rates, f64); 4]); 3] = [
    (100, [((0.0, 2.0), 11.0), ((2.0, 6.0), 74.0), ((1.0, 3.0), 91.0), ((2.0, 4.0), 98.0)]),
    (300, [((0.0, 2.0), 0.0), ((2.0, 6.0), 10.0), ((1.0, 3.0), 51.0), ((2.0, 4.0), 90.0)]),
    (1000, [((0.0, 2.0), 0.0), ((2.0, 6.0), 0.0), ((1.0, 3.0), 0.0), ((2.0, 4.0), 27.0)]),
];

/// Draws an outcome: if it is the candidate's, and if it is bad.
fn draw(random: &mut fastrand::Rng, share: Share, (stable, candidate): Rates) -> (bool, bool) {
    let is_candidate = random.f64() < share.value();
    let rate = if is_candidate { candidate } else { stable };
    (is_candidate, random.f64() * 100.0 < rate)
}

/// Returns the candidate's outcomes until one test alarms that starts with the step.
fn until_alarm(random: &mut fastrand::Rng, weight: u32, rates: Rates) -> u32 {
    let share = Share::of_step(weight).unwrap();
    let (mut bad, mut outcomes) = (Counts::default(), 0);
    loop {
        let (is_candidate, is_bad) = draw(random, share, rates);
        outcomes += u32::from(is_candidate);
        if is_bad {
            bad.add(share, is_candidate);
            let evidence = log_evidence(&bad, 1.25, Side::More);
            if is_candidate && evidence >= FIVE_GUARDS.log_threshold() {
                return outcomes;
            }
        }
    }
}

/// Returns the runs that need at most this many outcomes, in percent.
fn within(runs: &[u32], outcomes: u32) -> f64 {
    let fewer = runs.iter().filter(|run| **run <= outcomes).count();
    100.0 * fewer as f64 / runs.len() as f64
}

#[test]
fn an_alarm_needs_the_outcomes_that_the_table_gives() {
    let mut random = fastrand::Rng::with_seed(1);
    for (rates, row) in UNTIL_ALARM {
        for (weight, (median, nine_of_ten)) in STEPS.into_iter().zip(row) {
            let run = |_| until_alarm(&mut random, weight, rates);
            let runs: Vec<u32> = (0..RUNS).map(run).collect();
            let (half, most) = (within(&runs, median), within(&runs, nine_of_ten));
            // The figures of the table are samples too.
            assert!((half - 50.0).abs() <= 15.0, "{rates:?} at {weight}: {half} % within {median}");
            assert!(
                (most - 90.0).abs() <= 7.0,
                "{rates:?} at {weight}: {most} % within {nine_of_ten}"
            );
        }
    }
}

/// Runs a ramp whose candidate is bad from the step with the number `from` on, and tells if no
/// guard alarms.
fn is_unseen(random: &mut fastrand::Rng, least: u32, from: usize, rates: Rates) -> bool {
    let mut ramp = Ramp::new(FIVE_GUARDS);
    STEPS.into_iter().enumerate().all(|(step, weight)| {
        let share = Share::of_step(weight).unwrap();
        let rates = if step < from { (rates.0, rates.0) } else { rates };
        ramp.start();
        let mut outcomes = 0;
        while outcomes < least {
            let (is_candidate, is_bad) = draw(random, share, rates);
            outcomes += u32::from(is_candidate);
            if ramp.count(Some(share), is_candidate, is_bad) {
                return false;
            }
        }
        true
    })
}

fn unseen(random: &mut fastrand::Rng, least: u32, from: usize, rates: Rates) -> f64 {
    let unseen = (0..RUNS).filter(|_| is_unseen(random, least, from, rates)).count();
    100.0 * unseen as f64 / f64::from(RUNS)
}

#[test]
fn as_many_ramps_go_through_unseen_as_the_table_says() {
    let mut random = fastrand::Rng::with_seed(2);
    for (least, row) in UNSEEN {
        for (rates, expected) in row {
            let found = unseen(&mut random, least, 0, rates);
            assert!((found - expected).abs() <= 5.0, "{least}, {rates:?}: {found} %");
        }
    }
}

#[test]
fn harm_that_begins_at_the_third_step_is_missed_in_at_most_a_tenth() {
    let mut random = fastrand::Rng::with_seed(3);
    let missed = unseen(&mut random, 1_000, 2, (2.0, 6.0));
    assert!(missed <= 10.0, "{missed} %");
}

/// The bad outcomes of the candidate until the alarm, if all are bad and none of stable is.
#[test]
fn few_bad_outcomes_are_enough_if_stable_has_none() {
    for (weight, expected) in [(1_000, 3), (5_000, 3), (25_000, 7), (50_000, 13)] {
        let alarms = |bad: &u64| {
            let mut counts = Counts::default();
            counts.add_tally(Share::of_step(weight).unwrap(), Tally { candidate: *bad, all: *bad });
            log_evidence(&counts, 1.25, Side::More) >= FIVE_GUARDS.log_threshold()
        };
        assert_eq!((1..100).find(alarms), Some(expected), "{weight}");
    }
}
