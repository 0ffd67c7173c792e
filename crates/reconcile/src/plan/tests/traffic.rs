//! What `rollouts.toml` makes of slots: splits, segments, aliases, revocations and
//! mistakes.

use super::*;
use crate::desired::TrafficChange;
use crate::policy;

const THREE: [(&str, &[u8], usize); 3] =
    [("v1.0.0", b"a", 1), ("v1.1.0", b"b", 2), ("v1.2.0", b"c", 3)];

const SLOTS: [(&str, &str); 3] =
    [("production", "v1.0.0"), ("canary", "v1.1.0"), ("ring", "v1.2.0")];

/// Routes for the model's slots, where those that they name are there.
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

/// The component with a policy; gives the mistakes too.
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

/// `canary v1.1.0 10000` for each target, `beta: ring v1.2.0` for each segment.
fn arms(kv: &Kv, name: &str) -> Vec<String> {
    let record = slot(kv, name);
    let targets = record.targets.iter().map(|target| {
        format!("{} {} {}", target.arm.slot, target.arm.snapshot.version, target.weight)
    });
    let segments = record.segments.iter();
    let segments = segments.map(|(s, arm)| format!("{s}: {} {}", arm.slot, arm.snapshot.version));
    targets.chain(segments).collect()
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
fn every_change_of_traffic_is_told_in_words() {
    let beta = |slot: &str| format!("{}segments = {{ beta = \"{slot}\" }}\n", split("25"));
    let mut kv = Kv::default();
    sync(&with(&SLOTS, ""), &mut kv);
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
        let plan = sync(&with(&SLOTS, &text), &mut kv);
        assert_eq!(lines(&plan)[0], format!("prompts/a@production: {expected}"));
        assert_eq!(plan.writes.len(), 2, "a slot record and the catalog");
        assert_eq!(moves(&kv, "production").len(), 1, "its own version stands still");
    }
}

#[test]
fn a_moved_slot_is_written_wherever_it_is_an_arm() {
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
    assert_eq!((moves(&kv, "canary").len(), moves(&kv, "production").len()), (2, 1));
}

#[test]
fn an_alias_switches_all_traffic_and_its_moves_say_who_did() {
    let alias = |to: &str| format!("[\"prompts/a\".live]\nalias = \"{to}\"\n");
    let mut kv = Kv::default();
    sync(&with(&SLOTS, &alias("production")), &mut kv);
    assert_eq!(arms(&kv, "live"), ["production v1.0.0 100000"]);
    let plan = sync(&with(&SLOTS, &alias("canary")), &mut kv);
    assert_eq!(lines(&plan)[0], "prompts/a@live: production v1.0.0 → canary v1.1.0");
    // It goes with the slot that it leads to, too.
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
fn a_slot_without_a_tag_can_be_split_whole() {
    let text = "[\"prompts/a\".experiment]\nsplit = { canary = 50, ring = 50 }\n";
    let mut kv = Kv::default();
    sync(&with(&SLOTS, text), &mut kv);
    assert_eq!(arms(&kv, "experiment"), ["canary v1.1.0 50000", "ring v1.2.0 50000"]);
    assert_eq!(moves(&kv, "experiment").len(), 0, "no version counts as its own");
    // Taken out of the file, nothing of Git has it: it is kept and reported.
    let plan = sync(&with(&SLOTS, ""), &mut kv);
    assert_eq!((plan.writes.len(), plan.kept.len()), (0, 1));
}

#[test]
fn a_split_with_a_hold_is_left_until_callers_get_the_same() {
    let mut kv = Kv::default();
    sync(&with(&SLOTS, &split("10")), &mut kv);
    hold(&mut kv, "v1.0.0");
    let plan = sync(&with(&SLOTS, &split("10")), &mut kv);
    assert_eq!(
        plan.held[0].to_string(),
        "prompts/a@production: held at v1.0.0, Git says canary v1.1.0 10 %, production v1.0.0 90 % \
         (v1.1.0 leaks, by Ada at 2026-11-21T09:00:00Z)"
    );
    let plan = sync(&with(&SLOTS, &split("0")), &mut kv);
    assert_eq!((plan.held.len(), slot(&kv, "production").hold), (0, None));
    assert_eq!(lines(&plan).len(), 2);
}

#[test]
fn a_revoked_version_is_marked_and_what_leads_to_it_is_left() {
    let mut kv = Kv::default();
    sync(&with(&SLOTS, &split("10")), &mut kv);
    let before = kv.clone();
    let text = format!("{}[\"prompts/a\"]\nrevoked = {{ \"v1.1.0\" = \"leaks\" }}\n", split("50"));
    let plan = sync(&with(&SLOTS, &text), &mut kv);
    assert_eq!(lines(&plan)[0], "prompts/a@v1.1.0: revoked (leaks)");
    assert_eq!(
        notices(&plan.refused),
        [
            "prompts/a@canary: it stands on v1.1.0, which is revoked (leaks): the slot is left",
            "prompts/a@production: it sends callers to canary, which is refused: the slot is left",
        ]
    );
    assert_eq!(
        plan.refused[0].help.as_deref(),
        Some("set it to another version: slotctl tag set prompts/a canary <version>")
    );
    for slot in ["canary", "production"] {
        let key = Key::parse(Namespace::Slots, &format!("prompts/a@{slot}")).unwrap();
        assert_eq!(kv.value(&key), before.value(&key));
    }
    assert!(super::plan(&with(&SLOTS, &text), &kv).is_empty());
    let plan = sync(&with(&SLOTS, &split("50")), &mut kv);
    assert_eq!(lines(&plan)[0], "prompts/a@v1.1.0: not revoked any more");
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
    assert_eq!(plan.refused.len(), 2, "both slots that KV keeps still lead to it");
    assert!(super::plan(&desired, &kv).is_empty());
}

#[test]
fn a_mistake_costs_its_slot_alone() {
    let mut kv = Kv::default();
    let other = "[\"prompts/a\".live]\nalias = \"ring\"\n";
    sync(&with(&SLOTS, &split("10")), &mut kv);
    for (mistake, expected) in [
        ("split = { canary = 110 }", "rollouts.toml:2: the share of canary is no percentage"),
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
    // Slots that get all of their own traffic still follow their tags.
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
    // A slot on it is refused although only KV knows.
    let (desired, _) = with_mistakes(&[("ring", "v1.2.0")], "split = {");
    assert!(super::plan(&desired, &kv).refused[0].what.contains("v1.2.0, which is revoked (x)"));
}

#[test]
fn a_split_on_a_changed_version_is_pinned_as_the_slot_is() {
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
