use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::record::{FORMAT, Snapshot};

fn arm(slot: &str, version: &str) -> Arm {
    let snapshot: Snapshot = serde_json::from_value(serde_json::json!({
        "version": version, "size": 0, "type": "text/plain", "date": "2026-11-20T00:00:00Z",
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed",
    }))
    .unwrap();
    Arm { slot: slot.parse().unwrap(), snapshot }
}

/// Creates a record of targets named by their slots, `v<n>.0.0` in the given order.
fn record(targets: &[(&str, u32)]) -> SlotRecord {
    let target = |(at, (slot, weight)): (usize, &(&str, u32))| Target {
        arm: arm(slot, &format!("v{}.0.0", at + 1)),
        weight: *weight,
    };
    SlotRecord {
        format: FORMAT,
        slot: "production".parse().unwrap(),
        targets: targets.iter().enumerate().map(target).collect(),
        segments: vecmap::VecMap::from([("beta".into(), arm("ring-1", "v9.0.0"))]),
        hold: None,
        gone: None,
    }
}

fn name() -> ComponentName {
    "prompts/extraction".parse().unwrap()
}

fn no_random() -> u32 {
    panic!("the caller decides, not a random number")
}

fn keyed(key: &str) -> Caller {
    Caller { key: Some(key.into()), ..Caller::default() }
}

fn slot_of(record: &SlotRecord, caller: &Caller) -> String {
    decide(record, &name(), caller, &no_random).unwrap().arm.slot.to_string()
}

#[test]
fn rules_apply_in_order() {
    let split = record(&[("canary", 10_000), ("production", 90_000)]);
    let wanted = |text: &str| Some(VersionOverride::Version(text.parse().unwrap()));
    let all = Caller {
        version_override: wanted("v2.0.0"),
        segments: vec!["nobody".into(), "beta".into()],
        key: Some("u1".into()),
    };
    let decided = |caller: &Caller| {
        let decision = decide(&split, &name(), caller, &|| u32::MAX).unwrap();
        (decision.arm.slot.to_string(), decision.assignment, decision.override_ignored)
    };
    assert_eq!(decided(&all), ("production".into(), Assignment::Override, false));
    let outside = Caller { version_override: wanted("v7.0.0"), ..all.clone() };
    assert_eq!(decided(&outside), ("ring-1".into(), Assignment::Segment, true));
    let nonsense = Caller { version_override: Some(VersionOverride::Invalid), ..all };
    assert_eq!(decided(&nonsense), ("ring-1".into(), Assignment::Segment, true));
    assert_eq!(decided(&keyed("u1")).1, Assignment::Key);
    assert_eq!(decided(&Caller::default()), ("production".into(), Assignment::Random, false));
    let full = record(&[("canary", 0), ("production", 100_000)]);
    let decision = decide(&full, &name(), &Caller::default(), &no_random).unwrap();
    assert_eq!(decision.assignment, Assignment::Sole);
}

#[test]
fn weight_0_needs_an_override_and_full_weight_gets_every_caller() {
    let dark = record(&[("canary", 0), ("production", 100_000)]);
    let full = record(&[("canary", 100_000), ("production", 0)]);
    for key in 0..100_000 {
        let caller = keyed(&key.to_string());
        assert_eq!(slot_of(&dark, &caller), "production");
        assert_eq!(slot_of(&full, &caller), "canary");
    }
    let wanted = Some(VersionOverride::Version("v1.0.0".parse().unwrap()));
    assert_eq!(slot_of(&dark, &Caller { version_override: wanted, ..Caller::default() }), "canary");
}

/// Raises the weight from 0 to 100 % in steps of 0.001 % for 100,000 callers: a caller that was
/// moved to the growing target keeps it. A step can change only the callers at its boundary, so
/// these are checked at every step, and all callers at every thousandth step.
#[test]
fn a_growing_target_never_loses_a_caller() {
    let points = (0..100_000).map(|key| point(&name(), &format!("user-{key}")));
    let mut callers: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
    points.for_each(|point| callers.entry(point).or_default().push(false));
    for weight in 0..=FULL_WEIGHT {
        let split = record(&[("canary", weight), ("production", FULL_WEIGHT - weight)]);
        let near = weight.saturating_sub(2)..=weight + 1;
        let all = 0..=FULL_WEIGHT;
        for (point, inside) in callers.range_mut(if weight % 1_000 == 0 { all } else { near }) {
            let now = at_point(&split.targets, *point).unwrap().arm.slot.as_str() == "canary";
            for inside in inside {
                assert!(now || !*inside, "a caller at {point} flipped back at {weight}");
                *inside = now;
            }
        }
    }
    assert!(callers.values().flatten().all(|inside| *inside));
}

#[test]
fn shares_are_within_three_standard_deviations() {
    let shares = [("a", 1_000), ("b", 9_000), ("c", 40_000), ("d", 50_000)];
    let split = record(&shares);
    let forms: [fn(u32) -> String; 4] = [
        |n| n.to_string(),
        |n| format!("user-{n}@example.com"),
        |n| format!("tenant/eu-west/0000-{n:08}"),
        |n| format!("{:08x}-1111-4222-8333-{:012x}", n.wrapping_mul(2_654_435_761), n),
    ];
    let count = 1_000_000_u32;
    for form in forms {
        let mut seen = BTreeMap::new();
        for n in 0..count {
            let slot = slot_of(&split, &keyed(&form(n)));
            *seen.entry(slot).or_insert(0_u32) += 1;
        }
        for (slot, weight) in shares {
            let share = f64::from(weight) / f64::from(FULL_WEIGHT);
            let expected = share * f64::from(count);
            let deviation = (expected * (1.0 - share)).sqrt();
            let found = f64::from(seen[slot]);
            assert!((found - expected).abs() <= 3.0 * deviation, "{}: {slot} {found}", form(1));
        }
    }
}

#[test]
fn components_are_independent_of_each_other() {
    let other: ComponentName = "prompts/summary".parse().unwrap();
    let half = |component: &ComponentName, key: &str| point(component, key) < FULL_WEIGHT / 2;
    let count = 100_000;
    let both = (0..count)
        .filter(|n| half(&name(), &n.to_string()) && half(&other, &n.to_string()))
        .count();
    let deviation = (f64::from(count) * 0.25 * 0.75).sqrt();
    assert!((both as f64 - f64::from(count) / 4.0).abs() <= 3.0 * deviation, "{both}");
}

proptest! {
    #[test]
    fn the_same_key_gets_the_same_target(key in ".*", weight in 0..=FULL_WEIGHT) {
        let split = record(&[("canary", weight), ("production", FULL_WEIGHT - weight)]);
        prop_assert_eq!(slot_of(&split, &keyed(&key)), slot_of(&split, &keyed(&key)));
    }

    #[test]
    fn a_smaller_canary_is_inside_a_larger_one(key in ".*", a in 0..=FULL_WEIGHT, b in 0..=FULL_WEIGHT) {
        let (small, large) = (a.min(b), a.max(b));
        let of = |weight| record(&[("canary", weight), ("production", FULL_WEIGHT - weight)]);
        if slot_of(&of(small), &keyed(&key)) == "canary" {
            prop_assert_eq!(slot_of(&of(large), &keyed(&key)), "canary");
        }
    }

    #[test]
    fn every_random_number_selects_a_target(random: u32, weight in 1..FULL_WEIGHT) {
        let split = record(&[("canary", weight), ("production", FULL_WEIGHT - weight)]);
        let decision = decide(&split, &name(), &Caller::default(), &|| random).unwrap();
        prop_assert_eq!(decision.assignment, Assignment::Random);
        prop_assert!(decision.point.unwrap() < FULL_WEIGHT);
    }
}

#[derive(serde::Deserialize)]
struct Golden {
    cases: Vec<GoldenCase>,
}

#[derive(serde::Deserialize)]
struct GoldenCase {
    component: ComponentName,
    key: String,
    point: u32,
}

/// The hash is part of the record format: these values never change.
#[test]
fn points_match_the_golden_vectors() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../../tests/vectors/assignment.json")).unwrap();
    assert!(!golden.cases.is_empty());
    for GoldenCase { component, key, point: expected } in golden.cases {
        assert_eq!(point(&component, &key), expected, "{component} {key}");
    }
}

#[test]
fn version_keys_and_segments_are_trimmed_and_never_empty() {
    for (text, key) in [
        ("user-42", Some("user-42")),
        (" user-42\t", Some("user-42")),
        ("user 42", Some("user 42")),
        ("\u{a0}user", Some("\u{a0}user")),
        ("0", Some("0")),
        ("", None),
        (" \t ", None),
    ] {
        assert_eq!(version_key(text).as_deref(), key, "{text:?}");
    }
    assert_eq!(segments([" beta", "", "team a\t", " "]), ["beta", "team a"]);
}

/// The weights are upper bounds that do not belong to their targets.
#[test]
fn a_target_has_the_points_below_its_cumulative_weight() {
    let split = record(&[("canary", 10_000), ("production", 90_000)]);
    let slot = |point| at_point(&split.targets, point).map(|target| target.arm.slot.to_string());
    let [canary, production] = ["canary", "production"].map(|slot| Some(slot.to_owned()));
    assert_eq!([0, 9_999].map(slot), [canary.clone(), canary]);
    assert_eq!([10_000, 99_999].map(slot), [production.clone(), production]);
    assert_eq!(slot(FULL_WEIGHT), None);
}

#[test]
fn a_caller_of_the_maximum_sizes_is_accepted() {
    let caller = |key: usize, segments: usize, segment: usize| Caller {
        key: Some("k".repeat(key)),
        segments: vec!["s".repeat(segment); segments],
        ..Caller::default()
    };
    let (key, segments, segment) = (Caller::MAX_KEY, Caller::MAX_SEGMENTS, Caller::MAX_SEGMENT);
    assert_eq!(caller(key, segments, segment).check(), Ok(()));
    assert_eq!(caller(key + 1, segments, segment).check(), Err(CallerError::Key));
    assert_eq!(caller(key, segments + 1, segment).check(), Err(CallerError::Segments));
    assert_eq!(caller(key, segments, segment + 1).check(), Err(CallerError::Segments));
}

#[test]
fn a_slot_checks_only_what_it_needs_of_a_caller() {
    let long = Caller {
        key: Some("k".repeat(Caller::MAX_KEY + 1)),
        segments: vec!["s".repeat(Caller::MAX_SEGMENT + 1)],
        ..Caller::default()
    };
    let bare = |targets: &[(&str, u32)]| {
        let mut bare = record(targets);
        bare.segments.clear();
        bare
    };
    let (sole, split) = (&[("production", 100_000)], [("canary", 1), ("production", 99_999)]);
    assert_eq!(long.check_for(&bare(sole)), Ok(()));
    assert_eq!(long.check_for(&record(sole)), Err(CallerError::Segments));
    assert_eq!(long.check_for(&bare(&split)), Err(CallerError::Key));
}
