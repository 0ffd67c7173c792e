//! The effect of `rollouts.toml` on slots: splits, segments, aliases, revocations and mistakes.

use super::*;
use crate::desired::TrafficChange;
use crate::policy;

const THREE: [(&str, &[u8], usize); 3] =
    [("v1.0.0", b"a", 1), ("v1.1.0", b"b", 2), ("v1.2.0", b"c", 3)];

const SLOTS: [(&str, &str); 3] =
    [("production", "v1.0.0"), ("canary", "v1.1.0"), ("ring", "v1.2.0")];

/// Sets routes for the model's slots, if the slots that they name exist.
pub(super) fn route(component: &mut DesiredComponent, weight: u32, routes: u8, mistakes: u8) {
    let percent = policy::percent(weight);
    let tables = [
        format!(
            "[\"x/x\".production]\nsplit = {{ blue = {percent} }}\nsegments = {{ s = \"green\" }}\n"
        ),
        "[\"x/x\".live]\nalias = \"green\"\n".to_owned(),
        "[\"x/x\".experiment]\nsplit = { blue = 50, green = 50 }\n".to_owned(),
    ];
    let chosen = tables.iter().enumerate().filter(|(at, _)| routes & (1 << at) != 0);
    let text: String = chosen.map(|(_, table)| table.as_str()).collect();
    let mut desired = Desired::default();
    let revoked = component.traffic.revoked.clone();
    desired.components.insert("x/x".parse().unwrap(), std::mem::take(component));
    policy::apply(&crate::policy::read(&text), None, &mut desired);
    *component = desired.components.into_values().next().unwrap();
    component.traffic.revoked = revoked;
    component.traffic.keep_splits |= mistakes & 1 != 0;
    component.traffic.keep_revocations |= mistakes & 2 != 0;
    if mistakes & 4 != 0 {
        component.traffic.routes.remove(&"production".parse::<Slot>().unwrap());
        component.traffic.frozen.insert("production".parse().unwrap());
    }
}

/// Returns the component with a policy, and the mistakes.
fn with_mistakes(slots: &[(&str, &str)], text: &str) -> (Desired, Vec<String>) {
    let mut desired = of(&THREE, slots);
    let reading = crate::policy::read(text);
    for (name, component) in &mut desired.components {
        for (version, record) in &mut component.versions {
            record.revoked = reading.policy.revoked(name, version).cloned();
        }
    }
    let change = TrafficChange {
        author: "Ada".to_owned(),
        time: "2026-11-21T09:00:00Z".parse().unwrap(),
        why: "Switch".to_owned(),
    };
    let errors = policy::apply(&reading, Some(&change), &mut desired);
    (desired, errors.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn with(slots: &[(&str, &str)], text: &str) -> Desired {
    let (desired, errors) = with_mistakes(slots, text);
    assert_eq!(errors, [""; 0]);
    desired
}

fn split(percent: &str) -> String {
    format!("[\"prompts/a\".production]\nsplit = {{ canary = {percent} }}\n")
}

fn slot(kv: &Kv, slot: &str) -> SlotRecord {
    kv.record(&Key::parse(Namespace::Slots, &format!("prompts/a@{slot}")).unwrap())
}

/// Formats `canary v1.1.0 10000` for each target and `beta: ring v1.2.0` for each segment.
fn arms(kv: &Kv, name: &str) -> Vec<String> {
    let record = slot(kv, name);
    let targets = record.targets.iter().map(|target| {
        format!("{} {} {}", target.arm.slot, target.arm.snapshot.version, target.weight)
    });
    let segments = record.segments.iter();
    let segments = segments.map(|(s, arm)| format!("{s}: {} {}", arm.slot, arm.snapshot.version));
    targets.chain(segments).collect()
}

/// Describes the changes of traffic that the moves of a slot record, newest first.
fn traffic_moves(kv: &Kv, name: &str) -> Vec<String> {
    let key = Key::parse(Namespace::Components, "prompts/a").unwrap();
    let catalog: CatalogRecord = kv.record(&key);
    let moves = catalog.slots[&name.parse().unwrap()].moves.iter();
    let changes = moves.filter_map(|moved| moved.traffic.as_ref()).map(|traffic| {
        let changes = super::traffic_changes(traffic.from.as_ref(), &traffic.to);
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    });
    changes.collect()
}

#[test]
fn a_split_names_the_versions_of_its_slots_in_order() {
    let text = format!("{}segments = {{ beta = \"ring\" }}\n", split("10"));
    let mut kv = Kv::default();
    let plan = sync(&with(&SLOTS, &text), &mut kv);
    let line = "prompts/a@production: new, canary v1.1.0 10 %, production v1.0.0 90 %, \
                segment beta: ring v1.2.0";
    assert!(lines(&plan).contains(&line.to_owned()), "{:#?}", lines(&plan));
    assert_eq!(
        arms(&kv, "production"),
        ["canary v1.1.0 10000", "production v1.0.0 90000", "beta: ring v1.2.0"]
    );
    assert!(super::plan(&with(&SLOTS, &text), &kv).is_empty());
}

#[test]
fn every_change_of_traffic_is_described() {
    let beta = |slot: &str| format!("{}segments = {{ beta = \"{slot}\" }}\n", split("25"));
    let mut kv = Kv::default();
    sync(&with(&SLOTS, ""), &mut kv);
    let mut number = 1;
    for (text, expected) in [
        (split("10"), "canary v1.1.0 0 % → 10 %, production v1.0.0 100 % → 90 %"),
        (split("25"), "canary v1.1.0 10 % → 25 %, production v1.0.0 90 % → 75 %"),
        (beta("ring"), "segment beta: ring v1.2.0"),
        (beta("canary"), "segment beta: ring v1.2.0 → canary v1.1.0"),
        (split("25"), "segment beta: canary v1.1.0 → none"),
        (
            "[\"prompts/a\".production]\nsplit = { ring = 25 }".into(),
            "ring v1.2.0 0 % → 25 %, canary v1.1.0 25 % → none",
        ),
        (String::new(), "production v1.0.0 75 % → 100 %, ring v1.2.0 25 % → none"),
    ] {
        let plan = sync_with(&with(&SLOTS, &text), &mut kv, &removing());
        assert_eq!(lines(&plan)[0], format!("prompts/a@production: {expected}"));
        assert_eq!(plan.writes.len(), 2, "a slot record and the catalog");
        number += 1;
        let moves = moves(&kv, "production");
        assert_eq!((moves.len(), moves[0].as_str()), (number, "v1.0.0 → v1.0.0: Switch (Ada)"));
        assert_eq!(traffic_moves(&kv, "production")[0], expected);
    }
}

#[test]
fn a_moved_slot_updates_every_split_that_contains_it() {
    let mut kv = Kv::default();
    sync(&with(&SLOTS, &split("10")), &mut kv);
    let moved = [("production", "v1.0.0"), ("canary", "v1.2.0"), ("ring", "v1.2.0")];
    let plan = sync(&with(&moved, &split("10")), &mut kv);
    assert_eq!(
        lines(&plan),
        [
            "prompts/a@canary: v1.1.0 → v1.2.0",
            "prompts/a@production: canary v1.1.0 → v1.2.0 at 10 %",
            "prompts/a: catalog of 3 version(s) and 3 slot(s)",
        ]
    );
    assert_eq!(moves(&kv, "canary").len(), 2);
    assert_eq!(moves(&kv, "production")[0], "v1.0.0 → v1.0.0: to v1.2.0 (Grace)");
    assert_eq!(traffic_moves(&kv, "production")[0], "canary v1.1.0 → v1.2.0 at 10 %");
}

#[test]
fn an_alias_switches_all_traffic_and_records_the_author() {
    let alias = |to: &str| format!("[\"prompts/a\".live]\nalias = \"{to}\"\n");
    let mut kv = Kv::default();
    sync(&with(&SLOTS, &alias("production")), &mut kv);
    assert_eq!(arms(&kv, "live"), ["production v1.0.0 100000"]);
    let plan = sync(&with(&SLOTS, &alias("canary")), &mut kv);
    assert_eq!(lines(&plan)[0], "prompts/a@live: production v1.0.0 → canary v1.1.0");
    // An alias moves with the slot that it leads to.
    let moved = [("production", "v1.0.0"), ("canary", "v1.2.0"), ("ring", "v1.2.0")];
    let plan = sync(&with(&moved, &alias("canary")), &mut kv);
    assert_eq!(lines(&plan)[1], "prompts/a@live: canary v1.1.0 → v1.2.0");
    assert_eq!(
        moves(&kv, "live"),
        [
            "v1.1.0 → v1.2.0: to v1.2.0 (Grace)",
            "v1.0.0 → v1.1.0: Switch (Ada)",
            "nothing → v1.0.0: Switch (Ada)",
        ]
    );
}

#[test]
fn a_slot_without_a_tag_can_be_split() {
    let text = "[\"prompts/a\".experiment]\nsplit = { canary = 50, ring = 50 }\n";
    let mut kv = Kv::default();
    sync(&with(&SLOTS, text), &mut kv);
    assert_eq!(arms(&kv, "experiment"), ["canary v1.1.0 50000", "ring v1.2.0 50000"]);
    assert_eq!(
        traffic_moves(&kv, "experiment"),
        ["canary v1.1.0 0 % → 50 %, ring v1.2.0 0 % → 50 %"]
    );
    assert_eq!(moves(&kv, "experiment"), ["nothing → v1.1.0: Switch (Ada)"]);
    // Removed from the file, the slot is not in Git: it is kept and reported.
    let plan = sync(&with(&SLOTS, ""), &mut kv);
    assert_eq!((plan.writes.len(), plan.kept.len()), (0, 1));
}

#[test]
fn a_hold_keeps_the_version_while_the_policy_changes() {
    let mut kv = Kv::default();
    let now = [("production", "v1.1.0"), ("canary", "v1.2.0"), ("ring", "v1.2.0")];
    sync(&with(&now, &split("10")), &mut kv);
    hold(&mut kv, "v1.0.0");
    let plan = sync(&with(&now, &split("10")), &mut kv);
    assert_eq!(
        plan.held[0].to_string(),
        "prompts/a@production: held at canary v1.2.0 10 %, production v1.0.0 90 %, Git says \
         canary v1.2.0 10 %, production v1.1.0 90 % (v1.1.0 leaks, by Ada at 2026-11-21T09:00:00Z)"
    );
    let plan = sync(&with(&now, &split("25")), &mut kv);
    assert_eq!(plan.held.len(), 1);
    assert_eq!(arms(&kv, "production"), ["canary v1.2.0 25000", "production v1.0.0 75000"]);
    assert!(slot(&kv, "production").hold.is_some());
    // The tag agrees, so the hold ends, even with another split.
    let agreed = [("production", "v1.0.0"), ("canary", "v1.2.0"), ("ring", "v1.2.0")];
    let plan = sync(&with(&agreed, &split("50")), &mut kv);
    assert_eq!((plan.held.len(), slot(&kv, "production").hold), (0, None));
}

fn removing() -> Options {
    Options { allow_policy_removal: true, ..Options::at(NOW.parse().unwrap()) }
}

const REVOKED: &str = "[\"prompts/a\"]\nrevoked = { \"v1.1.0\" = \"leaks\" }\n";

/// Returns the arms of `slot` in KV, and tells if the record is on hold.
fn served(kv: &Kv, name: &str) -> (Vec<String>, bool) {
    (arms(kv, name), slot(kv, name).hold.is_some())
}

#[test]
fn a_revoked_version_is_replaced_by_the_last_good_one_of_the_slot() {
    let mut kv = Kv::default();
    let before = [("production", "v1.0.0"), ("canary", "v1.0.0"), ("ring", "v1.2.0")];
    let segment = "segments = { beta = \"canary\" }\n";
    let text = format!("{}{segment}{REVOKED}", split("50"));
    sync(&with(&before, &split("50")), &mut kv);
    sync(&with(&SLOTS, &format!("{}{segment}", split("50"))), &mut kv);
    let plan = sync(&with(&SLOTS, &text), &mut kv);
    assert_eq!(lines(&plan)[0], "prompts/a@v1.1.0: revoked (leaks)");
    let said = "prompts/a@canary: Git says v1.1.0, which is revoked (leaks): v1.0.0 is served \
                instead, on hold";
    assert_eq!(notices(&plan.refused), [said]);
    assert_eq!(
        plan.refused[0].help.as_deref(),
        Some("set it to another version: slotctl tag set prompts/a canary <version>")
    );
    assert_eq!(served(&kv, "canary"), (vec!["canary v1.0.0 100000".to_owned()], true));
    assert_eq!(
        arms(&kv, "production"),
        ["canary v1.0.0 50000", "production v1.0.0 50000", "beta: canary v1.0.0"]
    );
    let hold = slot(&kv, "canary").hold.unwrap();
    assert_eq!(
        (hold.reason.as_str(), hold.by.as_str(), hold.tag.as_deref()),
        ("v1.1.0 is revoked: leaks", "Ada", Some("tag of v1.1.0"))
    );
    // A second plan reports it again and writes nothing, until Git agrees.
    let again = super::plan(&with(&SLOTS, &text), &kv);
    assert!(again.is_empty() && again.held.len() == 1);
    assert_eq!(notices(&again.refused), [said]);
    assert_eq!(moves(&kv, "canary")[0], "v1.1.0 → v1.0.0: v1.1.0 is revoked: leaks (Ada)");
    // The tag is moved to a good version.
    let moved = [("production", "v1.0.0"), ("canary", "v1.2.0"), ("ring", "v1.2.0")];
    let plan = sync(&with(&moved, &text), &mut kv);
    assert_eq!((plan.refused.len(), plan.held.len()), (0, 0));
    assert_eq!(served(&kv, "canary"), (vec!["canary v1.2.0 100000".to_owned()], false));
}

#[test]
fn a_slot_without_a_good_version_is_gone_and_splits_fall_back() {
    let mut kv = Kv::default();
    sync(&with(&SLOTS, &split("10")), &mut kv);
    let plan = sync(&with(&SLOTS, &format!("{}{REVOKED}", split("10"))), &mut kv);
    assert_eq!(
        notices(&plan.refused),
        [
            "prompts/a@canary: Git says v1.1.0, which is revoked (leaks): no version of the slot \
             before it is good, so it answers 410",
            "prompts/a@production: canary has no version that is good (v1.1.0 is revoked): its \
             callers get v1.0.0",
        ]
    );
    assert_eq!(lines(&plan)[1], "prompts/a@canary: v1.1.0 → gone (v1.1.0 is revoked: leaks)");
    assert!(slot(&kv, "canary").gone.is_some());
    assert_eq!(arms(&kv, "production"), ["canary v1.0.0 10000", "production v1.0.0 90000"]);
    let again = super::plan(&with(&SLOTS, &format!("{}{REVOKED}", split("10"))), &kv);
    assert_eq!((again.is_empty(), again.refused.len()), (true, 2));
}

#[test]
fn on_revoked_gone_deactivates_the_slot() {
    let mut kv = Kv::default();
    let before = [("production", "v1.0.0"), ("canary", "v1.0.0"), ("ring", "v1.0.0")];
    let gone = "[\"prompts/a\".canary]\non-revoked = \"gone\"\n";
    sync(&with(&before, gone), &mut kv);
    sync(&with(&SLOTS, gone), &mut kv);
    let text = format!("{gone}{REVOKED}");
    let plan = sync(&with(&SLOTS, &text), &mut kv);
    assert_eq!((plan.refused.len(), plan.held.len()), (0, 0));
    let record = slot(&kv, "canary");
    assert_eq!((record.targets.len(), record.gone.unwrap().reason), (0, "leaks".to_owned()));
    assert!(super::plan(&with(&SLOTS, &text), &kv).is_empty());
    // Without `on-revoked`, the earlier version is served.
    sync(&with(&SLOTS, REVOKED), &mut kv);
    assert_eq!(served(&kv, "canary"), (vec!["canary v1.0.0 100000".to_owned()], true));
    // With `on-revoked` again, the hold ends.
    sync(&with(&SLOTS, &text), &mut kv);
    assert!(slot(&kv, "canary").gone.is_some());
}

#[test]
fn revocations_and_tables_are_removed_only_if_allowed() {
    let mut kv = Kv::default();
    let slots = [("production", "v1.0.0"), ("canary", "v1.2.0"), ("ring", "v1.2.0")];
    sync(&with(&slots, &format!("{}{REVOKED}", split("10"))), &mut kv);
    let plan = sync(&with(&slots, ""), &mut kv);
    assert!(plan.is_empty());
    assert_eq!(
        notices(&plan.refused),
        [
            "prompts/a@v1.1.0: rollouts.toml does not revoke it any more, and callers would get it \
             again: it stays revoked (leaks)",
            "prompts/a@production: rollouts.toml has no table for it any more, and callers would \
             notice (production v1.0.0 90 % → 100 %, canary v1.2.0 10 % → none): its traffic stays \
             shared out as it is",
        ]
    );
    assert!(plan.refused.iter().all(|notice| {
        notice.help.as_ref().unwrap().contains("slotctl sync --allow-policy-removal")
    }));
    // The arms still follow their tags.
    let moved = [("production", "v1.0.0"), ("canary", "v1.0.0"), ("ring", "v1.2.0")];
    let plan = sync(&with(&moved, ""), &mut kv);
    assert_eq!((plan.refused.len(), plan.writes.len()), (1, 3), "{:?}", lines(&plan));
    assert_eq!(arms(&kv, "production"), ["production v1.0.0 100000"], "nobody notices");
    sync_with(&with(&moved, ""), &mut kv, &removing());
    assert!(super::plan(&with(&moved, ""), &kv).is_empty());
}

#[test]
fn a_version_without_a_tag_can_be_revoked() {
    let mut kv = Kv::default();
    sync(&with(&[("ring", "v1.2.0"), ("old", "v1.2.0")], ""), &mut kv);
    let mut desired = of(&THREE[..2], &[]);
    let text = "[\"prompts/a\"]\nrevoked = { \"v1.2.0\" = \"leaks\" }\n";
    policy::apply(&crate::policy::read(text), None, &mut desired);
    let plan = sync(&desired, &mut kv);
    assert_eq!(lines(&plan)[0], "prompts/a@v1.2.0: revoked (leaks)");
    assert_eq!(plan.refused.len(), 2, "of both slots that KV keeps no version is good");
    assert_eq!(slot(&kv, "old").gone.unwrap().reason, "leaks");
    let again = super::plan(&desired, &kv);
    assert_eq!((again.is_empty(), again.refused.len()), (true, 2));
}

#[test]
fn a_mistake_in_the_policy_affects_only_its_slot() {
    let mut kv = Kv::default();
    let other = "[\"prompts/a\".live]\nalias = \"ring\"\n";
    sync(&with(&SLOTS, &split("10")), &mut kv);
    for (mistake, expected) in [
        ("split = { canary = 110 }", "rollouts.toml:2: the share of canary is not a percentage"),
        (
            "split = { canary = 60, ring = 50 }",
            "rollouts.toml:2: the shares of production add up to 110 %",
        ),
        ("split = { nobody = 1 }", "rollouts.toml:1: prompts/a has no slot nobody"),
        (
            "split = { live = 1 }",
            "rollouts.toml:1: prompts/a@production leads to live, which leads on",
        ),
    ] {
        let text = format!("[\"prompts/a\".production]\n{mistake}\n{other}");
        let (desired, errors) = with_mistakes(&SLOTS, &text);
        assert!(errors.len() == 1 && errors[0].starts_with(expected), "{errors:?}");
        sync(&desired, &mut kv);
        assert_eq!(arms(&kv, "production"), ["canary v1.1.0 10000", "production v1.0.0 90000"]);
        assert_eq!(arms(&kv, "live"), ["ring v1.2.0 100000"]);
    }
}

#[test]
fn an_unreadable_file_changes_no_split_and_no_revocation() {
    let mut kv = Kv::default();
    let text = format!(
        "{}[\"prompts/a\".live]\nalias = \"ring\"\n[\"prompts/a\"]\nrevoked = {{ \"v1.2.0\" = \"x\" }}\n",
        split("10")
    );
    let slots = [("production", "v1.0.0"), ("canary", "v1.1.0"), ("ring", "v1.0.0")];
    sync(&with(&slots, &text), &mut kv);
    let (before, moved) =
        (kv.clone(), [("production", "v1.1.0"), ("canary", "v1.0.0"), ("ring", "v1.0.0")]);
    let (desired, errors) = with_mistakes(&moved, "split = {");
    assert!(errors[0].starts_with("rollouts.toml:1: "), "{errors:?}");
    let plan = sync(&desired, &mut kv);
    // Slots without a split still follow their tags.
    assert_eq!(
        lines(&plan),
        ["prompts/a@canary: v1.1.0 → v1.0.0", "prompts/a: catalog of 3 version(s) and 4 slot(s)"]
    );
    for key in ["prompts/a@production", "prompts/a@live"] {
        let key = Key::parse(Namespace::Slots, key).unwrap();
        assert_eq!(kv.value(&key), before.value(&key));
    }
    let revoked: VersionRecord =
        kv.record(&Key::parse(Namespace::Components, "prompts/a@v1.2.0").unwrap());
    assert_eq!(revoked.revoked.as_deref(), Some("x"));
    // A slot does not serve it, although only KV has the revocation.
    let (desired, _) = with_mistakes(&[("ring", "v1.2.0")], "split = {");
    assert!(super::plan(&desired, &kv).refused[0].what.contains("v1.2.0, which is revoked (x)"));
}

#[test]
fn a_split_on_a_changed_version_is_pinned_like_its_slot() {
    let mut kv = Kv::default();
    sync(&with(&SLOTS, &split("10")), &mut kv);
    let changed = [THREE[0], ("v1.1.0", &b"d"[..], 4), THREE[2]];
    let mut desired = of(&changed, &SLOTS);
    policy::apply(&crate::policy::read(&split("10")), None, &mut desired);
    sync(&desired, &mut kv);
    let pinned = commit(4);
    assert_eq!(arms(&kv, "canary"), [format!("canary {pinned} 100000")]);
    assert_eq!(
        arms(&kv, "production"),
        [format!("canary {pinned} 10000"), "production v1.0.0 90000".into()]
    );
    assert!(kv.is_whole());
}

#[test]
fn weights_always_add_up() {
    for percent in ["0", "0.001", "33.333", "100"] {
        let mut kv = Kv::default();
        sync(&with(&SLOTS, &split(percent)), &mut kv);
        let sum: u32 = slot(&kv, "production").targets.iter().map(|target| target.weight).sum();
        assert_eq!(sum, FULL_WEIGHT);
    }
}
