//! False alarms: how often a guard alarms although the candidate is at most as bad as tolerated.

use std::collections::VecDeque;

use super::guarded::Ramp;
use super::keyed::Caller;
use super::{FIVE_GUARDS, ONE_GUARD, STEPS};
use ramp::guard::Budget;
use ramp::share::Share;

const RUNS: usize = 400;

/// The bound of 5 % for `E >= 20`, with three standard deviations of 400 runs.
const AT_MOST: usize = 33;

/// Returns the number of runs with an alarm.
fn alarms(seed: u64, mut run: impl FnMut(&mut fastrand::Rng) -> bool) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..RUNS).filter(|_| run(&mut random)).count()
}

/// Runs a ramp of callers: at each step, requests of all callers in proportion to their traffic.
/// `rate` gives the rate of bad outcomes of a request by its number and its caller's own rate.
fn ramp_of(
    random: &mut fastrand::Rng,
    mut callers: Vec<Caller>,
    budget: Budget,
    requests: usize,
    rate: impl Fn(usize, f64) -> f64,
) -> bool {
    let mut ramp = Ramp::new(budget);
    let order: Vec<usize> = callers
        .iter()
        .enumerate()
        .flat_map(|(at, caller)| std::iter::repeat_n(at, caller.traffic as usize))
        .collect();
    STEPS.into_iter().any(|weight| {
        ramp.start();
        (0..requests).any(|number| {
            let caller = &mut callers[order[random.usize(..order.len())]];
            let is_bad = random.f64() < rate(number, caller.rate);
            caller.report(&mut ramp, weight, is_bad)
        })
    })
}

#[test]
fn callers_that_always_fail_alarm_no_more_often_than_allowed() {
    let found = alarms(1, |random| {
        let callers = (0..2_000)
            .map(|at| Caller::new(random, if at % 20 == 0 { 1.0 } else { 0.005 }, 1))
            .collect();
        ramp_of(random, callers, ONE_GUARD, 6_000, |_, own| own)
    });
    assert!(found <= AT_MOST, "{found} of {RUNS}");
}

#[test]
fn clean_tenants_with_most_of_the_traffic_alarm_no_more_often_than_allowed() {
    let found = alarms(2, |random| {
        let tenants = (0..20).map(|_| (0.0, 900));
        let others = (0..2_000).map(|_| (0.05, 1));
        let callers = tenants.chain(others);
        let callers = callers.map(|(rate, traffic)| Caller::new(random, rate, traffic)).collect();
        ramp_of(random, callers, ONE_GUARD, 20_000, |_, own| own)
    });
    assert!(found <= AT_MOST, "{found} of {RUNS}");
}

#[test]
fn outages_of_both_arms_and_drifting_rates_alarm_no_more_often_than_allowed() {
    let found = alarms(3, |random| {
        let callers = (0..2_000).map(|_| Caller::new(random, 0.01, 1)).collect();
        ramp_of(random, callers, ONE_GUARD, 6_000, |number, own| match number {
            2_000..2_200 => 1.0,
            4_000.. => own * 8.0,
            _ => own,
        })
    });
    assert!(found <= AT_MOST, "{found} of {RUNS}");
}

#[test]
fn a_ratio_at_the_tolerance_alarms_no_more_often_than_allowed() {
    let found = alarms(4, |random| {
        let mut ramp = Ramp::new(ONE_GUARD);
        STEPS.into_iter().any(|weight| {
            ramp.start();
            let share = Share::of_step(weight).unwrap();
            (0..6_000).any(|_| {
                let is_candidate = random.f64() < share.value();
                let rate = if is_candidate { 0.05 } else { 0.04 };
                ramp.count(Some(share), is_candidate, random.f64() < rate)
            })
        })
    });
    assert!(found <= AT_MOST, "{found} of {RUNS}");
}

/// 10 requests a second; the candidate's outcomes arrive 17 seconds later than stable's, and
/// count in the step that served them.
#[test]
fn a_candidate_that_answers_later_raises_no_alarm() {
    let found = alarms(5, |random| {
        let mut ramp = Ramp::new(FIVE_GUARDS);
        let mut under_way = VecDeque::new();
        STEPS.into_iter().any(|weight| {
            ramp.start();
            let share = Share::of_step(weight).unwrap();
            (0..6_000).any(|_| {
                let is_candidate = random.f64() < share.value();
                let is_bad = random.f64() < 0.04;
                let late = is_candidate.then_some((share, is_bad));
                under_way.push_back(late);
                let at_once = !is_candidate && ramp.count(Some(share), false, is_bad);
                let arrived = if under_way.len() > 170 { under_way.pop_front() } else { None };
                let later = arrived.flatten();
                at_once
                    || later.is_some_and(|(share, is_bad)| ramp.count(Some(share), true, is_bad))
            })
        })
    });
    assert_eq!(found, 0);
}
