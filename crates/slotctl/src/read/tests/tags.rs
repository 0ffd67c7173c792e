use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use reconcile::tag::TagTarget;

use super::*;

const A: &str = "components/prompts/a";

/// Returns a repository and two of its commits, in which the component `prompts/a` has the
/// contents `one` and `two`.
fn two_commits() -> (Repo, String, String) {
    let repo = Repo::new();
    let one = repo.commit_file("prompts/a.md", "one");
    let two = repo.commit_file("prompts/a.md", "two");
    (repo, one, two)
}

fn tag(leaf: &str) -> String {
    format!("{A}/{leaf}")
}

#[test]
fn a_slot_is_a_tag_of_a_tag() {
    let (repo, one, two) = two_commits();
    repo.tag(&tag("v1.0.0"), &one);
    repo.tag(&tag("v2.0.0"), &two);
    repo.tag(&tag("production"), &tag("v1.0.0"));
    repo.tag(&tag("staging"), &tag("v2.0.0"));
    // A slot set to a slot embeds the tag that the other has then, and does not follow it.
    repo.tag(&tag("copy"), &tag("staging"));
    repo.tag(&tag("staging"), &tag("v1.0.0"));
    repo.tag(&tag("head"), "HEAD");
    let reading = read(repo.path());
    assert_eq!(
        slots(&reading, "prompts/a"),
        ["copy=v2.0.0", "head=v2.0.0", "latest=v2.0.0", "production=v1.0.0", "staging=v1.0.0"]
    );
    assert_eq!(content(&reading, "prompts/a", "v1.0.0"), b"one");
    assert_eq!((reading.warnings, reading.refused), (vec![], vec![]));
    assert_eq!(reading.head.unwrap().as_str(), two);
}

#[test]
fn records_have_author_time_and_reason() {
    let (repo, one, two) = two_commits();
    repo.tag_with(&tag("v1.0.0"), &one, "Release a\n\nbody");
    repo.tag_with(&tag("production"), &tag("v1.0.0"), "Roll back, see #12\n\nIt broke.");
    repo.git(&["tag", &tag("light"), &two]);
    let reading = read(repo.path());
    let component = &reading.desired.components[&"prompts/a".parse().unwrap()];
    let record = &component.versions[&"v1.0.0".parse().unwrap()];
    assert_eq!(record.author, "Ada Author");
    assert_eq!(record.snapshot.date.to_string(), "2026-01-01T01:00:00Z");
    assert_eq!(record.snapshot.sha.as_str(), one);
    for (slot, why) in [
        ("production", "Roll back, see #12"),
        ("light", "prompts/a.md"),
        ("latest", "latest release"),
    ] {
        let slot = &component.slots[&slot.parse().unwrap()];
        assert_eq!((slot.author.as_str(), slot.why.as_str()), ("Carl Committer", why));
        assert_eq!(slot.time.to_string(), "2026-01-01T01:00:00Z");
    }
}

#[test]
fn slots_keep_their_commit_if_a_version_tag_moves() {
    let (repo, one, two) = two_commits();
    for (version, slot) in [("v1.0.0", "moved"), ("v1.1.0", "deleted"), ("v1.2.0", "remade")] {
        repo.tag(&tag(version), &one);
        repo.tag(&tag(slot), &tag(version));
    }
    repo.tag(&tag("v1.0.0"), &two);
    repo.git(&["tag", "--delete", &tag("v1.1.0")]);
    repo.tag_with(&tag("v1.2.0"), &two, "another object");
    let reading = read(repo.path());
    let at = abbreviated(&one);
    assert_eq!(
        slots(&reading, "prompts/a"),
        [
            format!("deleted={at}"),
            "latest=v1.2.0".to_owned(),
            format!("moved={at}"),
            format!("remade={at}"),
        ]
    );
    check(
        &reading.warnings,
        &[
            ("components/prompts/a/deleted", "v1.1.0, which it was set to, was deleted since"),
            ("components/prompts/a/moved", "v1.0.0, which it was set to, was moved since"),
            ("components/prompts/a/remade", "v1.2.0, which it was set to, was moved since"),
        ],
    );
    assert_eq!(content(&reading, "prompts/a", &one), b"one");
    // A tag made again at the same commit is the version at that commit.
    repo.tag_with(&tag("v1.0.0"), &one, "a third object");
    repo.tag_with(&tag("v1.2.0"), &one, "a fourth object");
    let reading = read(repo.path());
    assert_eq!(reading.warnings, vec![]);
    assert!(slots(&reading, "prompts/a").contains(&"moved=v1.2.0".to_owned()));
}

#[test]
fn lightweight_tags_are_read_like_annotated_tags() {
    let (repo, one, two) = two_commits();
    repo.git(&["tag", &tag("v1.0.0"), &one]);
    repo.tag(&tag("v2.0.0-rc.1"), &two);
    repo.git(&["tag", &tag("on-version"), &tag("v1.0.0")]);
    repo.git(&["tag", &tag("on-object"), &tag("v2.0.0-rc.1")]);
    repo.git(&["tag", &tag("on-commit"), &two]);
    let reading = read(repo.path());
    assert_eq!(
        slots(&reading, "prompts/a"),
        ["latest=v1.0.0", "on-commit=v2.0.0-rc.1", "on-object=v2.0.0-rc.1", "on-version=v1.0.0"]
    );
    assert_eq!((reading.warnings, reading.refused), (vec![], vec![]));
}

#[test]
fn a_slot_on_a_commit_without_a_version_is_pinned() {
    let (repo, one, two) = two_commits();
    repo.tag(&tag("v1.0.0"), &one);
    repo.tag(&tag("edge"), &two);
    let reading = read(repo.path());
    assert_eq!(
        slots(&reading, "prompts/a"),
        [format!("edge={}", abbreviated(&two)), "latest=v1.0.0".into()]
    );
    assert_eq!(content(&reading, "prompts/a", &two), b"two");
    assert_eq!((reading.warnings, reading.refused), (vec![], vec![]), "nobody's fault");
}

#[test]
fn tags_of_trees_and_blobs_are_skipped() {
    let (repo, one, _) = two_commits();
    repo.tag(&tag("v1.0.0"), &one);
    repo.tag(&tag("tree"), "HEAD^{tree}");
    repo.git(&["tag", &tag("blob"), "HEAD:prompts/a.md"]);
    repo.tag(&tag("nested"), &tag("tree"));
    let reading = read(repo.path());
    check(
        &reading.warnings,
        &[
            ("components/prompts/a/blob", "the tag of a blob"),
            ("components/prompts/a/nested", "the tag of a tree"),
            ("components/prompts/a/tree", "the tag of a tree"),
        ],
    );
    assert_eq!(slots(&reading, "prompts/a"), ["latest=v1.0.0"]);
}

#[test]
fn a_branch_with_the_name_of_a_tag_is_ignored() {
    let (repo, one, two) = two_commits();
    repo.tag(&tag("v1.0.0"), &one);
    repo.tag(&tag("production"), &one);
    for name in ["v1.0.0", "production"] {
        repo.update_ref(format!("refs/heads/{}", tag(name)), &two);
        repo.update_ref(format!("refs/{}", tag(name)), &two);
    }
    let reading = read(repo.path());
    assert_eq!(content(&reading, "prompts/a", "v1.0.0"), b"one");
    assert_eq!(slots(&reading, "prompts/a"), ["latest=v1.0.0", "production=v1.0.0"]);
}

#[test]
fn names_that_are_too_short_or_too_long_are_reported() {
    let repo = Repo::new();
    repo.write("templates/emails/welcome.hbs", "hi");
    repo.write("prompts/a.md", "a");
    let commit = repo.commit("files");
    let deep = format!("components/templates/{}/v1.0.0", "d/".repeat(94) + "d");
    let long = format!("components/prompts/{}/v1.0.0", "a".repeat(201));
    for name in [
        "components/templates/emails/welcome/v1.0.0",
        "components/extraction/v1.0.0",
        "components/v1.0.0",
        "v9.0.0",
        "other/prompts/a/v1.0.0",
        &deep,
        &long,
    ] {
        repo.tag(name, &commit);
    }
    let reading = read(repo.path());
    assert_eq!(
        versions(&reading, "templates/emails/welcome"),
        ["v1.0.0=templates/emails/welcome.hbs"]
    );
    let expected = [
        ("components/extraction/v1.0.0", "legacy"),
        (&long, "200 bytes"),
        ("components/v1.0.0", "neither"),
    ];
    check(&reading.warnings, &expected);
    check(&reading.refused, &[(&deep, "no file")]);
}

#[test]
fn invalid_tag_names_are_reported_and_skipped() {
    let (repo, one, _) = two_commits();
    repo.tag(&tag("v1.0.0"), &one);
    let raw =
        |bytes: &[u8]| OsString::from_vec([b"refs/tags/components/".as_slice(), bytes].concat());
    for name in [
        &b"prompts/--help/production"[..],
        b"prompts/a/--force",
        b"prompts/a/v01.02.03",
        b"prompts/a/v1.0.0-rc_1",
        b"prompts/a/1.0.0",
        b"prompts/a/v1.0",
        b"prompts/gr\xc3\xbcn/v1.0.0",
        b"prompts/gr\xfcn/v1.0.0",
        b"prompts/a/$(touch pwned)`x`;&|",
    ] {
        let name: Vec<u8> = name.iter().map(|b| if *b == b' ' { b'_' } else { *b }).collect();
        repo.update_ref(raw(&name), &one);
    }
    let reading = read(repo.path());
    check(
        &reading.warnings,
        &[
            ("components/prompts/--help/production", "begins with a letter or a digit"),
            ("components/prompts/a/$(touch_pwned)`x`;&|", "not a slot"),
            ("components/prompts/a/--force", "begins with a letter or a digit"),
            ("components/prompts/a/1.0.0", "the leading 'v' is missing"),
            ("components/prompts/a/v01.02.03", "leading zeros"),
            ("components/prompts/a/v1.0", "answered as the range 1.0.x"),
            ("components/prompts/a/v1.0.0-rc_1", "pre-release"),
            ("components/prompts/gr\u{fc}n/v1.0.0", "byte 10"),
            ("components/prompts/gr\u{fffd}n/v1.0.0", "not UTF-8"),
        ],
    );
    assert_eq!(versions(&reading, "prompts/a"), ["v1.0.0=prompts/a.md"]);
}

#[test]
fn hints_for_misspelt_tags_can_be_run() {
    for (misspelt, version) in [
        (tag("v01.0"), "v1.0.0"),
        ("components/prompts/a-v1.2.0".to_owned(), "v1.2.0"),
        ("components/prompts/a@1.2.0".to_owned(), "v1.2.0"),
    ] {
        let (repo, one, _) = two_commits();
        repo.update_ref(format!("refs/tags/{misspelt}"), &one);
        follow(&repo, read(repo.path()).warnings[0].help.as_ref().unwrap());
        let expected = format!("{version}=prompts/a.md");
        assert_eq!(versions(&read(repo.path()), "prompts/a"), [expected], "{misspelt}");
    }
}

#[test]
fn a_moving_major_tag_is_answered_as_a_range() {
    let (repo, one, two) = two_commits();
    repo.tag(&tag("v1.0.0"), &one);
    repo.tag(&tag("v1.1.0"), &two);
    repo.tag(&tag("v1"), &two);
    let reading = read(repo.path());
    check(&reading.warnings, &[("components/prompts/a/v1", "answered as the range 1.x")]);
    follow(&repo, reading.warnings[0].help.as_ref().unwrap());
    assert_eq!(read(repo.path()).warnings, vec![]);
}

/// Runs the git command at the end of a hint, without the quotes that a shell removes.
#[track_caller]
fn follow(repo: &Repo, help: &str) {
    let (_, command) = help.split_once(": git ").unwrap();
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    repo.git(&words.collect::<Vec<_>>());
}

#[test]
fn texts_are_read_in_the_encoding_of_their_commit() {
    let repo = Repo::new();
    repo.write("prompts/a.md", "a");
    repo.git(&["add", "--all"]);
    let tree = repo.git(&["write-tree"]);
    for (slot, encoding, name, shown) in [
        ("latin1", "ISO-8859-1", &b"J\xfcrgen"[..], "J\u{fc}rgen"),
        ("sjis", "Shift_JIS", b"\x93\x63\x92\x86", "\u{7530}\u{4e2d}"),
        ("koi8", "KOI8-R", b"\xe9\xd7\xc1\xce", "\u{418}\u{432}\u{430}\u{43d}"),
        ("utf8", "UTF-8", "J\u{fc}rgen".as_bytes(), "J\u{fc}rgen"),
        ("unknown", "klingon", b"J\xfcrgen", "J\u{fffd}rgen"),
    ] {
        let who = [name, b" <j@example.com> 1767225600 +0000\n"].concat();
        let header = format!("tree {tree}\nauthor ");
        let encoding = format!("encoding {encoding}\n\n");
        let body =
            [header.as_bytes(), &who, b"committer ", &who, encoding.as_bytes(), b"By ", name];
        let commit = repo.object("commit", body.concat());
        repo.git(&["tag", &tag(slot), &commit]);
        let reading = read(repo.path());
        let component = &reading.desired.components[&"prompts/a".parse().unwrap()];
        let state = &component.slots[&slot.parse().unwrap()];
        let record = &component.versions[&state.version];
        assert_eq!(record.author, shown);
        assert_eq!((state.author.as_str(), state.why.as_str()), (shown, &*format!("By {shown}")));
        if slot != "unknown" {
            // With the encoding of a terminal, as `git log` shows it.
            let utf8 = "i18n.logOutputEncoding=UTF-8";
            let log = repo.git(&["-c", utf8, "log", "-1", "--format=%an %s", &commit]);
            assert_eq!(log, format!("{shown} By {shown}"));
        }
    }
}

#[test]
fn packed_repositories_read_like_loose_ones() {
    let (repo, one, two) = two_commits();
    repo.tag(&tag("v1.0.0"), &one);
    repo.tag(&tag("production"), &tag("v1.0.0"));
    repo.tag(&tag("staging"), &two);
    let loose = read(repo.path());
    repo.git(&["gc", "--quiet"]);
    assert!(repo.at(".git/packed-refs").exists());
    let packed = read(repo.path());
    assert_eq!((packed.desired, packed.contents), (loose.desired, loose.contents));
}

#[test]
fn a_slot_on_the_tag_of_another_component_is_refused() {
    let repo = Repo::new();
    repo.write("prompts/a.md", "a");
    repo.write("prompts/b.md", "a");
    let commit = repo.commit("both");
    repo.tag("components/prompts/a/v1.0.0", &commit);
    repo.tag("components/prompts/b/v3.0.0", &commit);
    // It is set to the other component's tag: it can't be known which of the two is meant.
    repo.tag("components/prompts/b/production", "components/prompts/a/v1.0.0");
    let reading = read(repo.path());
    assert_eq!(slots(&reading, "prompts/a"), ["latest=v1.0.0"]);
    assert_eq!(slots(&reading, "prompts/b"), ["latest=v3.0.0"]);
    check(
        &reading.refused,
        &[("components/prompts/b/production", "it leads to components/prompts/a/v1.0.0")],
    );
    let help = reading.refused[0].help.as_deref().unwrap();
    assert!(help.ends_with("slotctl tag set prompts/b production v3.0.0"), "{help}");
    assert_eq!(reading.contents.len(), 1, "one content, by its digest");
}

#[test]
fn logic_tags_are_reported_and_not_served() {
    let repo = Repo::new();
    let commit = repo.commit_file("logic/agents/triage.agent.yaml", "a: 1");
    repo.tag("logic/agents/triage/v1.0.0", &commit);
    repo.tag("logic/agents/triage/production", "logic/agents/triage/v1.0.0");
    let reading = read(repo.path());
    assert!(reading.desired.components.is_empty() && reading.contents.is_empty());
    let [slot, version] = reading.logic.as_slice() else { panic!("{:?}", reading.logic) };
    assert_eq!(slot.target, TagTarget::Slot("production".parse().unwrap()));
    assert_eq!(
        (slot.version.to_string(), slot.commit.as_str()),
        ("v1.0.0".into(), commit.as_str())
    );
    assert_eq!(version.target.to_string(), "v1.0.0");
}
