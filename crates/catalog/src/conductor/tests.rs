use super::*;
use crate::name::ComponentName;
use crate::record::{self, CatalogRecord};

fn spelled(key: &str) -> Vec<String> {
    let spell = |meaning: Meaning| match meaning {
        Meaning::Content(name, reference) => format!("{name} {reference}"),
        Meaning::Versions(name) => format!("{name} versions"),
    };
    meanings(key).into_iter().map(spell).collect()
}

#[test]
fn meanings_returns_every_meaning_of_a_key() {
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

/// Creates two versions, a revoked version, a plain slot, a split and an experiment.
fn catalog() -> CatalogRecord {
    record::parse(include_bytes!("../../../../tests/fixtures/catalog.json")).unwrap()
}

fn name(text: &str) -> ComponentName {
    text.parse().unwrap()
}

#[test]
fn entries_lists_versions_and_slots() {
    let entries = entries(&name("prompts/a"), &catalog());
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
    assert_eq!(versions_index(&catalog()), r#"["v1.0.0","v1.1.0"]"#);
}

#[test]
fn metadata_always_fits() {
    let long = format!("{}/a", "x".repeat(190));
    for author in ["Ada", &"\u{1}".repeat(96)] {
        let mut catalog = catalog();
        for version in &mut catalog.versions {
            author.clone_into(&mut version.author);
        }
        for entry in entries(&name(&long), &catalog) {
            assert!(serde_json::to_vec(&entry.metadata).unwrap().len() <= 1024);
        }
    }
}

/// Lists all keys page by page. `most` catalog records at a time must not change the result.
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
                listing.supply(&name, there.then(catalog).as_ref());
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
fn pages_are_in_byte_order_for_every_page_size() {
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
fn every_listed_key_has_its_meaning() {
    let component = name("prompts/a");
    for entry in entries(&component, &catalog()) {
        let reference = entry.reference.parse().unwrap();
        let meant = Meaning::Content(component.clone(), reference);
        for key in keys(&component, &entry.reference) {
            assert_eq!(meanings(&key).first(), Some(&meant), "{key}");
        }
    }
}
