//! Damage in one part of a repository does not stop the rest from being read.

use std::fs;

use super::*;

const OTHER: &str = "components/prompts/b/v1.0.0";

/// Returns a repository with `prompts/a`, a part of which will break, and `prompts/b`.
fn two_components() -> (Repo, String) {
    let repo = Repo::new();
    let b = repo.commit_file("prompts/b.md", "b");
    repo.tag(OTHER, &b);
    let a = repo.commit_file("prompts/a.md", "a");
    (repo, a)
}

#[track_caller]
fn only_a_suffers(repo: &Repo, expected: &[(&str, &str)]) -> Reading {
    let reading = read(repo.path());
    assert_eq!(slots(&reading, "prompts/b"), ["latest=v1.0.0"]);
    check(&all_notices(&reading), expected);
    reading
}

#[test]
fn malformed_tag_objects_are_reported() {
    let (repo, a) = two_components();
    let valid = format!("object {a}\ntype commit\ntag x\ntagger T <t@x> 1 +0000\n\nm\n");
    for (version, body) in [
        ("v1.0.0", "garbage".to_owned()),
        ("v1.0.1", String::new()),
        ("v1.0.2", valid.replace("object", "objekt")),
        ("v1.0.3", valid.replace("type commit", "type frog")),
        ("v1.0.4", valid.replace(&a, "947e")),
        ("v1.0.5", format!("object {}\ntype commit\ntag x\n\nm\n", "9".repeat(40))),
    ] {
        let id = repo.object("tag", body);
        fs::create_dir_all(repo.at(".git/refs/tags/components/prompts/a")).unwrap();
        let path = format!(".git/refs/tags/components/prompts/a/{version}");
        fs::write(repo.at(&path), format!("{id}\n")).unwrap();
    }
    let name = |leaf: &str| format!("components/prompts/a/{leaf}");
    let words = ["malformed", "malformed", "malformed", "malformed", "malformed", "does not have"];
    let names: Vec<String> = (0..6).map(|n| name(&format!("v1.0.{n}"))).collect();
    let latest = name("latest");
    let mut expected = vec![(latest.as_str(), "v1.0.5 is the latest and could not be read")];
    expected.extend(names.iter().map(String::as_str).zip(words));
    only_a_suffers(&repo, &expected);
}

#[test]
fn unusual_tag_objects_are_read() {
    let (repo, a) = two_components();
    let target = format!("object {a}\ntype commit\n");
    for (version, body) in [
        ("v1.0.0", format!("{target}tag x\n\nno tagger\n")),
        ("v1.0.1", format!("{target}tag x\ntagger T\u{7}\u{202e}\n <t@x> 1 +0000\n\nm\n")),
        ("v1.0.2", format!("{target}tag x\ntagger \u{1b}[31mT <t@x> -99999999999 +0000\n\n\n")),
        ("v1.0.3", format!("{target}tag x\ntagger {} <t@x> 1 +0000\n\nm\n", "\u{e9}".repeat(99))),
        ("v1.0.4", format!("{target}tag x\ntagger T <t@x> 1 +0000\n")),
    ] {
        let id = repo.object("tag", body);
        repo.update_ref(format!("refs/tags/components/prompts/a/{version}"), &id);
        repo.git(&["tag", "--force", &format!("components/prompts/a/s{version}"), &id]);
    }
    let reading = read(repo.path());
    let component = &reading.desired.components[&"prompts/a".parse().unwrap()];
    let author = |slot: &str| component.slots[&slot.parse().unwrap()].author.clone();
    assert_eq!(author("sv1.0.0"), "Carl Committer");
    assert_eq!(author("sv1.0.2"), "[31mT");
    assert_eq!(author("sv1.0.3"), "\u{e9}".repeat(48), "cut at 96 bytes, between characters");
    assert_eq!(component.slots[&"sv1.0.2".parse().unwrap()].time.unix(), 0);
    check(
        &reading.warnings,
        &[
            ("components/prompts/a/sv1.0.1", "malformed"),
            ("components/prompts/a/v1.0.1", "malformed"),
        ],
    );
}

#[test]
fn missing_and_damaged_objects_affect_only_their_component() {
    let (repo, a) = two_components();
    let name = "components/prompts/a/v1.0.0";
    repo.tag(name, &a);
    let tag = repo.git(&["rev-parse", name]);
    let tree = repo.git(&["rev-parse", &format!("{a}:prompts")]);
    let blob = repo.git(&["rev-parse", &format!("{a}:prompts/a.md")]);
    let latest = ("components/prompts/a/latest", "left as it is");
    for (id, word) in [
        (&tag, "does not have the object"),
        (&a, "does not have the object"),
        (&tree, "the folder"),
        (&blob, "the content of prompts/a.md"),
    ] {
        let path = repo.loose(id);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        only_a_suffers(&repo, &[latest, (name, word)]);
        for damaged in [b"damaged", &whole[..whole.len() / 2], &whole[..whole.len() - 4]] {
            fs::write(&path, damaged).unwrap();
            let reading = read(repo.path());
            assert_eq!(slots(&reading, "prompts/b"), ["latest=v1.0.0"]);
            let told: Vec<String> = all_notices(&reading).into_iter().map(|n| n.subject).collect();
            assert_eq!(told, [latest.0, name]);
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(only_a_suffers(&repo, &[]).refused, vec![]);
}

#[test]
fn invalid_refs_are_reported() {
    let (repo, a) = two_components();
    repo.tag("components/prompts/a/v1.0.0", &a);
    let dir = repo.at(".git/refs/tags/components/prompts/a");
    fs::write(dir.join("garbage"), "what is this\n").unwrap();
    fs::write(dir.join("empty"), "").unwrap();
    fs::write(dir.join("null"), format!("{}\n", "0".repeat(40))).unwrap();
    fs::write(dir.join("dangling"), "ref: refs/heads/gone\n").unwrap();
    fs::write(dir.join("bad..name"), format!("{a}\n")).unwrap();
    fs::write(dir.join("symbolic"), "ref: refs/heads/main\n").unwrap();
    fs::write(dir.join("absent"), format!("{}\n", "9".repeat(40))).unwrap();
    let name = |leaf: &str| format!("components/prompts/a/{leaf}");
    let reading = read(repo.path());
    let subjects: Vec<String> = all_notices(&reading).into_iter().map(|n| n.subject).collect();
    for leaf in ["garbage", "empty", "null", "absent"] {
        assert!(subjects.contains(&name(leaf)), "{leaf}: {subjects:?}");
    }
    assert_eq!(slots(&reading, "prompts/a"), ["latest=v1.0.0", "symbolic=v1.0.0"]);
    assert_eq!(slots(&reading, "prompts/b"), ["latest=v1.0.0"]);
}

#[test]
fn malformed_trees_and_commits_are_reported() {
    let (repo, a) = two_components();
    let blob = repo.git(&["rev-parse", &format!("{a}:prompts/a.md")]);
    let raw = ObjectId::from_hex(blob.as_bytes()).unwrap();
    let entry =
        |mode: &str, name: &[u8]| [mode.as_bytes(), b" ", name, b"\0", raw.as_slice()].concat();
    let head = "author A <a@x> 1 +0000\ncommitter C <c@x> 2 +0000\n\nm\n";
    let in_tree = |body: &[u8]| {
        let tree = repo.object("tree", body);
        repo.object("commit", format!("tree {tree}\n{head}"))
    };
    let trailer = |path: &str| format!("R\n\nComponent-Path: {path}");
    for (version, commit, path) in [
        ("v1.0.0", in_tree(b"garbage"), "a.md"),
        ("v1.0.1", in_tree(&[entry("100644", b"a.md"), b"100644 cut".to_vec()].concat()), "a.md"),
        ("v1.0.2", in_tree(&entry("40000", b"a.md")), "a.md/x"),
        ("v1.0.3", in_tree(&entry("100644", b"gr\xfcn.md")), "a.md"),
        ("v1.0.4", in_tree(b""), "a.md"),
        ("v1.0.5", repo.object("commit", format!("tree {blob}\n{head}")), "a.md"),
        ("v1.0.6", repo.object("commit", "garbage"), "a.md"),
        ("v1.0.7", in_tree(&entry("100664", b"a.md")), "a.md"),
    ] {
        let tag = format!(
            "object {commit}\ntype commit\ntag x\ntagger T <t@x> 1 +0000\n\n{}\n",
            trailer(path)
        );
        let id = repo.object("tag", tag);
        fs::create_dir_all(repo.at(".git/refs/tags/components/prompts/a")).unwrap();
        let path = format!(".git/refs/tags/components/prompts/a/{version}");
        fs::write(repo.at(&path), format!("{id}\n")).unwrap();
    }
    let reading = read(repo.path());
    assert_eq!(versions(&reading, "prompts/a"), ["v1.0.7=a.md"]);
    assert_eq!(slots(&reading, "prompts/b"), ["latest=v1.0.0"]);
    let told = reading.warnings.len() + reading.refused.len();
    assert_eq!(told, 7, "{:#?} {:#?}", lines(&reading.warnings), lines(&reading.refused));
}
