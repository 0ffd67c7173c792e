//! A namespace for Conductor in several layouts.

use catalog::conductor::Listing;
use catalog::record;
use catalog::slot::Slot;

use super::*;

/// Returns a catalog of versions (one of them revoked), a plain slot, a split and an
/// experiment.
fn catalog() -> CatalogRecord {
    record::parse(include_bytes!("../../../../tests/fixtures/catalog.json")).unwrap()
}

fn name(text: &str) -> ComponentName {
    text.parse().unwrap()
}

/// Returns the keys of all components, as the Worker lists them.
fn listed(names: &[ComponentName]) -> Vec<String> {
    let mut listing = Listing::new(names, "", "", 1_000);
    loop {
        let wanted = listing.wants(names.len());
        if wanted.is_empty() {
            break;
        }
        for name in wanted {
            listing.supply(&name, Some(&catalog()));
        }
    }
    listing.finish().keys.into_iter().map(|(key, _)| key).collect()
}

/// Returns the state of a namespace after a layout was carried out.
fn applied(layout: &CopyPlan, mut held: HeldCopies) -> HeldCopies {
    for item in &layout.writes {
        held.keys.insert(
            item.key.clone(),
            item.metadata.as_ref().map(|m| serde_json::to_value(m).unwrap()),
        );
        if let CopyValue::Index(text) = &item.value {
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
    names.iter().map(|text| (name(text), catalog())).collect()
}

#[test]
fn copies_are_written_once_in_the_safe_order() {
    // A type that is also the singular of another type has its own copies.
    let catalogs = catalogs(&["prompt/b", "prompts/a"]);
    let first = layout(&catalogs, &HeldCopies::default(), &[], false, false);
    assert_eq!(first.writes.len(), 2 * (3 * 5 + 2));
    let rank = |item: &CopyItem| match &item.metadata {
        Some(metadata) if metadata.slot.is_none() => 0,
        Some(_) => 1,
        None => 2,
    };
    assert!(first.writes.iter().map(rank).is_sorted());
    let held = applied(&first, HeldCopies::default());
    let second = layout(&catalogs, &held, &[], true, false);
    assert!(second.is_empty() && second.blocked.is_none());
    assert_eq!((second.unchanged, second.foreign), (first.writes.len(), 0));
    // The keys are those in a listing of the resolver.
    let names: Vec<ComponentName> = catalogs.keys().cloned().collect();
    assert_eq!(listed(&names), held.keys.into_keys().collect::<Vec<_>>());
}

#[test]
fn old_copies_are_deleted_only_with_prune_and_foreign_keys_are_kept() {
    let before = catalogs(&["prompts/a", "prompts/b", "prompts/c"]);
    let mut held =
        applied(&layout(&before, &HeldCopies::default(), &[], false, false), HeldCopies::default());
    let foreign = ["prompts/z@v1.0.0", "prompts/z/_versions", "ensemble:x", "files/a.md"];
    held.keys.extend(foreign.map(|key| (key.to_owned(), None)));
    let after = catalogs(&["prompts/a", "prompts/b"]);
    let kept = layout(&after, &held, &[], false, false);
    assert_eq!((kept.kept.len(), kept.deletions.len(), kept.foreign), (17, 0, foreign.len()));
    let pruned = layout(&after, &held, &[], true, false);
    assert_eq!((pruned.deletions.len(), pruned.blocked), (17, None));
    assert!(pruned.deletions.iter().take(2).all(|key| key.ends_with("/_versions")));
    assert!(pruned.deletions.iter().rev().take(6).all(|key| key.contains("v1.")));
    // A layout of one component ignores the keys of others.
    let only = layout(&catalogs(&["prompts/a"]), &held, &[name("prompts/a")], true, false);
    assert!(only.is_empty() && only.blocked.is_none());
    let most = layout(&catalogs(&["prompts/a"]), &held, &[], true, false);
    assert!(most.blocked.is_some());
    assert!(layout(&catalogs(&["prompts/a"]), &held, &[], true, true).blocked.is_none());
}

#[test]
fn a_moved_slot_rewrites_only_its_own_copies() {
    let mut catalogs = catalogs(&["prompts/a"]);
    let held = applied(
        &layout(&catalogs, &HeldCopies::default(), &[], false, false),
        HeldCopies::default(),
    );
    let staging = catalogs.get_mut(&name("prompts/a")).unwrap();
    let record = &mut staging.slots.get_mut(&"staging".parse::<Slot>().unwrap()).unwrap().record;
    record.targets[0].arm.snapshot.version = "v1.0.0".parse().unwrap();
    let moved = layout(&catalogs, &held, &[], false, false);
    let keys: Vec<&str> = moved.writes.iter().map(|item| item.key.as_str()).collect();
    assert_eq!(keys, ["components/prompts/a/staging", "prompts/a/staging", "prompts/a@staging"]);
}
