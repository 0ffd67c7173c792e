//! Plans of the ranges record.

use super::prune::pruning;
use super::*;
use catalog::record::{RangesMetadata, RangesRecord};

const THREE: [(&str, &[u8], usize); 3] =
    [("v1.0.0", b"a", 1), ("v1.1.0", b"b", 2), ("v2.0.0-rc.1", b"c", 3)];

fn key() -> Key {
    Key::Ranges("prompts/a".parse().unwrap())
}

/// Returns the highest version that a range chooses.
fn highest(kv: &Kv, range: &str) -> Option<String> {
    let record: RangesRecord = kv.record(&key());
    let found = record.highest_in(&range.parse().unwrap()).unwrap();
    found.map(|(version, _)| version.to_string())
}

#[test]
fn ranges_follow_the_versions_and_not_the_slots() {
    let mut kv = Kv::default();
    sync(&of(&THREE[..2], &[("production", "v1.0.0")]), &mut kv);
    assert_eq!(highest(&kv, "*").unwrap(), "v1.1.0");
    let plan = sync(&of(&THREE[..2], &[("production", "v1.1.0")]), &mut kv);
    assert_eq!(plan.stage(Stage::Ranges).count(), 0);
    let plan = sync(&of(&THREE, &[("production", "v1.1.0")]), &mut kv);
    assert_eq!(plan.stage(Stage::Ranges).count(), 1);
    assert_eq!(highest(&kv, "^2.0.0-0").unwrap(), "v2.0.0-rc.1");
    let mut less = of(&THREE, &[("production", "v1.0.0")]);
    let component = less.components.values_mut().next().unwrap();
    let revoked = component.versions.get_mut(&"v1.1.0".parse().unwrap()).unwrap();
    revoked.revoked = Some("leaks".to_owned());
    sync(&less, &mut kv);
    assert_eq!(highest(&kv, "*").unwrap(), "v1.0.0");
    kv.apply(&planned_with(&of(&THREE[1..], &[]), &kv, &pruning(kv_time())).0.writes);
    assert_eq!(highest(&kv, "1.0.x"), None, "it was pruned");
}

fn kv_time() -> Timestamp {
    NOW.parse().unwrap()
}

/// An earlier release writes versions and catalogs, but not this record: it leaves none, or one
/// that was made from other versions.
#[test]
fn a_record_that_an_earlier_slotctl_left_behind_is_written_again() {
    let mut kv = Kv::default();
    sync(&of(&THREE[..1], &[]), &mut kv);
    let old: Vec<Write> = plan(&of(&THREE, &[]), &kv)
        .writes
        .into_iter()
        .filter(|write| write.stage() != Stage::Ranges)
        .collect();
    kv.apply(&old);
    for _ in 0..2 {
        let plan = sync(&of(&THREE, &[]), &mut kv);
        assert_eq!(lines(&plan), ["prompts/a@ranges: versions for ranges"]);
        assert!(self::plan(&of(&THREE, &[]), &kv).is_empty());
        kv.0.remove(&(Namespace::Components, key().to_string()));
    }
}

#[test]
fn a_version_that_git_lost_stays_in_the_record() {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[]), &mut kv);
    sync(&of(&[THREE[0], ("v3.0.0", b"d", 4)], &[]), &mut kv);
    let record: RangesRecord = kv.record(&key());
    let listed: Vec<String> = record.versions().unwrap().keys().map(ToString::to_string).collect();
    assert_eq!(listed, ["v1.0.0", "v1.1.0", "v2.0.0-rc.1", "v3.0.0"]);
}

#[test]
fn a_repair_writes_a_damaged_record_again() {
    let desired = of(&TWO, &[("production", "v1.0.0")]);
    let mut kv = Kv::default();
    sync(&desired, &mut kv);
    for damaged in [&b"{"[..], br#"{"format":1,"releases":""}"#] {
        let mut broken = kv.clone();
        broken.set("prompts/a@ranges", damaged);
        assert!(plan(&desired, &broken).is_empty(), "the metadata is right");
        let mut actual = broken.listed();
        let found: Vec<Key> = unread_records(&actual)
            .into_iter()
            .filter(|key| examine_record(&mut actual, key, broken.value(key)))
            .collect();
        assert_eq!(found, [key()]);
        let options = Options::at(kv_time());
        let plan = drive(Planning::begin(&desired, actual, &options), &broken).0;
        assert_eq!(lines(&plan), ["prompts/a@ranges: versions for ranges"]);
        broken.apply(&plan.writes);
        assert_eq!(broken, kv);
    }
}

#[test]
fn the_metadata_has_the_hash_of_the_bytes() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[]), &mut kv);
    let (value, metadata) = &kv.0[&(Namespace::Components, key().to_string())];
    let metadata: RangesMetadata = serde_json::from_value(metadata.clone().unwrap()).unwrap();
    assert_eq!(metadata.hash, Digest::of(value));
}
