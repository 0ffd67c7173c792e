use super::*;

const V1: &str = "components/prompts/a/v1.0.0";
const V2: &str = "components/prompts/a/v2.0.0";
const REGISTRY: &str = ".edgit/components.json";

fn registry(path: &str) -> String {
    format!(
        "{{\"version\":\"3.0.0\",\"components\":{{\"a\":{{\"path\":\"{path}\",\"type\":\"prompt\"}}}}}}"
    )
}

#[test]
fn the_trailer_names_the_file() {
    let repo = Repo::new();
    repo.write("prompts/a.md", "by convention");
    let commit = repo.commit_file("elsewhere/my file.md", "by trailer");
    repo.tag_with(V1, &commit, "Release\n\nComponent-Path: ./elsewhere/my file.md");
    repo.tag_with(V2, &commit, "Release\n\nComponent-Path: elsewhere/../prompts/a.md");
    let reading = read(repo.path());
    assert_eq!(versions(&reading, "prompts/a"), ["v1.0.0=elsewhere/my file.md"]);
    assert_eq!(content(&reading, "prompts/a", "v1.0.0"), b"by trailer");
    check(&reading.refused, &[(V2, "'..' leads out")]);
    // A slot set to a version whose tag was deleted keeps the file that its tag named.
    repo.tag("components/prompts/a/production", V1);
    repo.git(&["tag", "--delete", V1]);
    repo.git(&["tag", "--delete", V2]);
    let expected = format!("{}=elsewhere/my file.md", abbreviated(&commit));
    assert_eq!(versions(&read(repo.path()), "prompts/a"), [expected]);
}

#[test]
fn trailers_are_parsed_as_git_parses_them() {
    let repo = Repo::new();
    let commit = repo.commit("empty");
    let messages = [
        "T\n\nComponent-Path: a.md",
        "T\n\nbody\n\ncomponent-path : a.md\nOther: b",
        "T\n\nbody\nComponent-Path: a.md",
        "Component-Path: a.md",
        "T\nComponent-Path: a.md",
        "T\n\nComponent-Path: a.md\n\nafter",
        "T\n\nprose\nSigned-off-by: A <a@b>\nComponent-Path: a.md",
        "T\n\np\np\np\np\np\np\np\nSigned-off-by: A <a@b>\nComponent-Path: a.md",
        "T\n\nComponent-Path:\n a.md",
        "T\n\nComponent-Path: a\n b.md\nX: y",
        "T\n\nX: y\n folded\nComponent-Path: a.md",
        "T\n\nprose\n folded\nComponent-Path: a.md",
        "T\n\n Component-Path: a.md",
        "T\n\nComponent_Path: a.md",
        "T\n\nComponent-Path a.md",
        "T\n\nComponent-Path: a.md\n---\nX: y",
        "T\n\n---\n\nComponent-Path: a.md",
        "T\n\n(cherry picked from commit 123)\nComponent-Path: a.md\nprose",
        "T\n\nComponent-Path: a.md\n   \n",
        "T\n   \nComponent-Path: a.md",
        "T\n\n# comment\nComponent-Path: a.md",
        "T\n\nhttps://example.com\nComponent-Path: a.md",
    ];
    for (at, message) in messages.iter().enumerate() {
        let name = format!("t{at}");
        repo.git(&["tag", "--cleanup=verbatim", "-a", "-m", message, &name, &commit]);
        let format = "--format=%(trailers:key=Component-Path,valueonly,unfold)";
        let git = repo.git(&["for-each-ref", format, &format!("refs/tags/{name}")]);
        let body = repo.git(&["cat-file", "tag", &name]);
        let (_, stored) = body.split_once("\n\n").unwrap();
        let ours = reconcile::source::trailer::path_of(stored.as_bytes());
        let ours = ours.map(|path| path.unwrap().as_str().to_owned()).unwrap_or_default();
        assert_eq!(ours, git, "{message:?}");
    }
}

#[test]
fn a_given_registry_takes_precedence_over_committed_ones() {
    let repo = Repo::new();
    for name in ["tagged", "head", "work", "given"] {
        repo.write(&format!("{name}.md"), name);
    }
    let bare = repo.commit("no registry");
    let tagged = repo.commit_file(REGISTRY, registry("tagged.md"));
    repo.tag(V1, &bare);
    repo.tag(V2, &tagged);
    repo.commit_file(REGISTRY, registry("./head.md"));
    let paths = |given: Option<&Path>| versions(&read_with(repo.path(), given), "prompts/a");
    assert_eq!(paths(None), ["v1.0.0=head.md", "v2.0.0=tagged.md"]);
    repo.git(&["rm", "--quiet", "--cached", REGISTRY]);
    repo.git(&["commit", "--quiet", "-m", "as edgit has it: ignored"]);
    repo.write(REGISTRY, registry("work.md"));
    assert_eq!(paths(None), ["v1.0.0=head.md", "v2.0.0=tagged.md"], "the history has it");
    let given = repo.at("registry.json");
    std::fs::write(&given, registry("given.md")).unwrap();
    assert_eq!(paths(Some(&given)), ["v1.0.0=given.md", "v2.0.0=given.md"]);
    // Also from a folder inside the work tree.
    assert_eq!(versions(&read(&repo.at(".edgit")), "prompts/a").len(), 2);
}

#[test]
fn a_component_that_moved_keeps_its_old_versions() {
    let repo = Repo::new();
    let one = repo.commit_file("prompts/a.md", "one");
    repo.git(&["rm", "--quiet", "prompts/a.md"]);
    repo.write(REGISTRY, registry("texts/renamed.md"));
    let two = repo.commit_file("texts/renamed.md", "two");
    repo.git(&["rm", "--quiet", "texts/renamed.md"]);
    let gone = repo.commit("the component is deleted");
    repo.tag(V1, &one);
    repo.tag(V2, &two);
    repo.tag("components/prompts/a/v3.0.0", &gone);
    repo.tag("components/prompts/a/edge", &gone);
    let reading = read(repo.path());
    assert_eq!(versions(&reading, "prompts/a"), ["v1.0.0=prompts/a.md", "v2.0.0=texts/renamed.md"]);
    check(
        &reading.refused,
        &[
            ("components/prompts/a/edge", "it points to v3.0.0"),
            ("components/prompts/a/v3.0.0", "texts/renamed.md (the registry in the tagged commit)"),
        ],
    );
    assert_eq!(slots(&reading, "prompts/a"), ["latest=v2.0.0"]);
}

#[test]
fn links_submodules_and_folders_are_refused() {
    let repo = Repo::new();
    repo.write("real/a.md", "secret");
    std::fs::create_dir_all(repo.at("prompts")).unwrap();
    std::os::unix::fs::symlink("../real/a.md", repo.at("prompts/a.md")).unwrap();
    std::os::unix::fs::symlink("real", repo.at("linked")).unwrap();
    let commit = repo.commit("links");
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},module")]);
    repo.git(&["commit", "--quiet", "-m", "a submodule"]);
    let trailer = |path: &str| format!("R\n\nComponent-Path: {path}");
    for (version, path) in [
        ("v1.0.0", "prompts/a.md"),
        ("v1.0.1", "linked/a.md"),
        ("v1.0.2", "module"),
        ("v1.0.3", "module/a.md"),
        ("v1.0.4", "real"),
        ("v1.0.5", "real/a.md/b"),
        ("v1.0.6", "/etc/passwd"),
    ] {
        repo.tag_with(&format!("components/prompts/a/{version}"), "HEAD", &trailer(path));
    }
    repo.tag("components/prompts/a/v2.0.0", "HEAD");
    let reading = read(repo.path());
    assert!(reading.desired.components.is_empty());
    let words = [
        "prompts/a.md is a symbolic link",
        "linked is a symbolic link",
        "module is a submodule",
        "module is a submodule",
        "real is a folder",
        "not in the commit",
        "absolute",
        "prompts/a.md is a symbolic link",
    ];
    let refused = lines(&reading.refused);
    assert_eq!(refused.len(), words.len(), "{refused:#?}");
    for (line, word) in refused.iter().zip(words) {
        assert!(line.contains(word), "{line}");
    }
}

#[test]
fn executable_files_are_served() {
    let repo = Repo::new();
    let commit = repo.commit_file("scripts/run.sh", "#!/bin/sh\n");
    repo.git(&["update-index", "--chmod=+x", "scripts/run.sh"]);
    repo.git(&["commit", "--quiet", "-m", "executable"]);
    assert_ne!(repo.git(&["rev-parse", "HEAD"]), commit);
    repo.tag("components/scripts/run/v1.0.0", "HEAD");
    assert_eq!(versions(&read(repo.path()), "scripts/run"), ["v1.0.0=scripts/run.sh"]);
}

#[test]
fn malformed_registries_are_skipped_with_a_warning() {
    for broken in [&b"garbage"[..], b"[1]", b"{\"components\":7}", b"\xff\xfe\x00", b""] {
        let repo = Repo::new();
        repo.write("prompts/a.md", "a");
        let commit = repo.commit_file(REGISTRY, broken);
        repo.tag(V1, &commit);
        let reading = read(repo.path());
        assert_eq!(versions(&reading, "prompts/a"), ["v1.0.0=prompts/a.md"], "{broken:?}");
        check(&reading.warnings, &[(REGISTRY, "passed over"), (REGISTRY, "in the work tree")]);
        let given = read_part(
            &source(repo.path()).unwrap(),
            Some(&repo.at(REGISTRY)),
            ReadPart::default(),
            &|_| {},
        );
        assert!(format!("{:#}", given.unwrap_err()).contains("components.json cannot be read"));
    }
    let repo = Repo::new();
    assert!(
        read_part(
            &source(repo.path()).unwrap(),
            Some(Path::new("/gone.json")),
            ReadPart::default(),
            &|_| {}
        )
        .is_err()
    );
}

#[test]
fn registry_paths_outside_the_repository_are_refused() {
    for path in ["../../../etc/passwd", "/etc/passwd", "prompts/../../x", "..\\\\a.md"] {
        let repo = Repo::new();
        repo.write("prompts/a.md", "a");
        let commit = repo.commit_file(REGISTRY, registry(path));
        repo.tag(V1, &commit);
        let reading = read(repo.path());
        assert!(reading.desired.components.is_empty());
        check(&reading.refused, &[(V1, "the registry in the tagged commit: the path")]);
    }
}

#[test]
fn ambiguous_and_missing_files_are_refused() {
    let repo = Repo::new();
    repo.write("prompts/a.txt", "a");
    let one = repo.commit_file("prompts/a.md", "a");
    repo.tag(V1, &one);
    repo.git(&["rm", "--quiet", "-r", "prompts"]);
    repo.tag(V2, &repo.commit("none"));
    let reading = read(repo.path());
    check(
        &reading.refused,
        &[(V1, "prompts/a.md and prompts/a.txt"), (V2, "components/prompts/{a,a.prompt}.*")],
    );
}

#[test]
fn contents_are_served_without_conversion() {
    let repo = Repo::new();
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write(".gitattributes", "* text working-tree-encoding=UTF-16 ident\n");
    let cases: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("crlf", b"a\r\nb\r\n"),
        ("bom", b"\xef\xbb\xbfhi"),
        ("binary", b"\0\xff\n\0\n"),
        ("at", b"@file\n$Id$\n"),
        ("no-newline", b"x"),
    ];
    for (name, bytes) in cases {
        let blob = repo.object("blob", bytes);
        let index = format!("100644,{blob},prompts/{name}.md");
        repo.git(&["update-index", "--add", "--cacheinfo", &index]);
    }
    repo.git(&["commit", "--quiet", "-m", "files"]);
    for (name, _) in cases {
        repo.tag(&format!("components/prompts/{name}/v1.0.0"), "HEAD");
    }
    let reading = read(repo.path());
    for (name, bytes) in cases {
        let name = format!("prompts/{name}");
        assert_eq!(content(&reading, &name, "v1.0.0"), bytes, "{name}");
    }
}

#[test]
fn files_larger_than_25_mib_are_refused() {
    let repo = Repo::new();
    repo.git(&["config", "core.compression", "0"]);
    repo.write("prompts/a.md", vec![b'x'; 26_214_400]);
    let commit = repo.commit_file("prompts/b.md", vec![b'x'; 26_214_401]);
    repo.tag(V1, &commit);
    repo.tag("components/prompts/b/v1.0.0", &commit);
    let reading = read(repo.path());
    assert_eq!(versions(&reading, "prompts/a"), ["v1.0.0=prompts/a.md"]);
    check(&reading.refused, &[("components/prompts/b/v1.0.0", "prompts/b.md has 26214401 bytes")]);
}

#[test]
fn lfs_pointers_serve_the_local_object_or_are_refused() {
    let repo = Repo::new();
    let bytes = b"the large file itself";
    let digest = Digest::of(bytes).to_string();
    let pointer = |size: u64| {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n")
    };
    repo.tag(V1, &repo.commit_file("prompts/a.md", pointer(21)));
    repo.tag(V2, &repo.commit_file("prompts/a.md", pointer(30_000_000)));
    let reading = read(repo.path());
    assert!(reading.desired.components.is_empty());
    let latest = "components/prompts/a/latest";
    let (left, large) = ((latest, "left as it is"), (V2, "30000000 bytes"));
    assert_eq!(reading.warnings, vec![], "nothing of it is served");
    check(&reading.refused, &[left, (V1, "Git LFS pointer"), large]);
    let (first, rest) = digest.split_at(2);
    let place = format!(".git/lfs/objects/{first}/{}/{digest}", rest.split_at(2).0);
    repo.write(&place, "the large FILE itself");
    check(&read(repo.path()).refused, &[left, (V1, "damaged"), large]);
    repo.write(&place, bytes);
    let reading = read(repo.path());
    assert_eq!(content(&reading, "prompts/a", "v1.0.0"), bytes);
    assert_eq!(reading.warnings, vec![]);
}
