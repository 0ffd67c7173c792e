//! Audits of a small KV with one broken key at a time.

use super::*;
use catalog::record::SlotEntry;
use catalog::record::{FORMAT, RangesMetadata, Snapshot};

fn version(version: &str, bytes: &[u8]) -> VersionRecord {
    VersionRecord {
        format: FORMAT,
        snapshot: Snapshot {
            version: version.parse().unwrap(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            media_type: "text/plain".parse().unwrap(),
            sha: "0".repeat(40).parse().unwrap(),
            date: "2026-11-20T23:59:27Z".parse().unwrap(),
        },
        author: "Ada".to_owned(),
        path: "prompts/a.md".to_owned(),
        revoked: None,
    }
}

/// The value of every key, with its metadata.
type Kv = BTreeMap<Key, (Vec<u8>, Option<Value>)>;

fn name() -> ComponentName {
    "prompts/a".parse().unwrap()
}

fn key(text: &str) -> Key {
    let slot = text.ends_with("@production");
    Key::parse(if slot { Namespace::Slots } else { Namespace::Components }, text).unwrap()
}

fn whole() -> (Desired, Kv) {
    let record = version("v1.0.0", b"a");
    let slot = SlotRecord::sole("production".parse().unwrap(), record.snapshot.clone());
    let entry = SlotEntry { record: slot.clone(), moves: Vec::new() };
    let catalog = CatalogRecord {
        format: FORMAT,
        versions: vec![record.clone()],
        slots: vecmap::VecMap::from([(slot.slot.clone(), entry)]),
    };
    let index = IndexRecord::new([(name(), Some(vec![slot.slot.clone()]))]);
    let mut desired = Desired::default();
    desired
        .components
        .entry(name())
        .or_default()
        .versions
        .insert(record.snapshot.version.clone(), record.clone());
    let metadata = |value| serde_json::to_value(value).ok();
    let ranges = RangesRecord::new([&record]);
    let state = BTreeMap::from([(&record.snapshot.version, record.hash())]);
    let made_from = ranges.metadata(RangesMetadata::state(state));
    let kv = Kv::from([
        (key("prompts/a@production"), (record::write(&slot), None)),
        (
            key("prompts/a@v1.0.0"),
            (record::write(&record), serde_json::to_value(record.metadata()).ok()),
        ),
        (key("prompts/a@ranges"), (record::write(&ranges), serde_json::to_value(made_from).ok())),
        (key("prompts/a"), (record::write(&catalog), metadata(catalog.metadata()))),
        (key("index"), (record::write(&index), metadata_of(&index))),
        (Key::Content(Digest::of(b"a")), (b"a".to_vec(), None)),
    ]);
    (desired, kv)
}

fn metadata_of(index: &IndexRecord) -> Option<Value> {
    serde_json::to_value(index.metadata()).ok()
}

fn audit(desired: &Desired, kv: &Kv) -> Vec<String> {
    findings(Audit::new(desired), kv)
}

fn findings(mut audit: Audit<'_>, kv: &Kv) -> Vec<String> {
    for (key, (_, metadata)) in kv {
        audit.list(key.namespace(), &key.to_string(), metadata.clone());
    }
    audit.list(Namespace::Components, "somebody else's", None);
    for key in audit.keys() {
        audit.read(&key, kv.get(&key).map(|(value, _)| value.as_slice()));
    }
    audit.link();
    for (digest, _) in audit.contents() {
        let found = kv.get(&Key::Content(digest)).map(|(value, _)| Digest::of(value));
        audit.content(digest, found);
    }
    let show = |notice: Notice| format!("{}: {}", notice.subject, notice.what);
    audit.findings().into_iter().map(show).collect()
}

#[test]
fn audit_finds_nothing_in_a_synced_store() {
    let (desired, kv) = whole();
    assert_eq!(audit(&desired, &kv), [""; 0]);
    // A change that a sync has yet to write is not a finding.
    assert_eq!(audit(&desired, &Kv::new()), [""; 0]);
}

/// Checks the findings if the key `broken` has another value; `None` removes it.
#[track_caller]
fn check(broken: &str, value: Option<&[u8]>, expected: &[&str]) {
    let (desired, mut kv) = whole();
    match value {
        Some(value) => kv.get_mut(&key(broken)).unwrap().0 = value.to_vec(),
        None => drop(kv.remove(&key(broken))),
    }
    let findings = audit(&desired, &kv);
    for expected in expected {
        assert!(findings.iter().any(|found| found.contains(expected)), "{findings:#?}");
    }
}

#[test]
fn audit_reports_every_broken_record() {
    let (slot, version) = ("prompts/a@production", "prompts/a@v1.0.0");
    check(slot, Some(b"{}"), &["prompts/a@production: malformed record"]);
    check(slot, None, &["prompts/a: it lists production, which does not exist"]);
    check(version, None, &["prompts/a@production: it leads to v1.0.0, which does not exist"]);
    let other = record::write(&super::tests::version("v1.0.0", b"b"));
    let said = [
        "prompts/a@production: it says that v1.0.0 is sha256:ca97",
        "prompts/a@v1.0.0: KV has sha256:3e23",
        "prompts/a@v1.0.0: the record does not match the hash in its metadata",
        "prompts/a: it lists another state of v1.0.0",
    ];
    check(version, Some(&other), &said);
    check("prompts/a", None, &["prompts/a: it does not exist"]);
    let ranges = "prompts/a@ranges";
    let said = [
        "prompts/a@ranges: it does not list v1.0.0",
        "prompts/a@ranges: the record does not match the hash in its metadata",
    ];
    check(ranges, Some(br#"{"format":1,"releases":""}"#), &said);
    let other = record::write(&RangesRecord::new([&super::tests::version("v1.0.0", b"b")]));
    check(ranges, Some(&other), &["prompts/a@ranges: it lists another state of v1.0.0"]);
    let entry = br#"{"format":1,"releases":"v1.0.0"}"#;
    check(ranges, Some(entry), &["prompts/a@ranges: malformed record: an entry is not"]);
    check(version, None, &["prompts/a@ranges: it lists v1.0.0, which does not exist"]);
    check("prompts/a", Some(b"{\"format\":2}"), &["prompts/a: the record has format 2"]);
    let empty = b"{\"format\":1,\"components\":[]}";
    check("index", Some(empty), &["index: it does not list prompts/a"]);
    check("index", None, &["index: it does not exist"]);
}

#[test]
fn audit_reports_missing_and_changed_contents() {
    let content = Key::Content(Digest::of(b"a")).to_string();
    check(&content, None, &["afee48bb: it does not exist (prompts/a@"]);
    check(&content, Some(b"x"), &["afee48bb: its bytes have the digest sha256:2d71"]);
}

#[test]
fn audit_reports_misplaced_and_unlisted_records() {
    let (desired, mut kv) = whole();
    let mut moved: SlotRecord = record::parse(&kv[&key("prompts/a@production")].0).unwrap();
    moved.slot = "staging".parse().unwrap();
    kv.insert(key("prompts/a@production"), (record::write(&moved), None));
    assert!(
        audit(&desired, &kv)[1].contains("it is the record of staging"),
        "{:?}",
        audit(&desired, &kv)
    );
    let (desired, mut kv) = whole();
    let record = version("v1.1.0", b"a");
    let metadata = serde_json::to_value(record.metadata()).ok();
    kv.insert(key("prompts/a@v1.1.0"), (record::write(&record), metadata));
    let unlisted =
        ["prompts/a: it does not list v1.1.0", "prompts/a@ranges: it does not list v1.1.0"];
    assert_eq!(audit(&desired, &kv), unlisted);
    kv.remove(&key("prompts/a@ranges"));
    assert_eq!(audit(&desired, &kv), unlisted[..1], "an earlier slotctl writes no ranges record");
}

/// Checks the findings on an index with these entries.
#[track_caller]
fn check_index(entries: &[(&str, Option<&[&str]>)], expected: &[&str]) {
    let (desired, mut kv) = whole();
    let slots = |slots: &&[&str]| slots.iter().map(|slot| slot.parse().unwrap()).collect();
    let entries = entries.iter().map(|(name, of)| (name.parse().unwrap(), of.as_ref().map(slots)));
    let index = IndexRecord::new(entries);
    kv.insert(Key::Index, (record::write(&index), metadata_of(&index)));
    assert_eq!(audit(&desired, &kv), expected);
}

#[test]
fn audit_compares_the_index_with_components_and_slots() {
    let both: &[&str] = &["production", "staging"];
    check_index(&[("prompts/a", Some(&["production"]))], &[]);
    check_index(
        &[("prompts/a", Some(both))],
        &["index: it lists prompts/a@staging, which does not exist"],
    );
    check_index(&[("prompts/a", Some(&[]))], &["index: it does not list prompts/a@production"]);
    check_index(
        &[("prompts/a", Some(&["production"])), ("prompts/b", Some(&[]))],
        &["index: it lists prompts/b, which does not exist"],
    );
    // A sync writes the slots that an earlier release did not list.
    check_index(&[("prompts/a", None)], &[]);
}

#[test]
fn audit_reports_an_index_that_is_not_as_it_was_written() {
    let (desired, mut kv) = whole();
    let other = IndexRecord::new([("prompts/b".parse().unwrap(), None)]);
    kv.get_mut(&Key::Index).unwrap().1 = metadata_of(&other);
    let expected = ["index: the record does not match the hash in its metadata"];
    assert_eq!(audit(&desired, &kv), expected);
}

/// The index also lists components that are not part of the audit.
#[test]
fn an_audit_of_some_components_says_nothing_of_others() {
    let (desired, mut kv) = whole();
    let entries = ["prompts/a", "prompts/b", "prompts/c"].map(|name| {
        let slots = if name == "prompts/a" { vec!["production".parse().unwrap()] } else { vec![] };
        (name.parse().unwrap(), Some(slots))
    });
    let index = IndexRecord::new(entries);
    kv.insert(Key::Index, (record::write(&index), metadata_of(&index)));
    let names = || ["prompts/a", "prompts/b"].map(|name| name.parse::<ComponentName>().unwrap());
    let mut some = Audit::only(&desired, names());
    // The caller does not know which of the catalogs exist.
    for name in names() {
        some.list(Namespace::Components, &Key::Catalog(name).to_string(), None);
    }
    let expected = ["index: it lists prompts/b, which does not exist"];
    assert_eq!(findings(some, &kv), expected);
}
