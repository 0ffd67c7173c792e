//! Plans that are made for and applied to a model of the two namespaces.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::short::short;
use super::*;
use crate::desired::{Desired, DesiredComponent, DesiredSlot};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::record::{
    self, CatalogRecord, FORMAT, FULL_WEIGHT, Hold, MAX_MOVES, SlotRecord, VersionRecord,
};
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use catalog::version::Version;
use notice::Notice;

mod guards;
mod prune;
mod ranges;
mod traffic;

/// Both namespaces of Workers KV, in memory.
#[derive(Clone, Debug, Default, PartialEq)]
struct Kv(BTreeMap<(Namespace, String), (Vec<u8>, Option<Value>)>);

impl Kv {
    fn listed(&self) -> Actual {
        let mut actual = Actual::default();
        for ((namespace, key), (_, metadata)) in &self.0 {
            actual.list(*namespace, key, metadata.clone());
        }
        actual
    }

    fn value(&self, key: &Key) -> Option<&[u8]> {
        let at = (key.namespace(), key.to_string());
        self.0.get(&at).map(|(value, _)| value.as_slice())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        let is_slot = |slot: &str| slot != "ranges" && slot.parse::<Slot>().is_ok();
        let slot = key.rsplit_once('@').is_some_and(|(_, slot)| is_slot(slot));
        let namespace = if slot { Namespace::Slots } else { Namespace::Components };
        self.0.entry((namespace, key.to_owned())).or_default().0 = value.to_vec();
    }

    fn apply(&mut self, writes: &[Write]) {
        for write in writes {
            let value = match write {
                Write::Content { digest, .. } => content(*digest),
                record => record.record().unwrap(),
            };
            let key = write.key();
            self.0.insert((key.namespace(), key.to_string()), (value, write.metadata()));
        }
    }

    fn record<T: record::Record>(&self, key: &Key) -> T {
        record::parse(self.value(key).unwrap()).unwrap()
    }

    /// Tells if every content that a slot or version record names exists.
    fn is_whole(&self) -> bool {
        self.0.iter().all(|((namespace, text), (value, _))| {
            let there = |digest| self.value(&Key::Content(digest)).is_some();
            match Key::parse(*namespace, text) {
                Some(Key::Slot(..)) => {
                    let record: SlotRecord = record::parse(value).unwrap();
                    record.arms().all(|arm| there(arm.snapshot.digest))
                }
                Some(Key::Version(..)) => {
                    let record: VersionRecord = record::parse(value).unwrap();
                    there(record.snapshot.digest)
                }
                _ => true,
            }
        })
    }
}

/// The contents, of one letter each.
const CONTENTS: [&[u8]; 6] = [b"a", b"b", b"c", b"d", b"e", b"f"];

fn content(digest: Digest) -> Vec<u8> {
    CONTENTS.iter().find(|bytes| Digest::of(bytes) == digest).unwrap().to_vec()
}

/// Returns the plan, and the keys that were read to make it.
fn planned(desired: &Desired, kv: &Kv) -> (Plan, Vec<Key>) {
    planned_with(desired, kv, &Options::at(NOW.parse().unwrap()))
}

const NOW: &str = "2026-11-21T12:00:00Z";

fn planned_with(desired: &Desired, kv: &Kv, options: &Options) -> (Plan, Vec<Key>) {
    drive(Planning::begin(desired, kv.listed(), options), kv)
}

fn drive(mut step: PlanningStep<'_>, kv: &Kv) -> (Plan, Vec<Key>) {
    let mut read = Vec::new();
    loop {
        let mut planning = match step {
            PlanningStep::Done(plan) => return (plan, read),
            PlanningStep::Read(planning) => planning,
        };
        for key in planning.keys().to_vec() {
            planning.supply(&key, kv.value(&key));
            read.push(key);
        }
        assert!(read.len() < 1000, "the planning does not end");
        step = planning.advance();
    }
}

fn plan(desired: &Desired, kv: &Kv) -> Plan {
    planned(desired, kv).0
}

fn sync(desired: &Desired, kv: &mut Kv) -> Plan {
    sync_with(desired, kv, &Options::at(NOW.parse().unwrap()))
}

fn sync_with(desired: &Desired, kv: &mut Kv, options: &Options) -> Plan {
    let plan = planned_with(desired, kv, options).0;
    kv.apply(&plan.writes);
    plan
}

fn commit(n: usize) -> String {
    format!("{n:040x}")
}

fn version_record(version: &str, bytes: &[u8], commit_number: usize) -> VersionRecord {
    VersionRecord {
        format: FORMAT,
        snapshot: record::Snapshot {
            version: version.parse().unwrap(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            media_type: "text/plain".parse().unwrap(),
            sha: commit(commit_number).parse().unwrap(),
            date: "2026-11-20T23:59:27Z".parse().unwrap(),
        },
        author: "Ada".to_owned(),
        path: "prompts/a.md".to_owned(),
        revoked: None,
    }
}

/// Creates a component; versions are `(version, content, commit)`, slots are `(slot, version)`.
fn component(versions: &[(&str, &[u8], usize)], slots: &[(&str, &str)]) -> DesiredComponent {
    let version = |(version, bytes, commit): &(&str, &[u8], usize)| {
        (version.parse().unwrap(), version_record(version, bytes, *commit))
    };
    let slot = |(slot, version): &(&str, &str)| {
        let wanted = DesiredSlot {
            version: version.parse().unwrap(),
            author: "Grace".to_owned(),
            time: "2026-11-21T08:00:00Z".parse().unwrap(),
            why: format!("to {version}"),
            tag: Some(format!("tag of {version}")),
        };
        (slot.parse().unwrap(), wanted)
    };
    DesiredComponent {
        versions: versions.iter().map(version).collect(),
        slots: slots.iter().map(slot).collect(),
        ..DesiredComponent::default()
    }
}

fn of(versions: &[(&str, &[u8], usize)], slots: &[(&str, &str)]) -> Desired {
    let name = "prompts/a".parse().unwrap();
    let components = BTreeMap::from([(name, component(versions, slots))]);
    Desired { components, ..Desired::default() }
}

const TWO: [(&str, &[u8], usize); 2] = [("v1.0.0", b"a", 1), ("v1.1.0", b"b", 2)];

fn lines(plan: &Plan) -> Vec<String> {
    plan.writes.iter().map(ToString::to_string).collect()
}

fn notices(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(|notice| format!("{}: {}", notice.subject, notice.what)).collect()
}

fn catalog(kv: &Kv) -> CatalogRecord {
    kv.record(&Key::Catalog("prompts/a".parse().unwrap()))
}

/// Returns the moves of a slot as `from → to`, newest first.
fn moves(kv: &Kv, slot: &str) -> Vec<String> {
    let catalog = catalog(kv);
    let moved = |moved: &record::Move| {
        let from = moved.from.as_ref().map_or("nothing".to_owned(), short);
        format!("{from} → {}: {} ({})", short(&moved.to), moved.why, moved.author)
    };
    catalog.slots[&slot.parse().unwrap()].moves.iter().map(moved).collect()
}

#[test]
fn a_first_sync_writes_everything_in_the_safe_order() {
    let mut kv = Kv::default();
    let plan = sync(&of(&TWO, &[("production", "v1.0.0")]), &mut kv);
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let mut contents =
        [format!("sha256/{a}: new content, 1 bytes"), format!("sha256/{b}: new content, 1 bytes")];
    contents.sort();
    assert_eq!(lines(&plan)[..2], contents);
    assert_eq!(
        lines(&plan)[2..],
        [
            "prompts/a@v1.0.0: new, prompts/a.md, 1 bytes, text/plain",
            "prompts/a@v1.1.0: new, prompts/a.md, 1 bytes, text/plain",
            "prompts/a@production: new, v1.0.0",
            "prompts/a@ranges: versions for ranges",
            "prompts/a: catalog of 2 version(s) and 1 slot(s)",
            "index: 1 component(s)",
        ]
    );
    assert_eq!(moves(&kv, "production"), ["nothing → v1.0.0: to v1.0.0 (Grace)"]);
}

#[test]
fn an_unchanged_repository_writes_nothing_and_reads_only_slots() {
    let desired = of(&TWO, &[("production", "v1.0.0")]);
    let mut kv = Kv::default();
    sync(&desired, &mut kv);
    let (plan, read) = planned(&desired, &kv);
    assert!(plan.is_empty() && plan.kept.is_empty() && plan.warnings.is_empty());
    assert_eq!(plan.unchanged, 8);
    let read: Vec<String> = read.iter().map(ToString::to_string).collect();
    assert_eq!(read, ["prompts/a@production"]);
}

#[test]
fn a_moved_slot_is_one_slot_record_and_one_catalog() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[("production", "v1.0.0")]), &mut kv);
    let plan = sync(&of(&TWO, &[("production", "v1.1.0")]), &mut kv);
    assert_eq!(
        lines(&plan),
        [
            "prompts/a@production: v1.0.0 → v1.1.0",
            "prompts/a: catalog of 2 version(s) and 1 slot(s)"
        ]
    );
    assert_eq!(
        moves(&kv, "production"),
        ["v1.0.0 → v1.1.0: to v1.1.0 (Grace)", "nothing → v1.0.0: to v1.0.0 (Grace)"]
    );
}

#[test]
fn only_the_last_moves_are_kept() {
    let mut kv = Kv::default();
    for turn in 0..MAX_MOVES + 5 {
        let version = if turn % 2 == 0 { "v1.0.0" } else { "v1.1.0" };
        sync(&of(&TWO, &[("production", version)]), &mut kv);
    }
    let moves = moves(&kv, "production");
    assert_eq!((moves.len(), moves[0].as_str()), (MAX_MOVES, "v1.1.0 → v1.0.0: to v1.0.0 (Grace)"));
}

#[test]
fn a_move_is_recorded_after_an_interruption_between_slot_and_catalog() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[("production", "v1.0.0")]), &mut kv);
    let desired = of(&TWO, &[("production", "v1.1.0")]);
    let interrupted = plan(&desired, &kv);
    kv.apply(&interrupted.writes[..1]);
    let plan = sync(&desired, &mut kv);
    assert_eq!(lines(&plan), ["prompts/a: catalog of 2 version(s) and 1 slot(s)"]);
    assert_eq!(moves(&kv, "production")[0], "v1.0.0 → v1.1.0: to v1.1.0 (Grace)");
    assert_eq!(moves(&kv, "production").len(), 2);
}

#[test]
fn an_interrupted_move_is_recorded_if_the_slot_moves_again() {
    let versions = [TWO[0], TWO[1], ("v1.2.0", b"c", 3)];
    let mut kv = Kv::default();
    sync(&of(&versions, &[("production", "v1.0.0")]), &mut kv);
    let interrupted = plan(&of(&versions, &[("production", "v1.1.0")]), &kv);
    kv.apply(&interrupted.writes[..1]);
    sync(&of(&versions, &[("production", "v1.2.0")]), &mut kv);
    assert_eq!(
        moves(&kv, "production")[..2],
        ["v1.1.0 → v1.2.0: to v1.2.0 (Grace)", "v1.0.0 → v1.1.0: found in KV by a sync (unknown)"]
    );
}

#[test]
fn a_changed_version_is_refused_and_pins_its_slot() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[("production", "v1.0.0"), ("staging", "v1.1.0")]), &mut kv);
    let before = kv.clone();
    let changed = of(
        &[("v1.0.0", b"c", 3), TWO[1]],
        &[("production", "v1.0.0"), ("canary", "v1.0.0"), ("staging", "v1.1.0")],
    );
    let plan = sync(&changed, &mut kv);
    let (a, c) = (Digest::of(b"a"), Digest::of(b"c"));
    let refused = format!(
        "prompts/a@v1.0.0: a version never changes: Git has sha256:{c} (commit {}), \
         KV has sha256:{a} and keeps it",
        commit(3)
    );
    assert_eq!(notices(&plan.refused), [refused]);
    assert_eq!(
        notices(&plan.warnings),
        [
            "prompts/a@canary: v1.0.0 is refused: the slot is pinned to its own commit 000000000000",
            "prompts/a@production: v1.0.0 is refused: the slot is pinned to its own commit 000000000000",
        ]
    );
    assert_eq!(
        lines(&plan)[2..],
        [
            "prompts/a@canary: new, 000000000000",
            "prompts/a@production: v1.0.0 → 000000000000",
            "prompts/a@ranges: versions for ranges",
            "prompts/a: catalog of 3 version(s) and 3 slot(s)",
            "index: 1 component(s)",
        ]
    );
    let key = Key::parse(Namespace::Components, "prompts/a@v1.0.0").unwrap();
    assert_eq!(kv.value(&key), before.value(&key));
    assert!(kv.is_whole());
    // A second plan still refuses the version, writes nothing, and keeps nothing that Git
    // lacks.
    let again = super::tests::plan(&changed, &kv);
    assert_eq!((again.refused.len(), again.writes.len(), again.kept.len()), (1, 0, 0));
}

#[test]
fn a_slot_is_unchanged_if_its_version_and_commit_are_refused() {
    let mut kv = Kv::default();
    let pinned = commit(1);
    sync(&of(&[("v1.0.0", b"a", 1), (&pinned, b"b", 1)], &[("production", "v1.0.0")]), &mut kv);
    let plan = sync(&of(&[("v1.0.0", b"c", 1)], &[("production", "v1.0.0")]), &mut kv);
    assert!(plan.is_empty());
    assert_eq!(plan.refused.len(), 3);
    assert!(
        plan.refused[2].what.ends_with("so is its commit 000000000000: the slot is not changed")
    );
}

#[test]
fn a_recreated_tag_with_the_same_content_updates_the_record() {
    let mut kv = Kv::default();
    sync(&of(&[("v1.0.0", b"a", 1)], &[("production", "v1.0.0")]), &mut kv);
    let plan = sync(&of(&[("v1.0.0", b"a", 2)], &[("production", "v1.0.0")]), &mut kv);
    assert_eq!(
        lines(&plan),
        [
            "prompts/a@v1.0.0: same content, commit 000000000000 → 000000000000",
            "prompts/a@production: v1.0.0, record updated",
            "prompts/a@ranges: versions for ranges",
            "prompts/a: catalog of 1 version(s) and 1 slot(s)",
        ]
    );
    assert_eq!((plan.refused.len(), moves(&kv, "production").len()), (0, 1));
}

fn hold(kv: &mut Kv, version: &str) {
    let wanted = of(&TWO, &[("production", version)]);
    let component = wanted.components.values().next().unwrap();
    let snapshot = component.versions[&version.parse().unwrap()].snapshot.clone();
    let mut record = SlotRecord::sole("production".parse().unwrap(), snapshot);
    let at = "2026-11-21T09:00:00Z".parse().unwrap();
    record.hold = Some(Hold::new("v1.1.0 leaks".to_owned(), "Ada".to_owned(), at));
    kv.set("prompts/a@production", &record::write(&record));
}

#[test]
fn a_hold_is_kept_and_reported_until_git_agrees() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[("production", "v1.1.0")]), &mut kv);
    hold(&mut kv, "v1.0.0");
    let plan = sync(&of(&TWO, &[("production", "v1.1.0")]), &mut kv);
    assert_eq!(
        plan.held[0].to_string(),
        "prompts/a@production: held at v1.0.0, Git says v1.1.0 \
         (v1.1.0 leaks, by Ada at 2026-11-21T09:00:00Z)"
    );
    // The catalog has the version that is served, and the author of the move.
    assert_eq!(lines(&plan), ["prompts/a: catalog of 2 version(s) and 1 slot(s)"]);
    assert_eq!(moves(&kv, "production")[0], "v1.1.0 → v1.0.0: v1.1.0 leaks (Ada)");

    let plan = sync(&of(&TWO, &[("production", "v1.0.0")]), &mut kv);
    assert_eq!(lines(&plan)[0], "prompts/a@production: v1.0.0, the hold is lifted");
    assert_eq!((plan.held.len(), moves(&kv, "production").len()), (0, 2));
}

#[test]
fn records_without_a_tag_are_kept_and_listed_in_the_catalog() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[("production", "v1.0.0"), ("old", "v1.1.0")]), &mut kv);
    let less = of(&TWO[..1], &[("production", "v1.0.0")]);
    let plan = sync(&less, &mut kv);
    assert!(plan.is_empty());
    let kept: Vec<String> = plan.kept.iter().map(ToString::to_string).collect();
    assert_eq!(kept, ["prompts/a@old", "prompts/a@v1.1.0"]);
    // Another change rewrites the catalog, which still lists the kept records.
    let next = of(&[TWO[0], ("v2.0.0", b"c", 3)], &[("production", "v2.0.0")]);
    sync(&next, &mut kv);
    let catalog = catalog(&kv);
    let versions: Vec<String> =
        catalog.versions.iter().map(|v| v.snapshot.version.to_string()).collect();
    assert_eq!(versions, ["v1.0.0", "v1.1.0", "v2.0.0"]);
    assert_eq!(catalog.slots.len(), 2);
    assert!(super::tests::plan(&next, &kv).is_empty());
}

#[test]
fn a_component_without_tags_is_kept() {
    let mut kv = Kv::default();
    let mut desired = of(&TWO, &[("production", "v1.0.0")]);
    sync(&desired, &mut kv);
    let other = component(&[("v1.0.0", b"c", 3)], &[]);
    desired.components = BTreeMap::from([("prompts/b".parse().unwrap(), other)]);
    let plan = sync(&desired, &mut kv);
    let kept: Vec<String> = plan.kept.iter().map(ToString::to_string).collect();
    let all = ["prompts/a@production", "prompts/a@v1.0.0", "prompts/a@v1.1.0", "prompts/a"];
    assert_eq!(kept, all);
    assert!(plan.writes.iter().all(|write| !write.key().to_string().starts_with("prompts/a")));
}

#[test]
fn invalid_records_are_rewritten_with_a_warning() {
    let desired = of(&TWO, &[("production", "v1.0.0")]);
    let mut kv = Kv::default();
    sync(&desired, &mut kv);
    let good = kv.clone();
    kv.set("prompts/a@production", b"\xff\x1b[31m");
    for (value, metadata) in kv.0.values_mut() {
        if value.starts_with(b"{\"format\":1,\"ver") {
            *value = b"{\"format\":1}".to_vec();
            *metadata = None;
        }
    }
    let plan = sync(&desired, &mut kv);
    assert_eq!(plan.warnings.len(), 4);
    assert!(plan.warnings.iter().all(|notice| notice.what.contains("is invalid and is rewritten")));
    assert_eq!((plan.refused.len(), kv), (0, good));
}

#[test]
fn an_invalid_version_with_metadata_of_another_content_is_refused() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[]), &mut kv);
    kv.set("prompts/a@v1.0.0", b"garbage");
    let plan = plan(&of(&[("v1.0.0", b"c", 3), TWO[1]], &[]), &kv);
    assert_eq!(plan.refused.len(), 1);
    let lists = |write: &Write| matches!(write.stage(), Stage::Ranges | Stage::Catalogs);
    assert!(plan.writes.iter().all(lists));
}

#[test]
fn a_record_of_another_key_is_invalid() {
    let desired = of(&TWO, &[("production", "v1.0.0"), ("staging", "v1.0.0")]);
    let mut kv = Kv::default();
    sync(&desired, &mut kv);
    let staging = kv.value(&Key::parse(Namespace::Slots, "prompts/a@staging").unwrap()).unwrap();
    let staging = staging.to_vec();
    kv.set("prompts/a@production", &staging);
    assert_eq!(lines(&plan(&desired, &kv)), ["prompts/a@production: new, v1.0.0"]);
}

#[test]
fn a_record_of_a_later_format_freezes_its_component() {
    for key in ["prompts/a@production", "prompts/a@v1.0.0", "prompts/a@ranges", "prompts/a"] {
        let mut desired = of(&TWO, &[("production", "v1.0.0")]);
        let mut kv = Kv::default();
        sync(&desired, &mut kv);
        kv.set(key, b"{\"format\":2,\"later\":true}");
        for (_, metadata) in kv.0.values_mut() {
            *metadata = None;
        }
        let other = component(&[("v1.0.0", b"c", 3)], &[]);
        desired.components.insert("prompts/b".parse().unwrap(), other);
        let plan = plan(&desired, &kv);
        assert_eq!(
            notices(&plan.refused),
            [format!(
                "{key}: KV has a record of format 2, this slotctl writes format 1: \
                 nothing of the component is written"
            )]
        );
        assert_eq!(plan.writes.len(), 5, "the rest goes on");
        assert!(plan.writes.iter().all(|write| !write.key().to_string().starts_with("prompts/a")));
    }
}

#[test]
fn a_missing_content_is_written_again() {
    let desired = of(&TWO, &[("production", "v1.0.0")]);
    let mut kv = Kv::default();
    sync(&desired, &mut kv);
    kv.0.retain(|(_, key), _| !key.starts_with("sha256/"));
    let plan = sync(&desired, &mut kv);
    assert_eq!(plan.stage(Stage::Contents).count(), plan.writes.len());
    assert!(kv.is_whole());
}

#[test]
fn an_empty_state_is_refused_if_kv_has_components() {
    let mut kv = Kv::default();
    let nothing = Desired::default();
    assert!(plan(&nothing, &kv).is_empty());
    kv.0.insert((Namespace::Components, "somebody else's".to_owned()), Default::default());
    let plan = plan(&nothing, &kv);
    assert_eq!((plan.is_empty(), plan.foreign.len()), (true, 1));
    sync(&of(&TWO, &[]), &mut kv);
    let blocked = super::tests::plan(&nothing, &kv).blocked.unwrap();
    assert!(blocked.what.contains("no component that can be served"), "{blocked:?}");
}

#[test]
fn a_slot_on_an_unknown_version_is_refused() {
    let plan = plan(&of(&TWO, &[("production", "v9.0.0")]), &Kv::default());
    assert_eq!(
        notices(&plan.refused),
        ["prompts/a@production: the component has no version v9.0.0"]
    );
}

prop_compose! {
    /// Generates a component of up to four versions, four contents and four commits, with or
    /// without splits, segments, an alias, a revocation and mistakes.
    fn any_component()(
        versions in prop::collection::btree_map(0..4usize, (0..4usize, 1..5usize), 1..4),
        slots in prop::collection::btree_map(0..3usize, any::<prop::sample::Index>(), 0..4),
        weight in 0..=FULL_WEIGHT,
        routes in 0..8u8,
        revoked in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        mistakes in prop::option::weighted(0.2, 0..8u8),
    ) -> DesiredComponent {
        let names: Vec<String> = versions.keys().map(|minor| format!("v1.{minor}.0")).collect();
        let versions: Vec<(&str, &[u8], usize)> = names.iter().zip(versions.values())
            .map(|(name, (bytes, commit))| (name.as_str(), CONTENTS[*bytes], *commit)).collect();
        let slots: Vec<(&str, &str)> = slots.iter()
            .map(|(slot, on)| (["blue", "green", "production"][*slot], on.get(&names).as_str()))
            .collect();
        let mut component = component(&versions, &slots);
        if let Some(version) = revoked.map(|on| on.get(&names).parse::<Version>().unwrap()) {
            component.versions.get_mut(&version).unwrap().revoked = Some("leaks".to_owned());
            component.traffic.revoked.insert(version, "leaks".to_owned());
        }
        traffic::route(&mut component, weight, routes, mistakes.unwrap_or(0));
        component
    }
}

fn subjects(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|notice| notice.subject.as_str()).collect()
}

fn any_desired() -> impl Strategy<Value = Desired> {
    let name = prop::sample::select(vec!["prompts/a", "prompts/b", "queries/c"]);
    let name = name.prop_map(|name| name.parse().unwrap());
    prop::collection::btree_map(name, any_component(), 1..4)
        .prop_map(|components| Desired { components, ..Desired::default() })
}

proptest! {
    /// For any state of KV before, and wherever a sync stopped: no record names a missing
    /// content, a version keeps its content, the next run finishes the work as if nothing had
    /// happened, and the third run writes nothing.
    #[test]
    fn the_next_sync_finishes_an_interrupted_one(
        history in prop::collection::vec(any_desired(), 1..4),
        stop in any::<prop::sample::Index>(),
    ) {
        let (last, earlier) = history.split_last().unwrap();
        let mut kv = Kv::default();
        earlier.iter().for_each(|desired| { sync(desired, &mut kv); });
        let before = kv.clone();
        let whole = plan(last, &kv);

        let (mut finished, mut interrupted) = (kv.clone(), kv);
        finished.apply(&whole.writes);
        for write in &whole.writes[..stop.index(whole.writes.len() + 1)] {
            interrupted.apply(std::slice::from_ref(write));
            prop_assert!(interrupted.is_whole(), "after {write}");
        }
        let resumed = sync(last, &mut interrupted);
        prop_assert_eq!(&interrupted, &finished);
        // A refusal says what KV serves at that moment, which an interrupted sync has changed.
        prop_assert_eq!(subjects(&resumed.refused), subjects(&whole.refused));
        let (third, read) = planned(last, &finished);
        prop_assert!(third.is_empty(), "{:?}", lines(&third));
        prop_assert_eq!(subjects(&third.refused), subjects(&whole.refused));
        // Except slots, only versions of these components are read: those with a refusal, and those
        // whose versions a file with mistakes may revoke.
        for key in read.iter().filter(|key| key.namespace() == Namespace::Components) {
            let text = key.to_string();
            let name = text.split('@').next().unwrap();
            let is_refused = |notice: &Notice| notice.subject.split('@').next() == Some(name);
            let of = last.components.iter().find(|(component, _)| component.as_str() == name);
            let is_unknown = of.is_some_and(|(_, of)| of.traffic.keep_revocations);
            prop_assert!(is_unknown || whole.refused.iter().any(is_refused), "{text}");
        }

        for ((namespace, text), (value, _)) in &before.0 {
            if let Some(key @ Key::Version(..)) = Key::parse(*namespace, text) {
                let was: VersionRecord = record::parse(value).unwrap();
                let is: VersionRecord = finished.record(&key);
                prop_assert_eq!(was.snapshot.digest, is.snapshot.digest);
            }
        }
    }

    /// The safe order: everything that a record names is written before the record, and each
    /// key is written once.
    #[test]
    fn each_key_is_written_once_in_the_order_of_stages(desired in any_desired()) {
        let plan = plan(&desired, &Kv::default());
        prop_assert!(plan.writes.is_sorted_by_key(Write::stage));
        let keys: BTreeSet<Key> = plan.writes.iter().map(Write::key).collect();
        prop_assert_eq!(keys.len(), plan.writes.len());
    }
}
