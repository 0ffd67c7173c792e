//! A ranges record gives the same version as the catalog record of the same versions.

// A test fails by a panic.
#![allow(clippy::unwrap_used, missing_docs)]
#![cfg(not(target_arch = "wasm32"))]

use catalog::digest::Digest;
use catalog::range::Range;
use catalog::record::{CatalogRecord, FORMAT, RangesRecord, Snapshot, VersionRecord, parse, write};
use catalog::version::Version;
use proptest::prelude::*;
use vecmap::VecMap;

/// Versions with few numbers, so that many satisfy a range or are at its end.
fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        "v[0-3]\\.[0-2]\\.[0-2]",
        "v[0-2]\\.[0-1]\\.[0-1]-(0|1|rc|rc\\.[0-9]|rc\\.10|beta\\.2)",
        "v[0-1]\\.0\\.[0-1](-rc\\.[0-1])?\\+b[0-2]",
        "[0-9a-f]{40}",
    ]
}

fn partial() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-3x](\\.[0-2x](\\.[0-2x])?)?",
        "[0-2]\\.[0-1]\\.[0-1]-(0|1|rc|rc\\.[0-9]|beta\\.2)(\\+b1)?",
    ]
}

fn range() -> impl Strategy<Value = Range> {
    let comparator = ("(|=|<|<=|>|>=|\\^|~)", partial()).prop_map(|(op, version)| op + &version);
    let hyphen = (partial(), partial()).prop_map(|(from, to)| format!("{from} - {to}"));
    let all = prop::collection::vec(comparator, 1..3).prop_map(|all| all.join(" "));
    let alternative = prop_oneof![4 => all, 1 => hyphen];
    prop::collection::vec(alternative, 1..4)
        .prop_filter_map("not a range", |any| any.join("||").parse().ok())
}

fn record(version: Version, revoked: bool) -> VersionRecord {
    VersionRecord {
        format: FORMAT,
        snapshot: Snapshot {
            digest: Digest::of(version.to_string().as_bytes()),
            version,
            size: 0,
            media_type: "text/plain".parse().unwrap(),
            sha: "0".repeat(40).parse().unwrap(),
            date: "2026-11-20T23:59:27Z".parse().unwrap(),
        },
        author: "Ada".to_owned(),
        path: "prompts/a.md".to_owned(),
        revoked: revoked.then(|| "leaks".to_owned()),
    }
}

fn catalog(versions: Vec<(String, bool)>) -> CatalogRecord {
    let parsed = versions.into_iter().map(|(text, revoked)| (text.parse().unwrap(), revoked));
    let sorted: std::collections::BTreeMap<Version, bool> = parsed.collect();
    let versions = sorted.into_iter().map(|(version, revoked)| record(version, revoked)).collect();
    CatalogRecord { format: FORMAT, versions, slots: VecMap::new() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn ranges_choose_as_the_catalog_does(
        versions in prop::collection::vec((version(), prop::bool::weighted(0.2)), 0..24),
        ranges in prop::collection::vec(range(), 1..6),
    ) {
        let catalog = catalog(versions);
        let text = write(&RangesRecord::new(&catalog.versions));
        let record: RangesRecord = parse(&text).unwrap();
        for range in ranges {
            let expected = catalog.highest_in(&range, None);
            let expected = expected.map(|found| (found.version.clone(), found.digest));
            prop_assert_eq!(record.highest_in(&range), Ok(expected), "{}", range);
        }
        for known in &catalog.versions {
            let live = known.revoked.is_none() && known.snapshot.version.semver().is_some();
            prop_assert_eq!(record.has(&known.snapshot.version), Ok(live));
        }
        let listed = record.versions().unwrap();
        prop_assert!(listed.keys().all(|version| catalog.is_live(version)));
    }
}
