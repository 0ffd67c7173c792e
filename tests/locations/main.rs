//! Locations of Workers KV that see each key at another time: after every write, a location may
//! see the old value for up to a minute, whatever it sees of other keys, and keeps what it read
//! for as long as the read allowed. Two isolates run at each location.
//!
//! Whatever is moved, deleted and pruned meanwhile, no answer has wrong bytes, no address that
//! was handed out is refused, and nothing that existed all the time is missing.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod isolate;
mod kv;
mod repository;
#[path = "../support/resolver.rs"]
mod resolver;

use std::rc::Rc;

use catalog::digest::Digest;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};

use isolate::{Answered, Isolate};
use kv::{Central, Location, SETTLED};
use repository::{Change, Repository, content};

/// Slots that are deleted and appear again: `staging` has a host, `canary` is only in the
/// catalog.
const SLOTS: [&str; 2] = ["staging", "canary"];

/// Fetches a reference from one isolate, and what it hands out from the other one of the
/// location. Returns the first status.
fn follow(first: &Isolate, second: &Isolate, reference: &str) -> u16 {
    let Answered { status, exact, stale, .. } = first.get(reference);
    // A last good answer comes from the memory of an isolate, which the other one does not have.
    let located = exact.filter(|_| status == 200 && !stale);
    for exact in [located, first.resolve(reference)].into_iter().flatten() {
        // Nothing else at the location says that such a slot exists.
        if reference != "canary" || second.lists_slot(reference) {
            second.check_served(&exact, reference);
        }
    }
    status
}

/// Asks a location for everything, and checks what has existed for long enough.
fn check(isolates: [&Isolate; 2], repository: &Repository, now: f64) {
    let [first, second] = isolates;
    let settled = |since: f64| now - since > SETTLED;
    let is_missing = |status: u16| (400..500).contains(&status);
    for slot in ["production", "staging", "canary"] {
        let status = follow(first, second, slot);
        let since = repository.slots.get(slot).map(|(_, since)| *since);
        assert!(!since.is_some_and(settled) || !is_missing(status), "{slot}: {status}");
    }
    for (version, since) in &repository.versions {
        let reference = format!("v1.{version}.0");
        let digest = Digest::of(content(*version).as_bytes());
        for reference in [reference, format!("sha256:{digest}")] {
            let status = follow(first, second, &reference);
            assert!(!settled(*since) || status == 200, "{reference}: {status}");
        }
    }
    let oldest = repository.versions.values().copied().reduce(f64::min);
    for reference in ["*", "^1"] {
        let status = follow(first, second, reference);
        assert!(!oldest.is_some_and(settled) || !is_missing(status), "{reference}: {status}");
    }
    follow(first, second, "<1.2 || 1.4.x");
    let listed = first.list();
    assert!(now <= SETTLED || listed == (200, 200), "{listed:?}");
    isolates.iter().for_each(|isolate| isolate.check_handed_out());
}

fn change() -> impl Strategy<Value = Change> {
    let place = 0_usize..100;
    prop_oneof![
        3 => Just(Change::Release),
        3 => (select(SLOTS.to_vec()), place.clone()).prop_map(|(slot, at)| Change::Move(slot, at)),
        1 => select(SLOTS.to_vec()).prop_map(Change::DeleteSlot),
        2 => place.prop_map(Change::Prune),
    ]
}

/// A change and whether the current `slotctl` makes it, the seconds after it, the location that is
/// asked, whether the second isolate is asked first, and whether it has been replaced by a new one.
fn step() -> impl Strategy<Value = (Option<(Change, bool)>, u32, usize, bool, bool)> {
    let change = (change(), proptest::bool::weighted(0.8));
    let change = proptest::option::weighted(0.4, change);
    (change, 1_u32..25, 0_usize..3, any::<bool>(), proptest::bool::weighted(0.2))
}

#[test]
fn locations_that_see_keys_at_other_times_hand_out_only_what_they_serve() {
    let runs = Runs { cases: 20, failure_persistence: None, ..Runs::default() };
    let mut runner =
        TestRunner::new_with_rng(runs, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let history = (any::<u64>(), proptest::collection::vec(step(), 100));
    let played = runner.run(&history, |(seed, steps)| {
        let central = Rc::new(Central::new(seed));
        let locations = [0, 1, 2].map(|number| Location::new(number, &central));
        let mut isolates =
            locations.each_ref().map(|location| [0, 1].map(|_| Isolate::new(location)));
        let mut repository = Repository::default();
        repository.apply(Change::Release, true, &central);
        for (change, seconds, at, turned, replaced) in steps {
            if let Some((change, current)) = change {
                repository.apply(change, current, &central);
            }
            central.clock.set(central.clock.get() + f64::from(seconds) * 1000.0);
            if replaced {
                isolates[at][1] = Isolate::new(&locations[at]);
            }
            let [first, second] = &isolates[at];
            let asked = if turned { [second, first] } else { [first, second] };
            check(asked, &repository, central.clock.get());
        }
        Ok(())
    });
    played.unwrap();
}
