//! Reads repositories of every form: bare, shallow, partial and others.

use super::*;

const V1: &str = "components/prompts/a/v1.0.0";

fn filled() -> Repo {
    fill(Repo::new())
}

fn fill(repo: Repo) -> Repo {
    let one = repo.commit_file("prompts/a.md", "one");
    let two = repo.commit_file("prompts/a.md", "two");
    repo.tag(V1, &one);
    repo.tag("components/prompts/a/production", V1);
    repo.tag("components/prompts/a/edge", &two);
    repo
}

/// Returns a clone made with these options, and the directory that contains it.
fn clone(repo: &Repo, options: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repo.path().display());
    let mut args = vec!["clone", "--quiet"];
    args.extend(options);
    args.extend([url.as_str(), "clone"]);
    run(dir.path(), &args);
    let path = dir.path().join("clone");
    (dir, path)
}

#[test]
fn every_form_of_repository_reads_alike() {
    let repo = filled();
    let expected = read(repo.path());
    assert_eq!(slots(&expected, "prompts/a").len(), 3);
    let check = |form: &str, path: &Path| {
        let reading = read(path);
        assert_eq!(reading.desired, expected.desired, "{form}");
        assert_eq!((reading.warnings, reading.refused), (vec![], vec![]), "{form}");
        assert_eq!(reading.head, expected.head, "{form}");
    };
    for options in [&["--bare"][..], &["--mirror"], &["--no-checkout"], &["--shared", "--no-local"]]
    {
        let (_dir, path) = clone(&repo, options);
        check(&options.join(" "), &path);
    }
    let alternates = tempfile::tempdir().unwrap();
    let (source, target) = (repo.path().as_os_str(), alternates.path().join("clone"));
    run(
        alternates.path(),
        &["clone".as_ref(), "--quiet".as_ref(), "--shared".as_ref(), source, target.as_os_str()],
    );
    assert!(target.join(".git/objects/info/alternates").exists());
    check("alternates", &target);
    repo.git(&["worktree", "add", "--quiet", "--detach", "tree"]);
    check("worktree", &repo.at("tree"));
    check("subdirectory", &repo.at("prompts"));
    check("git directory", &repo.at(".git"));
    repo.git(&["gc", "--quiet"]);
    repo.git(&["multi-pack-index", "write"]);
    repo.git(&["commit-graph", "write", "--reachable"]);
    check("commit graph", repo.path());
}

#[test]
fn sha256_and_reftable_repositories_are_read() {
    let expected = slots(&read(filled().path()), "prompts/a").len();
    for option in ["--object-format=sha256", "--ref-format=reftable"] {
        let dir = tempfile::tempdir().unwrap();
        let init = ["-c", "init.defaultBranch=main", "init", "--quiet", option];
        let made = git::testing::git_in(dir.path()).args(init).output().unwrap();
        if !made.status.success() {
            continue;
        }
        let repo = fill(Repo::init(&init));
        let reading = read(repo.path());
        assert_eq!(slots(&reading, "prompts/a").len(), expected, "{option}");
        let head = repo.git(&["rev-parse", "HEAD"]);
        assert_eq!(content(&reading, "prompts/a", &head), b"two", "{option}");
    }
}

#[test]
fn an_empty_repository_has_no_components_and_no_warnings() {
    for init in [&["init", "--quiet"][..], &["init", "--quiet", "--bare"]] {
        let reading = read(Repo::init(init).path());
        assert!(reading.desired.components.is_empty());
        assert_eq!((reading.warnings, reading.refused), (vec![], vec![]));
        assert_eq!(reading.head, None);
    }
}

#[test]
fn a_path_without_a_repository_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path(), &dir.path().join("gone")] {
        assert!(source(path).is_err());
    }
}

#[test]
fn a_shallow_clone_serves_the_objects_it_has() {
    let repo = filled();
    let (_dir, path) = clone(&repo, &["--depth=1"]);
    assert_eq!(slots(&read(&path), "prompts/a").len(), 1, "the tag of the last commit");
    run(&path, &["fetch", "--quiet", "--depth=1", "origin", "tag", V1]);
    let reading = read(&path);
    assert_eq!(content(&reading, "prompts/a", "v1.0.0"), b"one");
    assert_eq!((reading.warnings, reading.refused), (vec![], vec![]));
}

#[test]
fn replacement_objects_are_ignored() {
    let repo = filled();
    let original = repo.git(&["rev-parse", &format!("{V1}:prompts/a.md")]);
    let other = repo.object("blob", "replaced");
    repo.git(&["replace", &original, &other]);
    let reading = read(repo.path());
    assert_eq!(content(&reading, "prompts/a", "v1.0.0"), b"one");
}

#[test]
fn a_partial_clone_fetches_nothing() {
    let repo = filled();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    for (filter, what) in [("blob:none", "the content of prompts/a.md"), ("tree:0", "the folder")] {
        let filter = format!("--filter={filter}");
        let (_dir, path) = clone(&repo, &["--bare", &filter]);
        let before = run(&path, &["count-objects", "-v"]);
        let reading = read(&path);
        assert_eq!(run(&path, &["count-objects", "-v"]), before, "nothing was fetched");
        assert!(reading.desired.components.is_empty());
        // Without the tree of the root, nothing tells if there is a rollouts.toml.
        let refused =
            if what == "the folder" { &[("rollouts.toml:1", "cannot be read")][..] } else { &[] };
        let expected = [
            ("components/prompts/a/edge", what),
            ("components/prompts/a/latest", "left as it is"),
            ("components/prompts/a/production", "it points to v1.0.0"),
            (V1, what),
        ];
        check(&all_notices(&reading), &[&expected[..], refused].concat());
    }
}
