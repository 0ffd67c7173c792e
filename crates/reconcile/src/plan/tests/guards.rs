//! The guards against moving KV back by accident: `latest`, and the end of a hold.

use super::*;
use catalog::record::{Arm, Target};

/// Creates a component whose `latest` follows the highest version, as `compile` does.
fn releases(versions: &[(&str, &[u8], usize)]) -> Desired {
    let highest = versions.last().unwrap().0;
    let mut desired = of(versions, &[("latest", highest)]);
    for component in desired.components.values_mut() {
        component.slots.values_mut().for_each(|slot| slot.tag = None);
    }
    desired
}

fn latest(kv: &Kv) -> String {
    let key = Key::parse(Namespace::Slots, "prompts/a@latest").unwrap();
    kv.record::<SlotRecord>(&key).own_version().unwrap().to_string()
}

fn now() -> Options {
    Options::at(NOW.parse().unwrap())
}

#[test]
fn latest_goes_back_only_if_the_higher_release_was_revoked_or_pruned() {
    let mut filled = Kv::default();
    sync(&releases(&TWO), &mut filled);
    // A clone lacks v1.1.0: `latest` stays, with a warning.
    let (lower, mut kv) = (releases(&TWO[..1]), filled.clone());
    let plan = sync(&lower, &mut kv);
    assert_eq!((plan.is_empty(), latest(&kv).as_str()), (true, "v1.1.0"));
    assert_eq!(
        notices(&plan.warnings),
        ["prompts/a@latest: it stays on v1.1.0, though the highest release in Git is v1.0.0: \
             `latest` goes back only if v1.1.0 is revoked, or deleted with --prune"]
    );
    // `latest` goes back if a tag sets it, the release is revoked, or the release's tag is
    // deleted.
    let mut tagged = lower.clone();
    tagged.components.values_mut().for_each(|component| component.tagged_latest = true);
    let mut revoked = lower.clone();
    for component in revoked.components.values_mut() {
        component.traffic.revoked.insert("v1.1.0".parse().unwrap(), "leaks".to_owned());
    }
    let prune = Options { prune: true, ..now() };
    for (desired, options) in [(&tagged, &now()), (&revoked, &now()), (&lower, &prune)] {
        let mut kv = filled.clone();
        sync_with(desired, &mut kv, options);
        assert_eq!(latest(&kv), "v1.0.0", "{options:?}");
    }
    // A version that can't be read has a tag: pruning does not move `latest` back.
    let mut unserved = lower;
    let target = crate::tag::TagTarget::Version("v1.1.0".parse().unwrap());
    unserved.unserved.entry("prompts/a".parse().unwrap()).or_default().insert(target);
    sync_with(&unserved, &mut filled, &prune);
    assert_eq!(latest(&filled), "v1.1.0");
}

/// Returns KV after a rollback from v1.1.0 to v1.0.0.
fn rolled_back(tag: Option<&str>) -> Kv {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[("production", "v1.1.0")]), &mut kv);
    hold(&mut kv, "v1.0.0");
    let key = Key::parse(Namespace::Slots, "prompts/a@production").unwrap();
    let mut record: SlotRecord = kv.record(&key);
    record.hold.as_mut().unwrap().tag = tag.map(str::to_owned);
    kv.set("prompts/a@production", &record::write(&record));
    kv
}

const THREE: [(&str, &[u8], usize); 3] =
    [("v1.0.0", b"a", 1), ("v1.1.0", b"b", 2), ("v1.2.0", b"c", 3)];

#[test]
fn a_hold_ends_when_the_tag_agrees_or_moves() {
    for (at_rollback, now, version, held) in [
        (Some("t1"), "t1", "v1.1.0", true),
        (None, "t1", "v1.1.0", true),
        // The rollback's own tag.
        (Some("t1"), "t2", "v1.0.0", false),
        (None, "t2", "v1.0.0", false),
        // Promoted after the rollback.
        (Some("t1"), "t3", "v1.2.0", false),
        // It is unknown if the tag was moved before or after the rollback.
        (None, "t3", "v1.2.0", true),
        // Set again to the bad version, intentionally.
        (Some("t1"), "t4", "v1.1.0", false),
    ] {
        let mut kv = rolled_back(at_rollback);
        let mut desired = of(&THREE, &[("production", version)]);
        let component = desired.components.values_mut().next().unwrap();
        component.slots.values_mut().for_each(|slot| slot.tag = Some(now.to_owned()));
        let plan = sync(&desired, &mut kv);
        let key = Key::parse(Namespace::Slots, "prompts/a@production").unwrap();
        let record: SlotRecord = kv.record(&key);
        let is = record.own_version().unwrap().to_string();
        let expected = if held { "v1.0.0" } else { version };
        assert_eq!((plan.held.len(), is.as_str()), (usize::from(held), expected), "{now}");
        assert_eq!(record.hold.is_some(), held, "{now}");
    }
}

#[test]
fn a_rolled_back_share_stays_0_until_the_policy_or_the_tag_changes() {
    let slots = [("production", "v1.0.0"), ("canary", "v1.1.0")];
    let split = |percent: u32| {
        let text = format!("[\"prompts/a\".production]\nsplit = {{ canary = {percent} }}\n");
        let mut desired = of(&THREE, &slots);
        crate::policy::apply(&crate::policy::read(&text), None, &mut desired);
        desired
    };
    let mut kv = Kv::default();
    sync(&split(10), &mut kv);
    let key = Key::parse(Namespace::Slots, "prompts/a@production").unwrap();
    let mut record: SlotRecord = kv.record(&key);
    let [Target { weight: canary, arm: Arm { slot, .. } }, own] = &mut record.targets[..] else {
        panic!("{record:?}")
    };
    (*canary, own.weight) = (0, FULL_WEIGHT);
    let at = NOW.parse().unwrap();
    let hold = Hold::new("it leaks".to_owned(), "Ada".to_owned(), at);
    let tag = Some("tag of v1.1.0".to_owned());
    record.hold = Some(Hold { slot: Some(slot.clone()), weight: Some(10_000), tag, ..hold });
    kv.set("prompts/a@production", &record::write(&record));
    let weights = |kv: &Kv| {
        let record: SlotRecord = kv.record(&key);
        record.targets.iter().map(|target| target.weight).collect::<Vec<u32>>()
    };
    for (percent, expected) in
        [(10, [0, FULL_WEIGHT]), (25, [0, FULL_WEIGHT]), (5, [5_000, 95_000])]
    {
        let mut kv = kv.clone();
        let plan = sync(&split(percent), &mut kv);
        assert_eq!(weights(&kv), expected, "{percent}");
        assert_eq!(plan.held.len(), usize::from(percent >= 10), "{percent}");
    }
    let mut moved = split(10);
    for component in moved.components.values_mut() {
        component.slots.values_mut().for_each(|slot| slot.tag = Some("another".to_owned()));
    }
    sync(&moved, &mut kv);
    assert_eq!(weights(&kv), [10_000, 90_000]);
}

#[test]
fn an_alias_of_a_held_slot_follows_the_hold() {
    let text = "[\"prompts/a\".live]\nalias = \"production\"\n";
    let mut desired = of(&THREE, &[("production", "v1.1.0")]);
    crate::policy::apply(&crate::policy::read(text), None, &mut desired);
    let mut kv = rolled_back(Some("tag of v1.1.0"));
    sync(&desired, &mut kv);
    let key = Key::parse(Namespace::Slots, "prompts/a@live").unwrap();
    let live: SlotRecord = kv.record(&key);
    assert_eq!(live.lead().unwrap().snapshot.version.to_string(), "v1.0.0");
}

#[test]
fn a_slot_whose_record_would_be_too_large_is_not_changed() {
    let desired = of(&TWO, &[("production", "v1.1.0")]);
    let mut kv = Kv::default();
    sync(&desired, &mut kv);
    hold(&mut kv, "v1.0.0");
    let key = Key::parse(Namespace::Slots, "prompts/a@production").unwrap();
    let mut record: SlotRecord = kv.record(&key);
    record.hold.as_mut().unwrap().reason = "x".repeat(64 << 10);
    kv.set("prompts/a@production", &record::write(&record));
    let plan = plan(&desired, &kv);
    assert_eq!(plan.stage(Stage::Slots).count(), 0);
    assert_eq!(plan.refused.len(), 1);
    let size = record::write(&record).len();
    let what = format!("its record would have {size} bytes, and 65536 are allowed");
    assert!(plan.refused[0].what.starts_with(&what), "{:?}", plan.refused);
}
