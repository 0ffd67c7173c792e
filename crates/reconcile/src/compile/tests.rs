use std::sync::Arc;

use super::wanted::version_record;
use super::*;
use crate::desired::{Desired, DesiredSlot};
use crate::policy::Policy;
use crate::source::path::RepoPath;
use crate::source::{FileProblem, Grade};
use crate::tag::{RefReading, TagName, read_ref};
use catalog::digest::Digest;
use catalog::media_type::MediaType;
use catalog::record::VersionMetadata;
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use notice::Notice;

fn id(seed: u8) -> String {
    format!("{seed:02x}").repeat(20)
}

fn commit(seed: u8) -> Arc<Commit> {
    let time = Timestamp::from_unix(i64::from(seed));
    Arc::new(Commit {
        id: id(seed).parse().unwrap(),
        author: format!("author {seed}"),
        committer: Stamp { author: format!("committer {seed}"), time },
        subject: format!("subject {seed}"),
    })
}

/// Creates the tag object `seed` with the name of `name`. A ref of that name need not exist.
fn object(seed: u8, name: &str) -> Arc<TagObject> {
    let time = Timestamp::from_unix(1000 + i64::from(seed));
    Arc::new(TagObject {
        id: ObjectId::from_bytes(&[seed; 20]),
        name: format!("components/{name}").into_bytes(),
        tagger: Some(Stamp { author: format!("tagger {seed}"), time }),
        why: format!("why {seed}"),
        path: None,
    })
}

fn name(text: &str) -> TagName {
    match read_ref(format!("refs/tags/{text}").as_bytes()) {
        RefReading::Tag(name) => name,
        other => panic!("{text}: {other:?}"),
    }
}

fn tag(text: &str, chain: &[&Arc<TagObject>], commit: &Arc<Commit>) -> Tag {
    let chain = chain.iter().map(|object| Arc::clone(object)).collect();
    let name = name(&format!("components/{text}"));
    Tag { name, target: Ok(Peeled { chain, commit: Arc::clone(commit) }) }
}

fn broken(text: &str, why: Unpeelable) -> Tag {
    Tag { name: name(&format!("components/{text}")), target: Err(why) }
}

/// Returns a file for every wanted version.
fn file(wanted: &WantedVersion) -> Result<File, FileProblem> {
    let content = wanted.commit.id.to_string();
    Ok(File {
        path: "prompts/a.md".to_owned(),
        digest: Digest::of(content.as_bytes()),
        size: 40,
        media_type: MediaType::of_file("a.md", b""),
    })
}

fn compile(tags: &[Tag], file: impl Fn(&WantedVersion) -> Result<File, FileProblem>) -> Compiled {
    let outline = outline(tags);
    let files: Vec<_> = outline.wanted.iter().map(file).collect();
    crate::compile::compile(outline, files, &Policy::default())
}

/// Formats the slots of the component `p/a` as `slot=version`.
fn slots(desired: &Desired) -> Vec<String> {
    let Some(component) = desired.components.get(&"p/a".parse().unwrap()) else {
        return Vec::new();
    };
    let written = |(slot, state): (&Slot, &DesiredSlot)| {
        assert!(component.versions.contains_key(&state.version), "{slot} dangles");
        format!("{slot}={}", state.version)
    };
    component.slots.iter().map(written).collect()
}

fn lines(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(|n| format!("{}: {}", n.subject, n.what)).collect()
}

#[test]
fn a_slot_follows_the_chain_of_tag_objects() {
    let (one, two) = (commit(1), commit(2));
    let (v1, v2) = (object(11, "p/a/v1.0.0"), object(12, "p/a/v2.0.0-rc.1"));
    let staging = object(20, "p/a/staging");
    let compiled = compile(
        &[
            tag("p/a/v1.0.0", &[&v1], &one),
            tag("p/a/v1.0.1", &[], &one),
            tag("p/a/v2.0.0-rc.1", &[&v2], &two),
            tag("p/a/annotated", &[&object(21, "p/a/annotated"), &v1], &one),
            tag("p/a/lightweight", &[&v1], &one),
            tag("p/a/nested", &[&object(22, "p/a/nested"), &staging, &v2], &two),
            tag("p/a/on-commit", &[], &one),
        ],
        file,
    );
    assert_eq!(
        slots(&compiled.desired),
        [
            "annotated=v1.0.0",
            "latest=v1.0.1",
            "lightweight=v1.0.0",
            "nested=v2.0.0-rc.1",
            "on-commit=v1.0.1",
        ]
    );
    assert_eq!((compiled.warnings, compiled.refused), (vec![], vec![]));
}

#[test]
fn a_moved_or_deleted_version_tag_pins_the_slot_to_its_commit() {
    let (one, two) = (commit(1), commit(2));
    let (old, new) = (object(11, "p/a/v1.0.0"), object(12, "p/a/v1.0.0"));
    let gone = object(13, "p/a/v3.0.0");
    let compiled = compile(
        &[
            tag("p/a/v1.0.0", &[&new], &two),
            tag("p/a/moved", &[&object(20, "p/a/moved"), &old], &one),
            tag("p/a/deleted", &[&object(21, "p/a/deleted"), &gone], &one),
            tag("p/a/recreated", &[&object(22, "p/a/recreated"), &old], &two),
        ],
        file,
    );
    let pinned = id(1);
    assert_eq!(
        slots(&compiled.desired),
        [
            format!("deleted={pinned}"),
            "latest=v1.0.0".to_owned(),
            format!("moved={pinned}"),
            "recreated=v1.0.0".to_owned(),
        ]
    );
    assert_eq!(
        lines(&compiled.warnings),
        [
            format!(
                "components/p/a/moved: the tag of v1.0.0, which it was set to, was moved since: \
                 the slot is pinned to commit {pinned}"
            ),
            format!(
                "components/p/a/deleted: the tag of v3.0.0, which it was set to, was deleted \
                 since: the slot is pinned to commit {pinned}"
            ),
        ]
    );
}

#[test]
fn a_commit_with_a_release_is_not_named_after_its_pre_release() {
    let one = commit(1);
    let names = ["v1.1.0", "v1.1.1-0", "v1.0.0", "slot"];
    let tags = names.map(|name| tag(&format!("p/a/{name}"), &[], &one));
    let compiled = compile(&tags, file);
    assert_eq!(slots(&compiled.desired), ["latest=v1.1.0", "slot=v1.1.0"]);
    let only_pre = [tag("p/a/v1.1.1-0", &[], &one), tag("p/a/slot", &[], &one)];
    assert_eq!(slots(&compile(&only_pre, file).desired), ["slot=v1.1.1-0"]);
}

#[test]
fn a_tag_of_another_component_is_refused_with_a_suggestion() {
    let (one, two) = (commit(1), commit(2));
    let (a, b) = (object(11, "p/a/v1.0.0"), object(12, "p/b/v2.0.0"));
    let set = |slot: &str, seed| object(seed, &format!("p/a/{slot}"));
    let compiled = compile(
        &[
            tag("p/a/v1.0.0", &[&a], &one),
            tag("p/a/v2.0.0", &[], &two),
            tag("p/b/v2.0.0", &[&b], &one),
            tag("p/a/v3.0.0", &[&b], &one),
            tag("p/a/same-number", &[&set("same-number", 20), &b], &one),
            tag("p/a/latest", &[&object(21, "p/b/production")], &one),
            tag("p/a/pinned", &[&object(22, "p/b/production")], &commit(3)),
        ],
        file,
    );
    assert!(slots(&compiled.desired).is_empty(), "latest was set, to what can't be followed");
    let refused = |notice: &Notice| (notice.subject.clone(), notice.help.clone().unwrap());
    let expected = [
        (
            "components/p/a/v3.0.0",
            "tag the commit itself: git tag --force -a -m 'Release v3.0.0' components/p/a/v3.0.0 \
             'refs/tags/components/p/a/v3.0.0^{}'",
        ),
        (
            "components/p/a/same-number",
            "set the slot to its own component's version: slotctl tag set p/a same-number v2.0.0",
        ),
        (
            "components/p/a/latest",
            "set the slot to its own component's version: slotctl tag set p/a latest v1.0.0",
        ),
        (
            "components/p/a/pinned",
            "set the slot to the commit itself: git tag --force -a -m 'Set pinned' \
             components/p/a/pinned 'refs/tags/components/p/a/pinned^{}'",
        ),
    ];
    let expected = expected.map(|(subject, help)| (subject.to_owned(), help.to_owned()));
    assert_eq!(compiled.refused.iter().map(refused).collect::<Vec<_>>(), expected);
    assert!(compiled.refused[0].what.starts_with("it leads to components/p/b/v2.0.0, a tag of"));
}

#[test]
fn records_contain_authors_and_times() {
    let v1 = object(11, "p/a/v1.0.0");
    let compiled = compile(
        &[
            tag("p/a/v1.0.0", &[&v1], &commit(1)),
            tag("p/a/production", &[&object(20, "p/a/production"), &v1], &commit(1)),
            tag("p/a/light", &[], &commit(1)),
        ],
        file,
    );
    let component = &compiled.desired.components[&"p/a".parse().unwrap()];
    let record = &component.versions[&"v1.0.0".parse().unwrap()];
    assert_eq!(record.author, "author 1");
    assert_eq!(record.snapshot.date.unix(), 1);
    assert_eq!(record.snapshot.sha.to_string(), id(1));
    assert_eq!((record.path.as_str(), record.snapshot.size), ("prompts/a.md", 40));
    for (slot, author, time, why) in [
        ("production", "tagger 20", 1020, "why 20"),
        ("light", "committer 1", 1, "subject 1"),
        ("latest", "tagger 11", 1011, "latest release"),
    ] {
        let slot = &component.slots[&slot.parse().unwrap()];
        assert_eq!(
            (slot.author.as_str(), slot.time.unix(), slot.why.as_str()),
            (author, time, why)
        );
    }
}

#[test]
fn latest_is_the_highest_release() {
    let tags = |names: &[&str]| -> Vec<Tag> {
        names.iter().map(|name| tag(&format!("p/a/{name}"), &[], &commit(1))).collect()
    };
    let of = |names: &[&str]| slots(&compile(&tags(names), file).desired);
    assert_eq!(of(&["v1.9.0", "v1.10.0", "v2.0.0-rc.1"]), ["latest=v1.10.0"]);
    assert!(of(&["v2.0.0-rc.1"]).is_empty(), "no release, no latest");
    let mut tagged = tags(&["v1.0.0", "v2.0.0"]);
    tagged.push(tag("p/a/latest", &[], &commit(9)));
    assert_eq!(slots(&compile(&tagged, file).desired), [format!("latest={}", id(9))]);
    // A tag `latest` that can't be read still sets the slot.
    tagged.pop();
    tagged.push(broken("p/a/latest", Unpeelable::NotACommit("blob")));
    assert!(slots(&compile(&tagged, file).desired).is_empty());
}

#[test]
fn an_incomplete_clone_never_moves_latest_back() {
    let mut tags = vec![tag("p/a/v1.0.0", &[], &commit(1)), tag("p/a/v2.0.0", &[], &commit(2))];
    let file = |grade: Grade| {
        move |wanted: &WantedVersion| match wanted.version.to_string().as_str() {
            "v2.0.0" => Err(FileProblem { what: "no".into(), help: None, grade }),
            _ => file(wanted),
        }
    };
    let compiled = compile(&tags, file(Grade::Refused));
    assert_eq!(slots(&compiled.desired), ["latest=v1.0.0"]);
    assert_eq!(lines(&compiled.refused), ["components/p/a/v2.0.0: no"]);
    let compiled = compile(&tags, file(Grade::Incomplete));
    assert!(slots(&compiled.desired).is_empty() && compiled.warnings.is_empty());
    assert_eq!(compiled.refused.len(), 2, "the version, and what latest is");
    tags.push(broken("p/a/v3.0.0", Unpeelable::Unreadable("gone".to_owned())));
    assert!(slots(&compile(&tags, file(Grade::Refused)).desired).is_empty());
    tags.push(tag("p/a/v4.0.0", &[], &commit(4)));
    assert_eq!(slots(&compile(&tags, file(Grade::Refused)).desired), ["latest=v4.0.0"]);
}

#[test]
fn tags_without_a_commit_are_skipped_and_reported() {
    let compiled = compile(
        &[
            broken("p/a/tree", Unpeelable::NotACommit("tree")),
            broken("p/a/v1.0.0", Unpeelable::Unreadable("no object 01".to_owned())),
            broken("p/b/odd", Unpeelable::Broken("the tag object is damaged".to_owned())),
            tag("p/a/v0.1.0", &[], &commit(1)),
        ],
        file,
    );
    assert_eq!(
        lines(&compiled.warnings),
        [
            "components/p/a/tree: skipped: it is the tag of a tree, not of a commit".to_owned(),
            "components/p/b/odd: skipped: the tag object is damaged".to_owned(),
        ]
    );
    assert_eq!(
        lines(&compiled.refused),
        [
            "components/p/a/v1.0.0: skipped: no object 01".to_owned(),
            "components/p/a/latest: left as it is: v1.0.0 is the latest and could not be read"
                .to_owned(),
        ]
    );
    assert!(compiled.warnings.iter().all(|notice| notice.help.is_some()));
    assert_eq!(compiled.desired.components.len(), 1, "p/b has nothing to serve");
}

#[test]
fn slots_on_refused_versions_and_commits_are_refused() {
    let v1 = object(11, "p/a/v1.0.0");
    let tags = [
        tag("p/a/v1.0.0", &[&v1], &commit(1)),
        tag("p/a/production", &[&object(20, "p/a/production"), &v1], &commit(1)),
        tag("p/a/one", &[], &commit(2)),
        tag("p/a/two", &[], &commit(2)),
    ];
    let compiled = compile(&tags, |_| Err(FileProblem::refused("no file", "add it")));
    assert!(compiled.desired.components.is_empty());
    assert_eq!(
        lines(&compiled.refused),
        [
            "components/p/a/v1.0.0: no file",
            "components/p/a/production: it points to v1.0.0, which cannot be served",
            "components/p/a/one: no file",
            "components/p/a/two: no file",
        ]
    );
}

#[test]
fn files_above_25_mib_are_refused() {
    let sized = |size| move |wanted: &WantedVersion| Ok(File { size, ..file(wanted)? });
    let tags = [tag("p/a/v1.0.0", &[], &commit(1))];
    assert!(compile(&tags, sized(26_214_400)).refused.is_empty());
    let refused = compile(&tags, sized(26_214_401)).refused;
    assert!(refused[0].what.contains("26214401 bytes"), "{:?}", refused[0]);
}

#[test]
fn logic_tags_are_reported_and_never_written() {
    let v1 =
        Arc::new(TagObject { name: b"logic/p/a/v1.0.0".to_vec(), ..(*object(11, "")).clone() });
    let logic = |text: &str| {
        let peeled = Peeled { chain: vec![Arc::clone(&v1)], commit: commit(1) };
        Tag { name: name(&format!("logic/{text}")), target: Ok(peeled) }
    };
    let outline = outline(&[logic("p/a/production"), logic("p/a/v1.0.0")]);
    assert!(outline.wanted.is_empty());
    let shown = |tag: &LogicTag| format!("{}@{}={}", tag.name, tag.target, tag.version);
    let reported: Vec<String> = outline.logic.iter().map(shown).collect();
    assert_eq!(reported, ["p/a@production=v1.0.0", "p/a@v1.0.0=v1.0.0"]);
    assert_eq!(
        crate::compile::compile(outline, vec![], &Policy::default()).desired,
        Desired::default()
    );
}

#[test]
fn slots_on_one_commit_share_its_file() {
    let with_path = |seed, path: &str| {
        let path = Some(RepoPath::parse(path.as_bytes()));
        Arc::new(TagObject { path, ..(*object(seed, "p/a/slot")).clone() })
    };
    let (x, y) = (with_path(1, "x.md"), with_path(2, "y.md"));
    let outline = outline(&[
        tag("p/a/first", &[], &commit(1)),
        tag("p/a/second", &[&x], &commit(1)),
        tag("p/a/third", &[&y], &commit(1)),
    ]);
    assert_eq!(outline.wanted.len(), 1);
    assert_eq!(outline.wanted[0].trailer, x.path);
    assert_eq!(outline.warnings.len(), 1);
    assert_eq!(outline.warnings[0].subject, "components/p/a/third");
}

#[test]
fn remembered_uses_metadata_only_if_it_matches_git() {
    let one = commit(1);
    let mut outline = outline(&[tag("p/a/v1.0.0", &[], &one)]);
    let wanted = &mut outline.wanted[0];
    let found = file(wanted).unwrap();
    let known = version_record(wanted, found.clone()).metadata();
    assert_eq!(File::remembered(wanted, &known, None), Some(found));

    let revoked = "it leaks".to_owned();
    assert_eq!(File::remembered(wanted, &known, Some(&revoked)), None, "another record");
    let changed = |change: fn(&mut VersionMetadata)| {
        let mut known = known.clone();
        change(&mut known);
        known
    };
    for other in [
        changed(|known| known.file = None),
        changed(|known| known.digest = Digest::of(b"another")),
        changed(|known| known.file.as_mut().unwrap().size += 1),
        changed(|known| known.file.as_mut().unwrap().path.push('x')),
        changed(|known| known.sha = id(9).parse().unwrap()),
    ] {
        assert_eq!(File::remembered(wanted, &other, None), None, "{other:?}");
    }
    let path = |text: &str| Some(RepoPath::parse(text.as_bytes()));
    wanted.trailer = path("prompts/a.md");
    assert!(File::remembered(wanted, &known, None).is_some(), "the trailer agrees");
    for trailer in [path("b.md"), path("../prompts/a.md")] {
        wanted.trailer = trailer;
        assert_eq!(File::remembered(wanted, &known, None), None, "the tag names another file");
    }
    wanted.trailer = None;
    wanted.commit = commit(2);
    assert_eq!(File::remembered(wanted, &known, None), None, "of another commit");
}
