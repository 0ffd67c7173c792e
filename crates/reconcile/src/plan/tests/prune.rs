//! Pruning: the keys that are deleted, the time of their deletion, and the keys that are kept.

use super::*;
use crate::desired::Route;
use crate::tag::TagTarget;
use catalog::name::ComponentName;
use catalog::record::GRACE;

impl Kv {
    fn delete(&mut self, keys: &[Key]) {
        for key in keys {
            self.0.remove(&(key.namespace(), key.to_string()));
        }
    }

    fn has(&self, key: &str) -> bool {
        self.0.keys().any(|(_, found)| found == key)
    }

    /// Returns a listing of these components only.
    fn listed_only(&self, names: &[&str]) -> Actual {
        let mut actual = Actual::only(names.iter().map(|name| name.parse().unwrap()));
        let prefixes: Vec<String> = names.iter().map(|name| format!("{name}@")).collect();
        for ((namespace, key), (_, metadata)) in &self.0 {
            if prefixes.iter().any(|prefix| key.starts_with(prefix)) {
                actual.list(*namespace, key, metadata.clone());
            }
        }
        actual
    }
}

fn at(seconds: u64) -> Timestamp {
    let start: Timestamp = NOW.parse().unwrap();
    Timestamp::from_unix(i64::try_from(start.unix() + seconds).unwrap())
}

pub(super) fn pruning(now: Timestamp) -> Options {
    Options { prune: true, ..Options::at(now) }
}

/// Carries out one pruning sync.
fn prune(desired: &Desired, kv: &mut Kv, now: Timestamp) -> Plan {
    let plan = planned_with(desired, kv, &pruning(now)).0;
    assert_eq!(plan.blocked, None);
    kv.apply(&plan.writes);
    kv.delete(&plan.deletions);
    plan
}

fn only(desired: &Desired, kv: &Kv, names: &[&str], options: &Options) -> (Plan, Vec<Key>) {
    drive(Planning::begin(desired, kv.listed_only(names), options), kv)
}

fn keys(keys: &[Key]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

fn content_key(bytes: &[u8]) -> String {
    Key::Content(Digest::of(bytes)).to_string()
}

const THREE: [(&str, &[u8], usize); 3] = [TWO[0], TWO[1], ("v2.0.0", b"c", 3)];

fn two_components() -> Desired {
    let mut desired = of(&THREE, &[("production", "v1.0.0"), ("staging", "v2.0.0")]);
    let other = component(&[("v1.0.0", b"a", 9), ("v1.1.0", b"d", 9)], &[("production", "v1.0.0")]);
    desired.components.insert("prompts/b".parse().unwrap(), other);
    desired
}

#[test]
fn prune_keeps_contents_for_a_day() {
    let mut kv = Kv::default();
    sync(&two_components(), &mut kv);
    let mut less = two_components();
    let component = less.components.get_mut(&"prompts/a".parse().unwrap()).unwrap();
    component.versions.remove(&"v2.0.0".parse().unwrap());
    component.slots.remove(&"staging".parse().unwrap());

    let plan = prune(&less, &mut kv, at(0));
    assert_eq!(keys(&plan.deletions), ["prompts/a@staging", "prompts/a@v2.0.0"]);
    assert_eq!(plan.unreferenced, BTreeMap::from([(Digest::of(b"c"), at(0))]));
    assert_eq!(catalog(&kv).versions.len(), 2);
    assert!(kv.has(&content_key(b"c")));

    for (seconds, empty) in [(1, true), (GRACE - 1, true), (GRACE, false), (GRACE + 1, true)] {
        let plan = prune(&less, &mut kv, at(seconds));
        assert_eq!(plan.is_empty(), empty, "after {seconds} s: {:?}", lines(&plan));
    }
    assert!(!kv.has(&content_key(b"c")) && kv.has(&content_key(b"a")));
    assert!(kv.0.keys().all(|(_, key)| !key.ends_with("@unreferenced")));
}

#[test]
fn a_sync_without_prune_deletes_nothing() {
    let mut kv = Kv::default();
    sync(&two_components(), &mut kv);
    let plan = plan(&of(&THREE[..1], &[("production", "v1.0.0")]), &kv);
    assert_eq!((plan.deletions.len(), plan.unreferenced.len()), (0, 0));
    assert_eq!(plan.kept.len(), 7);
}

/// The day begins when the records are deleted, even if earlier runs stopped before that.
#[test]
fn the_day_begins_when_the_records_are_deleted() {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[]), &mut kv);
    let less = of(&TWO, &[]);
    let stopped = planned_with(&less, &kv, &pruning(at(0))).0;
    kv.apply(&stopped.writes);
    let plan = prune(&less, &mut kv, at(2 * GRACE));
    assert_eq!(keys(&plan.deletions), ["prompts/a@v2.0.0"]);
    assert_eq!(plan.unreferenced[&Digest::of(b"c")], at(2 * GRACE));
}

/// A clock that is ahead wrote the time: the day begins again instead of then.
#[test]
fn a_time_in_the_future_is_named_and_replaced() {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[]), &mut kv);
    prune(&of(&TWO, &[]), &mut kv, at(400 * GRACE));
    let plan = prune(&of(&TWO, &[]), &mut kv, at(0));
    assert!(plan.deletions.is_empty());
    let key = format!("{}@unreferenced", content_key(b"c"));
    assert_eq!(plan.warnings[0].subject, key);
    let said = format!("since {}, which is in the future", at(400 * GRACE));
    assert!(plan.warnings[0].what.contains(&said), "{:?}", plan.warnings);
    assert_eq!(plan.unreferenced[&Digest::of(b"c")], at(0));
    let plan = prune(&of(&TWO, &[]), &mut kv, at(GRACE));
    assert_eq!(keys(&plan.deletions), [content_key(b"c"), key]);
    assert!(plan.warnings.is_empty());
}

/// A content that is needed again is written again, after its record, because another run that
/// is about to delete the content reads that record.
#[test]
fn a_restored_content_is_written_after_its_unreferenced_record() {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[]), &mut kv);
    prune(&of(&TWO, &[]), &mut kv, at(0));
    let options = Options::at(at(GRACE + 5));
    for scoped in [false, true] {
        let desired = of(&THREE, &[]);
        let plan = match scoped {
            false => planned_with(&desired, &kv, &options).0,
            true => only(&desired, &kv, &["prompts/a"], &options).0,
        };
        let (digest, since) = (Digest::of(b"c"), at(GRACE + 5));
        assert_eq!(plan.writes[0], Write::Unreferenced { digest, since });
        assert_eq!(plan.writes[1], Write::Content { digest, size: 1 });
    }
    sync(&of(&THREE, &[]), &mut kv);
    assert!(plan(&of(&THREE, &[]), &kv).is_empty());
    // The next pruning sync deletes its record, and nothing else.
    let plan = prune(&of(&THREE, &[]), &mut kv, at(3 * GRACE));
    assert_eq!(keys(&plan.deletions), [format!("{}@unreferenced", content_key(b"c"))]);
    assert!(plan.writes.is_empty() && kv.is_whole());
}

#[test]
fn prune_deletes_every_record_of_a_component_without_tags() {
    let mut kv = Kv::default();
    sync(&two_components(), &mut kv);
    let mut less = two_components();
    less.components.remove(&"prompts/b".parse().unwrap());
    let plan = prune(&less, &mut kv, at(0));
    let gone = [
        "prompts/b",
        "prompts/b@ranges",
        "prompts/b@production",
        "prompts/b@v1.0.0",
        "prompts/b@v1.1.0",
    ];
    assert_eq!(keys(&plan.deletions), gone);
    assert_eq!(lines(&plan).last().unwrap(), "index: 1 component(s)");
    // prompts/a names the content `a` too.
    assert_eq!(plan.unreferenced.keys().collect::<Vec<_>>(), [&Digest::of(b"d")]);
    assert!(prune(&less, &mut kv, at(9)).is_empty());
}

#[test]
fn prune_keeps_tagged_records_that_cannot_be_served() {
    let mut kv = Kv::default();
    sync(&two_components(), &mut kv);
    let mut less = of(&TWO, &[("production", "v1.0.0")]);
    let names = ["components/prompts/a/v2.0.0", "components/prompts/b/production"];
    let names = names.map(|name| crate::tag::read_short_name(name.as_bytes()).unwrap());
    less.note_unserved(&names);
    assert!(less.is_unserved(&"prompts/a".parse().unwrap(), &TagTarget::Slot(Slot::latest())));
    let plan = planned_with(&less, &kv, &pruning(at(0))).0;
    // The slot has a tag, so its version stays; the other version has no tag.
    assert_eq!(keys(&plan.deletions), ["prompts/a@staging", "prompts/b@v1.1.0"]);
}

#[test]
fn prune_keeps_held_frozen_and_revoked_records() {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[("production", "v1.1.0"), ("frozen", "v2.0.0")]), &mut kv);
    hold(&mut kv, "v1.1.0");
    let mut less = of(&THREE[..1], &[]);
    let component = less.components.get_mut(&"prompts/a".parse().unwrap()).unwrap();
    component.traffic.frozen.insert("frozen".parse().unwrap());
    component.traffic.revoked.insert("v9.0.0".parse().unwrap(), "a slip".to_owned());
    let plan = planned_with(&less, &kv, &pruning(at(0))).0;
    assert!(plan.deletions.is_empty(), "{:?}", plan.deletions);
    assert_eq!(
        notices(&plan.warnings),
        [
            "prompts/a@production: it has no tag, but a hold keeps it (v1.1.0 leaks, by Ada)",
            "prompts/a@v9.0.0: rollouts.toml revokes a version that does not exist",
        ]
    );
    let mut revoked = of(&THREE[..1], &[]);
    let component = revoked.components.get_mut(&"prompts/a".parse().unwrap()).unwrap();
    component.traffic.revoked.insert("v1.1.0".parse().unwrap(), "leaks".to_owned());
    let options = Options { allow_mass_delete: true, ..pruning(at(0)) };
    let plan = planned_with(&revoked, &kv, &options).0;
    assert_eq!(keys(&plan.deletions), ["prompts/a@frozen", "prompts/a@v2.0.0"]);
}

#[test]
fn prune_refuses_to_delete_more_than_half_unless_allowed() {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[("production", "v1.0.0")]), &mut kv);
    let less = of(&THREE[..1], &[("production", "v1.0.0")]);
    assert_eq!(planned_with(&less, &kv, &pruning(at(0))).0.blocked, None, "half of it");
    let less = of(&THREE[..1], &[]);
    let plan = planned_with(&less, &kv, &pruning(at(0))).0;
    assert_eq!(plan.blocked.unwrap().what, "3 of the 4 slots and versions in KV would be deleted");
    let options = Options { allow_mass_delete: true, ..pruning(at(0)) };
    let plan = planned_with(&Desired::default(), &kv, &options).0;
    assert_eq!((plan.blocked, plan.deletions.len()), (None, 6));
}

#[test]
fn prune_keeps_all_contents_if_a_record_has_a_later_format() {
    let mut kv = Kv::default();
    sync(&two_components(), &mut kv);
    kv.set("prompts/b@production", b"{\"format\":2}");
    let less = of(&TWO, &[("production", "v1.0.0")]);
    let plan = planned_with(&less, &kv, &pruning(at(0))).0;
    assert_eq!(keys(&plan.deletions), ["prompts/a@staging", "prompts/a@v2.0.0"]);
    assert!(plan.unreferenced.is_empty() && plan.refused.len() == 1);
}

#[test]
fn only_plans_the_named_components_and_updates_the_index() {
    let mut kv = Kv::default();
    let all = two_components();
    sync(&all, &mut kv);
    let mut part = of(&THREE, &[("production", "v1.1.0"), ("staging", "v2.0.0")]);
    let (plan, read) = only(&part, &kv, &["prompts/a"], &pruning(at(0)));
    assert_eq!(
        lines(&plan),
        [
            "prompts/a@production: v1.0.0 → v1.1.0",
            "prompts/a: catalog of 3 version(s) and 2 slot(s)"
        ]
    );
    assert!(read.iter().all(|key| !key.to_string().starts_with("prompts/b")));
    kv.apply(&plan.writes);
    let mut moved = all.clone();
    moved.components.extend(part.components.clone());
    assert!(super::plan(&moved, &kv).is_empty(), "as a sync of everything leaves it");

    // One component is new and one is deleted: the index still lists the others.
    let fresh = component(&[("v1.0.0", b"e", 5)], &[("production", "v1.0.0")]);
    part.components = BTreeMap::from([("prompts/c".parse().unwrap(), fresh.clone())]);
    kv.apply(&only(&part, &kv, &["prompts/c"], &pruning(at(0))).0.writes);
    let options = Options { allow_mass_delete: true, ..pruning(at(0)) };
    let (plan, _) = only(&Desired::default(), &kv, &["prompts/b"], &options);
    assert!(keys(&plan.deletions).iter().all(|key| key.starts_with("prompts/b")));
    assert_eq!(plan.deletions.len(), 5);
    kv.apply(&plan.writes);
    kv.delete(&plan.deletions);
    assert_eq!(indexed(&kv), ["prompts/a: production staging", "prompts/c: production"]);
    assert!(kv.has(&content_key(b"d")), "a content goes only where all of KV was looked at");
}

/// The components that the index lists, with their slots.
fn indexed(kv: &Kv) -> Vec<String> {
    let index: record::IndexRecord = kv.record(&Key::Index);
    let line = |(name, slots): (&ComponentName, Option<&[Slot]>)| {
        let slots = slots.map_or("not known".to_owned(), |slots| {
            slots.iter().map(Slot::as_str).collect::<Vec<_>>().join(" ")
        });
        format!("{name}: {slots}")
    };
    index.entries().map(line).collect()
}

#[test]
fn the_index_lists_the_slots_that_exist_after_the_sync() {
    let mut kv = Kv::default();
    sync(&of(&THREE, &[("production", "v1.0.0"), ("staging", "v1.1.0")]), &mut kv);
    assert_eq!(indexed(&kv), ["prompts/a: production staging"]);
    sync(&of(&THREE, &[("production", "v1.0.0"), ("canary", "v1.1.0")]), &mut kv);
    assert_eq!(indexed(&kv), ["prompts/a: canary production staging"], "nothing is pruned");
    let fewer = of(&THREE, &[("production", "v1.0.0")]);
    let (plan, _) = planned_with(&fewer, &kv, &pruning(at(0)));
    kv.apply(&plan.writes);
    kv.delete(&plan.deletions);
    assert_eq!(indexed(&kv), ["prompts/a: production"]);
}

#[test]
fn an_index_of_an_earlier_release_gets_the_slots() {
    let mut kv = Kv::default();
    let desired = of(&THREE, &[("production", "v1.0.0")]);
    sync(&desired, &mut kv);
    let old = record::IndexRecord::new([("prompts/a".parse().unwrap(), None)]);
    kv.apply(&[Write::Index { record: old }]);
    assert_eq!(indexed(&kv), ["prompts/a: not known"]);
    sync(&desired, &mut kv);
    assert_eq!(indexed(&kv), ["prompts/a: production"]);
}

#[test]
fn only_refuses_components_that_are_in_kv_but_not_in_git() {
    let kv = Kv::default();
    let (plan, _) = only(&Desired::default(), &kv, &["prompts/a"], &pruning(at(0)));
    assert!(plan.is_empty() && plan.blocked.is_none());
    let mut kv = kv;
    sync(&two_components(), &mut kv);
    kv.set("index", b"garbage");
    let (plan, _) = only(&of(&THREE, &[]), &kv, &["prompts/a"], &Options::at(at(0)));
    assert!(plan.warnings[0].what.contains("it lists components outside of --only"));
    let (plan, _) = only(&Desired::default(), &kv, &["prompts/a"], &Options::at(at(0)));
    assert_eq!(plan.blocked.unwrap().what, "no tag of prompts/a can be served, while KV has some");
}

#[test]
fn allow_changed_rewrites_a_changed_version() {
    let mut kv = Kv::default();
    sync(&of(&TWO, &[("production", "v1.0.0")]), &mut kv);
    let changed = of(&[("v1.0.0", b"c", 3), TWO[1]], &[("production", "v1.0.0")]);
    let named = ("prompts/a".parse().unwrap(), "v1.0.0".parse().unwrap());
    let allow = Options { allow_changed: BTreeSet::from([named]), ..pruning(at(0)) };
    for scoped in [false, true] {
        let plan = match scoped {
            false => planned_with(&changed, &kv, &allow).0,
            true => only(&changed, &kv, &["prompts/a"], &allow).0,
        };
        assert!(plan.refused.is_empty() && plan.warnings[0].what.contains("as was allowed"));
        // With a scope, the contents of other components are not checked.
        assert_eq!(plan.unreferenced.len(), usize::from(!scoped));
    }
    let plan = planned_with(&changed, &kv, &allow).0;
    kv.apply(&plan.writes);
    assert!(kv.is_whole() && plan.deletions.is_empty());
    let record: SlotRecord =
        kv.record(&Key::parse(Namespace::Slots, "prompts/a@production").unwrap());
    assert_eq!(record.own().unwrap().digest, Digest::of(b"c"));
    assert!(super::plan(&changed, &kv).is_empty(), "and is not refused any more");
}

/// A slot that only `rollouts.toml` makes loses its last good version while the file can't be read:
/// it answers 410, and is still a slot of that file.
#[test]
fn a_gone_slot_of_an_unreadable_file_is_not_deleted() {
    let name = "prompts/a".parse().unwrap();
    let mut before = of(&TWO[..1], &[("green", "v1.0.0")]);
    let green = Route {
        targets: vec![("green".parse().unwrap(), FULL_WEIGHT)],
        segments: BTreeMap::default(),
    };
    let component = before.components.get_mut(&name).unwrap();
    component.traffic.routes.insert("live".parse().unwrap(), green);
    let mut kv = Kv::default();
    sync(&before, &mut kv);

    let mut desired = of(&TWO[..1], &[]);
    let component = desired.components.get_mut(&name).unwrap();
    component.traffic.revoked.insert("v1.0.0".parse().unwrap(), "leaks".to_owned());
    component.traffic.keep_splits = true;
    for record in component.versions.values_mut() {
        record.revoked = Some("leaks".to_owned());
    }
    prune(&desired, &mut kv, at(0));
    let live: SlotRecord = kv.record(&Key::parse(Namespace::Slots, "prompts/a@live").unwrap());
    assert!(live.gone.is_some());
    let again = prune(&desired, &mut kv, at(1));
    assert!(again.is_empty(), "{:?} {:?}", lines(&again), keys(&again.deletions));
}

proptest! {
    /// For any state that a pruning sync finds, and wherever it stops, also between deletions:
    /// every content that a record names exists, the next run finishes the work, the third run
    /// does nothing, no content is deleted within a day, and in the end only the keys in Git
    /// are left.
    #[test]
    fn the_next_prune_finishes_an_interrupted_one(
        history in prop::collection::vec(any_desired(), 1..4),
        stop in any::<prop::sample::Index>(),
    ) {
        let (last, earlier) = history.split_last().unwrap();
        let mut kv = Kv::default();
        earlier.iter().for_each(|desired| { sync(desired, &mut kv); });
        let contents = |kv: &Kv| kv.0.keys().filter(|(_, key)| key.starts_with("sha256/") && !key.contains('@')).count();
        let before = contents(&kv);
        let options = |seconds| Options { allow_mass_delete: true, ..pruning(at(seconds)) };
        let run = |kv: &mut Kv, seconds: u64, upto: Option<prop::sample::Index>| {
            let plan = planned_with(last, kv, &options(seconds)).0;
            let all = plan.writes.len() + plan.deletions.len();
            let upto = upto.map_or(all, |stop| stop.index(all + 1));
            for step in 0..upto {
                match plan.writes.get(step) {
                    Some(write) => kv.apply(std::slice::from_ref(write)),
                    None => kv.delete(std::slice::from_ref(&plan.deletions[step - plan.writes.len()])),
                }
                assert!(kv.is_whole());
            }
            plan
        };
        run(&mut kv, 0, Some(stop));
        run(&mut kv, 10, None);
        prop_assert!(contents(&kv) >= before);
        let third = run(&mut kv, 20, None);
        prop_assert!(third.is_empty(), "{:?} {:?}", lines(&third), keys(&third.deletions));
        run(&mut kv, 20 + GRACE, Some(stop));
        run(&mut kv, 30 + GRACE, None);
        prop_assert!(run(&mut kv, 40 + GRACE, None).is_empty());
        let named = kv.listed().named(|_| true);
        let kept: usize = contents(&kv);
        let versions: BTreeSet<Digest> = kv.0.iter().filter_map(|((_, text), (value, _))| {
            match Key::parse(Namespace::Components, text) {
                Some(Key::Version(..)) => record::parse::<VersionRecord>(value).ok(),
                _ => None,
            }
        }).map(|record| record.snapshot.digest).collect();
        prop_assert!(named.is_subset(&versions));
        // A version also names each content that only a slot names (a slot with a revoked
        // version or a mistake).
        prop_assert_eq!(kept, versions.len());
    }
}
