//! Compares the reading of a repository that the real edgit 0.5.0 made with plain git's output.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reconcile::tag::TagTarget;
use serde_json::Value;

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

fn truth() -> BTreeMap<String, Value> {
    let json = std::fs::read(fixture("shop.truth.json")).unwrap();
    let mut truth: BTreeMap<String, Value> = serde_json::from_slice(&json).unwrap();
    serde_json::from_value(truth.remove("components").unwrap()).unwrap()
}

/// Returns the version of a slot: that of the truth; else, by the rule of the design, the highest
/// version tag at the commit that the slot was set to, or that commit.
fn version_of(slot: &Value) -> String {
    let text = |key: &str| slot[key].as_str().map(str::to_owned);
    let at_commit = slot["versions_at_commit"].as_array().unwrap().iter();
    let highest = at_commit.map(|v| v.as_str().unwrap().parse::<Version>().unwrap()).max();
    text("version").or(highest.map(|v| v.to_string())).or(text("commit")).unwrap()
}

fn check_served(reading: &Reading, name: &str, version: &str, truth: &Value) {
    let component = &reading.desired.components[&name.parse().unwrap()];
    let record = &component.versions[&version.parse().unwrap()];
    let served = (
        record.snapshot.sha.to_string(),
        record.path.clone(),
        record.snapshot.digest.to_string(),
        Some(record.snapshot.size),
    );
    let text = |key: &str| truth[key].as_str().unwrap().to_owned();
    let expected = (text("commit"), text("path"), text("sha256"), truth["size"].as_u64());
    assert_eq!(served, expected, "{name}@{version}");
}

#[test]
fn every_tag_serves_the_content_in_git() {
    let dir = tempfile::tempdir().unwrap();
    run(
        dir.path(),
        &[
            "clone".as_ref(),
            "--quiet".as_ref(),
            "--mirror".as_ref(),
            fixture("shop.bundle").as_os_str(),
            "shop.git".as_ref(),
        ],
    );
    let registry = fixture("shop.components.json");
    let reading = read_with(&dir.path().join("shop.git"), Some(&registry));
    assert_eq!((&reading.warnings, &reading.refused), (&vec![], &vec![]));
    let (mut versions, mut slots) = (0, 0);
    for (full_name, component) in truth() {
        let Some(name) = full_name.strip_prefix("components/") else {
            check_logic(&reading, full_name.strip_prefix("logic/").unwrap(), &component);
            continue;
        };
        for (version, truth) in component["versions"].as_object().unwrap() {
            check_served(&reading, name, version, truth);
            versions += 1;
        }
        for (slot, truth) in component["slots"].as_object().unwrap() {
            let version = version_of(truth);
            let desired = &reading.desired.components[&name.parse().unwrap()].slots;
            assert_eq!(
                desired[&slot.parse().unwrap()].version.to_string(),
                version,
                "{name}@{slot}"
            );
            check_served(&reading, name, &version, truth);
            slots += 1;
        }
    }
    assert_eq!((versions, slots), (26, 26));
    assert_eq!(reading.logic.len(), 5);
    assert_eq!(reading.head.unwrap().as_str(), "136d79bfe6f90a8a3686f7718de3da86e7e17cdf");
}

fn check_logic(reading: &Reading, name: &str, component: &Value) {
    let name = name.parse().unwrap();
    assert!(!reading.desired.components.contains_key(&name), "logic is never written");
    let tags =
        ["versions", "slots"].into_iter().flat_map(|key| component[key].as_object().unwrap());
    for (leaf, truth) in tags {
        let tag =
            reading.logic.iter().find(|tag| tag.name == name && tag.target.to_string() == *leaf);
        let tag = tag.unwrap();
        assert_eq!(tag.commit.as_str(), truth["commit"].as_str().unwrap());
        let version = match &tag.target {
            TagTarget::Version(version) => version.to_string(),
            TagTarget::Slot(_) => version_of(truth),
        };
        assert_eq!(tag.version.to_string(), version, "{name}@{leaf}");
    }
}

#[test]
fn without_a_registry_files_are_found_by_convention() {
    let dir = tempfile::tempdir().unwrap();
    run(
        dir.path(),
        &[
            "clone".as_ref(),
            "--quiet".as_ref(),
            fixture("shop.bundle").as_os_str(),
            "shop".as_ref(),
        ],
    );
    let reading = read(&dir.path().join("shop"));
    check(
        &reading.refused,
        &[
            ("components/prompts/greeting/v1.0.0", "prompts/{greeting,greeting.prompt}.*"),
            ("components/prompts/greeting/v1.0.1", "no file"),
            ("components/templates/logo/production", "it points to v1.0.0"),
            ("components/templates/logo/v1.0.0", "no file"),
        ],
    );
    assert_eq!(reading.warnings, vec![]);
    assert_eq!(versions(&reading, "schemas/order-schema"), ["v1.0.0=schemas/order.proto"]);
    assert_eq!(versions(&reading, "prompts/extraction-prompt"), ["v0.1.0=prompts/extraction.md"]);
}
