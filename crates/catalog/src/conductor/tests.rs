use std::collections::BTreeMap;

use super::*;
use crate::record::{self, CatalogRecord};

fn spelled(key: &str) -> Vec<String> {
    let spell = |meaning: Meaning| match meaning {
        Meaning::Content(name, reference) => format!("{name} {reference}"),
        Meaning::Versions(name) => format!("{name} versions"),
    };
    meanings(key).into_iter().map(spell).collect()
}

#[test]
fn what_keys_mean() {
    for (key, meant) in [
        ("prompts/extraction@production", &["prompts/extraction production"][..]),
        (
            "prompts/extraction/production",
            &["prompts/extraction production", "prompts/extraction/production latest"],
        ),
        (
            "components/prompts/extraction/v1.0.0",
            &["prompts/extraction v1.0.0", "prompts/extraction/v1.0.0 latest"],
        ),
        ("components/prompts/extraction@1.0.0", &["prompts/extraction v1.0.0"]),
        ("prompts/extraction", &["prompts/extraction latest"]),
        (
            "templates/emails/welcome",
            &["templates/emails welcome", "templates/emails/welcome latest"],
        ),
        ("schemas/order@^2.0.0", &["schemas/order ^2.0.0"]),
        ("schemas/order/>=1 <3", &["schemas/order >=1 <3"]),
        ("prompts/extraction/_versions", &["prompts/extraction versions"]),
        ("components/prompts/a/b/_versions", &["prompts/a/b versions"]),
        ("prompt/a@latest", &["prompts/a latest", "prompt/a latest"]),
        ("query/a@latest", &["queries/a latest", "query/a latest"]),
        ("agent/a@latest", &["agents/a latest", "agent/a latest"]),
        ("agent-definition/a@latest", &["agents/a latest", "agent-definition/a latest"]),
        ("doc/_versions", &[]),
        ("components/extraction/v1.0.0", &["extraction/v1.0.0 latest"]),
        ("prompts", &[]),
        ("", &[]),
        ("prompts/extraction@", &[]),
        ("prompts/extraction@a b", &[]),
        ("files/prompts/a b.md", &[]),
        ("prompts/../secret@production", &[]),
    ] {
        assert_eq!(spelled(key), meant, "{key}");
    }
}

fn snapshot(version: &str) -> serde_json::Value {
    serde_json::json!({
        "version": version, "size": 3, "type": "text/markdown",
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed", "date": "2026-11-20T23:59:27Z",
    })
}

fn target(slot: &str, version: &str, weight: u32) -> serde_json::Value {
    let mut target = snapshot(version);
    target["slot"] = slot.into();
    target["weight"] = weight.into();
    target
}

/// Two versions, one that was revoked, a plain slot, a split and an experiment.
fn catalog(author: &str) -> CatalogRecord {
    let version = |version: &str, revoked: Option<&str>| {
        let mut record = snapshot(version);
        record["format"] = 1.into();
        record["author"] = author.into();
        record["path"] = "a.md".into();
        if let Some(why) = revoked {
            record["revoked"] = why.into();
        }
        record
    };
    let slot = |name: &str, targets: Vec<serde_json::Value>| serde_json::json!({ "record": { "format": 1, "slot": name, "targets": targets }, "moves": [] });
    let catalog = serde_json::json!({
        "format": 1,
        "versions": [version("v1.0.0", None), version("v1.0.1", Some("leaks")), version("v1.1.0", None)],
        "slots": {
            "production": slot("production", vec![target("canary", "v1.1.0", 10_000), target("production", "v1.0.0", 90_000)]),
            "staging": slot("staging", vec![target("staging", "v1.1.0", 100_000)]),
            "test": slot("test", vec![target("control", "v1.0.0", 50_000), target("treatment", "v1.1.0", 50_000)]),
        },
    });
    record::parse(catalog.to_string().as_bytes()).unwrap()
}

fn name(text: &str) -> ComponentName {
    text.parse().unwrap()
}

#[test]
fn what_a_component_can_be_asked_for() {
    let entries = entries(&name("prompts/a"), &catalog("Ada"));
    let spell = |entry: &Entry| {
        let Metadata { version, slot, assignment, .. } = &entry.metadata;
        format!("{} {version} {slot:?} {assignment:?}", entry.reference)
    };
    assert_eq!(
        entries.iter().map(spell).collect::<Vec<_>>(),
        [
            "v1.0.0 v1.0.0 None None",
            "v1.1.0 v1.1.0 None None",
            "production v1.0.0 Some(Slot(\"production\")) None",
            "staging v1.1.0 Some(Slot(\"staging\")) Some(Sole)",
            "test v1.0.0 Some(Slot(\"control\")) None",
        ]
    );
    assert_eq!(entries[0].metadata.kind, "prompt");
    assert_eq!(entries[0].metadata.author.as_deref(), Some("Ada"));
    assert_eq!(versions_index(&catalog("Ada")), r#"["v1.0.0","v1.1.0"]"#);
}

#[test]
fn metadata_always_fits() {
    let long = format!("{}/a", "x".repeat(190));
    for author in ["Ada", &"\u{1}".repeat(96)] {
        for entry in entries(&name(&long), &catalog(author)) {
            assert!(serde_json::to_vec(&entry.metadata).unwrap().len() <= 1024);
        }
    }
}

/// Lists page by page; how many catalog records were asked for at once counts not.
fn list(names: &[ComponentName], prefix: &str, limit: usize, most: usize) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let mut listing = Listing::new(names, prefix, &after, limit);
        loop {
            let wanted = listing.wants(most);
            if wanted.is_empty() {
                break;
            }
            assert!(wanted.len() <= most);
            for name in wanted {
                let there = name.as_str() != "prompts/gone";
                listing.supply(&name, there.then(|| catalog("Ada")).as_ref());
            }
        }
        let page = listing.finish();
        assert!(page.keys.len() <= limit);
        all.extend(page.keys.into_iter().map(|(key, _)| key));
        if !page.more {
            return all;
        }
        after = all.last().unwrap().clone();
    }
}

#[test]
fn pages_in_the_order_of_bytes_however_they_are_cut() {
    let names =
        ["prompts/a", "prompts/a-b", "prompts/a/b", "prompts/a.b", "prompts/gone", "tools/a"];
    let names = names.map(name);
    let whole = list(&names, "", 1_000, 100);
    assert!(whole.is_sorted());
    // Five components, three forms of five references, two indexes.
    assert_eq!(whole.len(), 5 * (3 * 5 + 2));
    for prefix in ["", "prompts/", "prompts/a", "prompts/a@", "prompts/a/", "prompts/a@v1.0", "x"] {
        let expected: Vec<_> = whole.iter().filter(|key| key.starts_with(prefix)).collect();
        for (limit, most) in [(1, 1), (2, 3), (7, 1), (1_000, 2)] {
            assert_eq!(list(&names, prefix, limit, most).iter().collect::<Vec<_>>(), expected);
        }
    }
    let tree = list(&names, "components/prompts/a/", 1_000, 100);
    assert!(tree.contains(&"components/prompts/a/production".to_owned()));
    assert!(tree.contains(&"components/prompts/a/b/_versions".to_owned()));
}

#[test]
fn every_listed_key_means_what_it_was_listed_for() {
    let component = name("prompts/a");
    for entry in entries(&component, &catalog("Ada")) {
        let reference = entry.reference.parse().unwrap();
        let meant = Meaning::Content(component.clone(), reference);
        for key in keys(&component, &entry.reference) {
            assert_eq!(meanings(&key).first(), Some(&meant), "{key}");
        }
    }
}

/// What a namespace holds after a layout was carried out.
fn applied(layout: &Layout, mut held: Held) -> Held {
    for item in &layout.writes {
        held.keys.insert(
            item.key.clone(),
            item.metadata.as_ref().map(|m| serde_json::to_value(m).unwrap()),
        );
        if let Value::Index(text) = &item.value {
            held.indexes.insert(item.key.clone(), text.clone());
        }
    }
    for key in &layout.deletions {
        held.keys.remove(key);
        held.indexes.remove(key);
    }
    held
}

fn catalogs(names: &[&str]) -> BTreeMap<ComponentName, CatalogRecord> {
    names.iter().map(|text| (name(text), catalog("Ada"))).collect()
}

#[test]
fn copies_are_written_once_in_the_safe_order() {
    // A type that reads as another's singular has copies of its own.
    let catalogs = catalogs(&["prompt/b", "prompts/a"]);
    let first = layout(&catalogs, &Held::default(), &[], false, false);
    assert_eq!(first.writes.len(), 2 * (3 * 5 + 2));
    let rank = |item: &Item| match &item.metadata {
        Some(metadata) if metadata.slot.is_none() => 0,
        Some(_) => 1,
        None => 2,
    };
    assert!(first.writes.iter().map(rank).is_sorted());
    let held = applied(&first, Held::default());
    let second = layout(&catalogs, &held, &[], true, false);
    assert!(second.is_empty() && second.blocked.is_none());
    assert_eq!((second.unchanged, second.foreign), (first.writes.len(), 0));
    // The keys are what a listing of the resolver shows.
    let names: Vec<ComponentName> = catalogs.keys().cloned().collect();
    assert_eq!(list(&names, "", 1_000, 100), held.keys.into_keys().collect::<Vec<_>>());
}

#[test]
fn what_is_gone_goes_with_prune_and_the_rest_is_left_alone() {
    let before = catalogs(&["prompts/a", "prompts/b", "prompts/c"]);
    let mut held = applied(&layout(&before, &Held::default(), &[], false, false), Held::default());
    let foreign = ["prompts/z@v1.0.0", "prompts/z/_versions", "ensemble:x", "files/a.md"];
    held.keys.extend(foreign.map(|key| (key.to_owned(), None)));
    let after = catalogs(&["prompts/a", "prompts/b"]);
    let kept = layout(&after, &held, &[], false, false);
    assert_eq!((kept.kept.len(), kept.deletions.len(), kept.foreign), (17, 0, foreign.len()));
    let pruned = layout(&after, &held, &[], true, false);
    assert_eq!((pruned.deletions.len(), pruned.blocked), (17, None));
    assert!(pruned.deletions.iter().take(2).all(|key| key.ends_with("/_versions")));
    assert!(pruned.deletions.iter().rev().take(6).all(|key| key.contains("v1.")));
    // Of one component alone, the others' keys are nobody's concern.
    let only = layout(&catalogs(&["prompts/a"]), &held, &[name("prompts/a")], true, false);
    assert!(only.is_empty() && only.blocked.is_none());
    let most = layout(&catalogs(&["prompts/a"]), &held, &[], true, false);
    assert!(most.blocked.is_some());
    assert!(layout(&catalogs(&["prompts/a"]), &held, &[], true, true).blocked.is_none());
}

#[test]
fn a_slot_that_moved_is_written_again_and_nothing_else() {
    let mut catalogs = catalogs(&["prompts/a"]);
    let held = applied(&layout(&catalogs, &Held::default(), &[], false, false), Held::default());
    let staging = catalogs.get_mut(&name("prompts/a")).unwrap();
    let record = &mut staging.slots.get_mut(&"staging".parse::<Slot>().unwrap()).unwrap().record;
    record.targets[0].arm.snapshot.version = "v1.0.0".parse().unwrap();
    let moved = layout(&catalogs, &held, &[], false, false);
    let keys: Vec<&str> = moved.writes.iter().map(|item| item.key.as_str()).collect();
    assert_eq!(keys, ["components/prompts/a/staging", "prompts/a/staging", "prompts/a@staging"]);
}
