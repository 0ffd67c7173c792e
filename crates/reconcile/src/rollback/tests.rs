use super::*;
use catalog::digest::Digest;
use catalog::record::{Arm, FORMAT, Move, Snapshot, Target};

fn version(version: &str) -> VersionRecord {
    VersionRecord {
        format: FORMAT,
        snapshot: Snapshot {
            version: version.parse().unwrap(),
            digest: Digest::of(version.as_bytes()),
            size: 1,
            media_type: "text/plain".parse().unwrap(),
            sha: "0".repeat(40).parse().unwrap(),
            date: "2026-11-20T23:59:27Z".parse().unwrap(),
        },
        author: "Ada".to_owned(),
        path: "prompts/a.md".to_owned(),
        revoked: None,
    }
}

fn slot(name: &str) -> Slot {
    name.parse().unwrap()
}

fn hold() -> Hold {
    let at = "2026-11-21T09:00:00Z".parse().unwrap();
    Hold::new("it leaks".to_owned(), "Grace".to_owned(), at)
}

/// Creates a component whose slot `production` had these versions; `-` marks a revoked version.
fn present(been: &[&str]) -> Present {
    let names: Vec<&str> = been.iter().map(|name| name.trim_start_matches('-')).collect();
    let mut versions: BTreeMap<Version, VersionRecord> = BTreeMap::new();
    for name in been {
        let mut record = version(name.trim_start_matches('-'));
        record.revoked = name.starts_with('-').then(|| "bad".to_owned());
        versions.insert(record.snapshot.version.clone(), record);
    }
    let mut moves: Vec<Move> = Vec::new();
    for (at, to) in names.iter().enumerate() {
        let from = at.checked_sub(1).map(|at| names[at].parse().unwrap());
        let Hold { reason: why, by: author, at: time, .. } = hold();
        let commit = "0".repeat(40).parse().unwrap();
        let (to, traffic, held) = (to.parse().unwrap(), None, false);
        moves.insert(0, Move { from, to, commit, author, time, why, traffic, held });
    }
    let record = SlotRecord::sole(slot("production"), version(names.last().unwrap()).snapshot);
    let entry = SlotEntry { record: record.clone(), moves };
    Present {
        name: "prompts/a".parse().unwrap(),
        slots: BTreeMap::from([(record.slot.clone(), record)]),
        catalog: Some(CatalogRecord {
            format: FORMAT,
            versions: versions.into_values().collect(),
            slots: vecmap::VecMap::from([(slot("production"), entry)]),
        }),
    }
}

/// Lists the versions that `production` had, and the version that a rollback returns to.
#[test]
fn goal_is_the_previous_good_version() {
    for (been, expected) in [
        (&["v1.0.0", "v1.1.0"][..], Some("v1.0.0")),
        (&["v1.0.0", "v1.1.0", "v1.2.0"], Some("v1.1.0")),
        // It was rolled back: a second rollback never goes forward again.
        (&["v1.0.0", "v1.1.0", "v1.0.0"], None),
        (&["v1.0.0", "v1.1.0", "v1.2.0", "v1.1.0"], Some("v1.0.0")),
        (&["v1.0.0", "v1.1.0", "v1.0.0", "v1.2.0"], Some("v1.0.0")),
        (&["v1.0.0", "-v1.1.0", "v1.2.0"], Some("v1.0.0")),
        (&["-v1.0.0", "v1.1.0"], None),
        (&["v1.0.0"], None),
    ] {
        let goal = present(been).version(&slot("production"), None);
        assert_eq!(goal.as_ref().ok().map(ToString::to_string).as_deref(), expected, "{been:?}");
    }
    // The first moves were truncated, and the catalog does not have the last one yet.
    let mut cut = present(&["v1.0.0", "v1.1.0", "v1.2.0"]);
    cut.catalog.as_mut().unwrap().slots.get_mut(&slot("production")).unwrap().moves.truncate(1);
    assert_eq!(cut.version(&slot("production"), None).unwrap().to_string(), "v1.1.0");
    let moved = SlotRecord::sole(slot("production"), version("v1.0.0").snapshot);
    cut.slots.insert(slot("production"), moved);
    assert_eq!(cut.version(&slot("production"), None).unwrap().to_string(), "v1.2.0");
}

#[test]
fn impossible_rollbacks_are_refused_with_the_reason() {
    let now = present(&["v1.0.0", "v1.1.0"]);
    let what = |slot_name: &str, to: Option<&str>| {
        let to = to.map(|to| to.parse().unwrap());
        now.version(&slot(slot_name), to.as_ref()).unwrap_err().what
    };
    assert_eq!(what("production", Some("v1.1.0")), "it is v1.1.0 already");
    assert_eq!(what("canary", None), "the component has no such slot in KV");
    let mut revoked = version("v1.0.0");
    revoked.revoked = Some("bad".to_owned());
    let refused = now.roll_back(&slot("production"), &revoked, &hold()).unwrap_err();
    assert_eq!(refused.what, "v1.0.0 is revoked (bad)");
    let rolled = now.roll_back(&slot("production"), &version("v1.0.0"), &hold()).unwrap();
    let mut held = now.clone();
    if let Write::Slot { record, .. } = &rolled.writes[0] {
        held.slots.insert(slot("production"), *record.clone());
    }
    let refused = held.version(&slot("production"), None).unwrap_err();
    assert_eq!(refused.what, "it is on hold at v1.0.0 already (it leaks, by Grace)");
    let named = "v1.1.0".parse().unwrap();
    assert_eq!(held.version(&slot("production"), Some(&named)), Ok(named));
    let mut alias = now.clone();
    alias.slots.get_mut(&slot("production")).unwrap().targets[0].arm.slot = slot("green");
    let refused = alias.version(&slot("production"), None).unwrap_err();
    assert!(refused.what.starts_with("it has no version of its own"), "{refused:?}");
}

#[test]
fn a_rollback_updates_every_record_of_the_slot_and_keeps_splits() {
    let mut now = present(&["v1.0.0", "v1.1.0"]);
    let arm = |name: &str, of: &str| Arm { slot: slot(name), snapshot: version(of).snapshot };
    let split = SlotRecord {
        targets: vec![
            Target { arm: arm("canary", "v1.2.0"), weight: 10_000 },
            Target { arm: arm("production", "v1.1.0"), weight: 90_000 },
        ],
        segments: vecmap::VecMap::from([("beta".to_owned(), arm("production", "v1.1.0"))]),
        hold: Some(Hold { reason: "another".to_owned(), ..hold() }),
        ..SlotRecord::sole(slot("live"), version("v1.1.0").snapshot)
    };
    now.slots.insert(slot("live"), split.clone());
    now.slots.insert(slot("other"), SlotRecord::sole(slot("other"), version("v1.1.0").snapshot));
    let rolled = now.roll_back(&slot("production"), &version("v1.0.0"), &hold()).unwrap();
    let keys: Vec<String> = rolled.writes.iter().map(|write| write.key().to_string()).collect();
    assert_eq!(keys, ["prompts/a@production", "prompts/a@live", "prompts/a"]);
    let [
        Write::Slot { record: own, .. },
        Write::Slot { record: live, .. },
        Write::Catalog { record: catalog, metadata, .. },
    ] = rolled.writes.as_slice()
    else {
        panic!("{rolled:?}");
    };
    assert_eq!(
        (own.own_version().unwrap().to_string(), &own.hold),
        ("v1.0.0".to_owned(), &Some(hold()))
    );
    let mut expected = split;
    expected.targets[1].arm = arm("production", "v1.0.0");
    expected.segments.insert("beta".to_owned(), arm("production", "v1.0.0"));
    assert_eq!(**live, expected, "its shares, and its own hold");
    let moved = &catalog.slots[&slot("production")].moves[0];
    assert_eq!(
        (moved.from.as_ref().unwrap().to_string(), moved.to.to_string()),
        ("v1.1.0".into(), "v1.0.0".into())
    );
    assert_eq!((moved.author.as_str(), moved.why.as_str()), ("Grace", "it leaks"));
    assert_eq!(*metadata, catalog.metadata());
}

/// Returns a component whose `production` (v1.0.0 before v1.1.0) sends `percent` of its callers
/// and the segment `beta` to `canary`.
fn split(been: &[&str], percent: u32) -> Present {
    let mut now = present(been);
    let record = now.slots.get_mut(&slot("production")).unwrap();
    let canary = Arm { slot: slot("canary"), snapshot: version("v2.0.0").snapshot };
    record.targets[0].weight -= percent * 1_000;
    record.targets.insert(0, Target { arm: canary.clone(), weight: percent * 1_000 });
    record.segments.insert("beta".to_owned(), canary);
    let alone = SlotRecord::sole(slot("canary"), version("v2.0.0").snapshot);
    now.slots.insert(slot("canary"), alone);
    now
}

fn targets(rollback: &Rollback) -> Vec<String> {
    let Some(Write::Slot { record, .. }) = rollback.writes.first() else { panic!("{rollback:?}") };
    let target = |target: &Target| format!("{} {}", target.arm.slot, target.weight);
    let segment = |(group, arm): (&String, &Arm)| format!("{group}: {}", arm.slot);
    let targets = record.targets.iter().map(target);
    targets.chain(record.segments.iter().map(segment)).collect()
}

#[test]
fn a_share_and_its_segments_go_to_the_slots_own_version() {
    let tag = Some("the tag of canary".to_owned());
    let with_tag = Hold { tag, ..hold() };
    for percent in [0, 10, 100] {
        let now = split(&["v1.0.0"], percent);
        let taken = take_share(&now, &slot("production"), &slot("canary"), &with_tag).unwrap();
        assert_eq!(targets(&taken), ["canary 0", "production 100000"]);
        let [Write::Slot { record, .. }, Write::Catalog { record: catalog, .. }] =
            &taken.writes[..]
        else {
            panic!("{taken:?}");
        };
        let expected = Hold {
            slot: Some(slot("canary")),
            weight: Some(percent * 1_000),
            segments: vec!["beta".to_owned()],
            ..with_tag.clone()
        };
        assert_eq!(record.hold.as_ref(), Some(&expected));
        let moved = &catalog.slots[&slot("production")].moves[0];
        assert!(moved.held && moved.traffic.is_some(), "{moved:?}");
        assert_eq!((moved.author.as_str(), moved.why.as_str()), ("Grace", "it leaks"));
    }
}

#[test]
fn a_share_that_is_not_there_is_refused() {
    let now = split(&["v1.0.0"], 10);
    let what = |now: &Present, of: &str, arm: &str| {
        take_share(now, &slot(of), &slot(arm), &hold()).unwrap_err().what
    };
    assert_eq!(what(&now, "production", "ring"), "ring gets none of its callers");
    assert_eq!(what(&now, "canary", "ring"), "ring gets none of its callers");
    assert_eq!(what(&now, "live", "canary"), "the component has no such slot in KV");
    let mut alias = now.clone();
    alias.slots.get_mut(&slot("production")).unwrap().targets.truncate(1);
    assert!(what(&alias, "production", "canary").starts_with("all of its callers go to canary"));
    let mut taken = now;
    let rollback = take_share(&taken, &slot("production"), &slot("canary"), &hold()).unwrap();
    if let Write::Slot { record, .. } = &rollback.writes[0] {
        taken.slots.insert(slot("production"), *record.clone());
    }
    let again = "the share of canary is on hold at 0 % already (it leaks, by Grace)";
    assert_eq!(what(&taken, "production", "canary"), again);
    assert_eq!(goal(&taken, &slot("production"), None, None).unwrap_err().what, again);
    // The slot's own version can still go back, and the hold of the share stays.
    let own = taken.roll_back(&slot("production"), &version("v0.9.0"), &hold()).unwrap();
    assert_eq!(targets(&own), ["canary 0", "production 100000"]);
    let Write::Slot { record, .. } = &own.writes[0] else { panic!("{own:?}") };
    let slots: Vec<Option<&str>> =
        record.holds().map(|hold| hold.slot.as_ref().map(Slot::as_str)).collect();
    assert_eq!(slots, [None, Some("canary")]);
}

#[test]
fn what_goes_back_is_named_or_clear() {
    let production = slot("production");
    let said = |now: &Present, to: Option<&str>, arm: Option<&str>| {
        let (to, arm) = (to.map(|to| to.parse().unwrap()), arm.map(slot));
        goal(now, &production, to.as_ref(), arm.as_ref())
    };
    let to = |version: &str| Ok(Goal::Version(version.parse().unwrap()));
    // It has no version to go back to: only the share can be meant.
    let first = split(&["v1.0.0"], 10);
    assert_eq!(said(&first, None, None), Ok(Goal::Share(slot("canary"))));
    assert_eq!(said(&first, Some("v0.9.0"), None), to("v0.9.0"));
    // Both can be meant.
    let later = split(&["v1.0.0", "v1.1.0"], 10);
    let unclear = said(&later, None, None).unwrap_err();
    assert_eq!(unclear.what, "it is not clear what goes back: it also serves canary v2.0.0 (10 %)");
    assert_eq!(
        unclear.help.unwrap(),
        "say which: --arm canary takes the callers of canary back; --arm production sets its own \
         version back to v1.0.0"
    );
    assert_eq!(said(&later, None, Some("canary")), Ok(Goal::Share(slot("canary"))));
    assert_eq!(said(&later, None, Some("production")), to("v1.0.0"));
    assert_eq!(said(&later, Some("v1.0.0"), None), to("v1.0.0"));
    // The other slot has the same version: the slot's own version is meant.
    let same = split(&["v1.0.0", "v2.0.0"], 10);
    assert_eq!(said(&same, None, None), to("v1.0.0"));
}
