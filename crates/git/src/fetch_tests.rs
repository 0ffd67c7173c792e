use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix_hash::ObjectId;
use tempfile::TempDir;

use crate::address::choose;
use crate::fetch::{Fetcher, Supply, With};
use crate::history::{is_ancestor, last_change};
use crate::network::Limit;
use crate::object_store::ObjectStore;
use crate::objects::{ObjectAnswer, ObjectRequest, Objects};
use crate::remote_refs::ask;
use crate::repository::Repository;
use crate::testing::{Repo, run};

const LIMIT: Limit = Limit { idle: Duration::from_secs(60), total: Duration::from_secs(60) };

fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.as_bytes()).unwrap()
}

/// Creates ten commits, the third of which changed `rollouts.toml` last; each is a version.
fn origin() -> Repo {
    let repo = Repo::new();
    for number in 0..10 {
        if number < 3 {
            repo.write("rollouts.toml", format!("# {number}"));
        }
        let commit = repo.commit_file("prompts/deep/a.md", number.to_string());
        repo.tag(&format!("components/prompts/deep/a/v1.0.{number}"), &commit);
    }
    repo
}

/// A clone of `origin`, made with the given flags.
struct Clone {
    dir: TempDir,
    repository: Repository,
    supply: Supply,
}

fn clone(origin: &Repo, flags: &[&str]) -> Clone {
    let dir = TempDir::new().unwrap();
    let url = format!("file://{}", origin.path().display());
    run(dir.path(), &[&["clone", "--quiet"], flags, &[&url, "."]].concat());
    let repository = Repository::open(dir.path()).unwrap();
    let remote = choose(&repository, None).unwrap().unwrap();
    let store = ObjectStore::open(&repository.common_dir).unwrap();
    let refs = ask(&repository, &remote, LIMIT).unwrap();
    let names = refs.tags.iter().chain(&refs.branches);
    let names = names.map(|found| String::from_utf8(found.name.clone()).unwrap()).collect();
    let seen = repository.with_objects(&store.objects());
    let fetcher = Fetcher::new(&repository, remote, names, store, LIMIT);
    Clone { dir, repository: seen, supply: Arc::new(Mutex::new(fetcher)) }
}

impl Clone {
    fn objects(&self) -> Objects {
        Objects::of(&self.repository).with_supply(Some(self.supply.clone()))
    }

    fn body(&self, id: ObjectId) -> Vec<u8> {
        match self.objects().ask_one(ObjectRequest::Contents(1000), id).unwrap() {
            ObjectAnswer::Found { body, .. } => body,
            other => panic!("{other:?}"),
        }
    }
}

/// Reads the state of a repository that belongs to the user: refs, configuration, `shallow`,
/// `FETCH_HEAD`.
fn users(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let git = dir.join(".git");
    let names = ["HEAD", "FETCH_HEAD", "config", "shallow", "packed-refs"];
    let mut files: Vec<_> = names
        .iter()
        .map(|name| (name.into(), fs::read(git.join(name)).unwrap_or_default()))
        .collect();
    files.push(("refs".into(), run(dir, &["for-each-ref"]).into_bytes()));
    files.push(("objects".into(), run(dir, &["count-objects", "-v"]).into_bytes()));
    files
}

const SHAPES: [&[&str]; 5] = [
    &["--depth=1"],
    &["--depth=1", "--branch=components/prompts/deep/a/v1.0.4"],
    &["--filter=blob:none", "--no-checkout"],
    &["--filter=tree:0", "--no-checkout"],
    &["--single-branch", "--no-tags"],
];

#[test]
fn missing_objects_are_fetched_without_changing_the_clone() {
    let origin = origin();
    let tag = "components/prompts/deep/a/v1.0.2";
    for (allowed, version) in [("true", "2"), ("false", "2"), ("true", "0")] {
        origin.git(&["config", "uploadpack.allowFilter", allowed]);
        for shape in SHAPES {
            let clone = clone(&origin, shape);
            run(clone.dir.path(), &["config", "protocol.version", version]);
            let before = users(clone.dir.path());
            let of = |name: &str| id(&origin.git(&["rev-parse", name]));
            assert!(clone.body(of(tag)).ends_with(b"Set components/prompts/deep/a/v1.0.2\n"));
            assert!(clone.body(of(&format!("{tag}^{{commit}}"))).starts_with(b"tree "));
            let blob = of(&format!("{tag}:prompts/deep/a.md"));
            assert_eq!(clone.body(blob), b"2", "{shape:?} {allowed} {version}");
            assert_eq!(users(clone.dir.path()), before, "{shape:?}");
            // The next run finds the object without a remote.
            let alone = Objects::of(&clone.repository).ask_one(ObjectRequest::Info, blob).unwrap();
            assert!(matches!(alone, ObjectAnswer::Found { .. }));
        }
    }
}

#[test]
fn trees_of_many_commits_are_fetched_without_blobs() {
    let origin = origin();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = clone(&origin, &["--depth=1"]);
    let commits: Vec<(ObjectId, ObjectId)> = (0..9)
        .map(|at| format!("components/prompts/deep/a/v1.0.{at}"))
        .map(|tag| [format!("{tag}^{{commit}}"), format!("{tag}^{{tree}}")])
        .map(|names| names.map(|name| id(&origin.git(&["rev-parse", &name]))))
        .map(|[commit, tree]| (commit, tree))
        .collect();
    clone.objects().bring_trees(&commits).unwrap();
    let mut alone = Objects::of(&clone.repository);
    let mut has = |name: String| {
        let id = id(&origin.git(&["rev-parse", &name]));
        matches!(alone.ask_one(ObjectRequest::Info, id), Ok(ObjectAnswer::Found { .. }))
    };
    for at in 0..9 {
        assert!(has(format!("components/prompts/deep/a/v1.0.{at}:prompts/deep")));
        assert!(!has(format!("components/prompts/deep/a/v1.0.{at}:prompts/deep/a.md")));
    }
}

#[test]
fn an_object_absent_from_the_remote_is_missing() {
    let origin = origin();
    let clone = clone(&origin, &["--depth=1"]);
    let answer = clone.objects().ask_one(ObjectRequest::Info, id(&"1".repeat(40)));
    assert_eq!(answer.unwrap(), ObjectAnswer::Missing);
}

#[test]
fn fetching_from_a_deleted_remote_is_an_error() {
    let origin = origin();
    let clone = clone(&origin, &["--depth=1"]);
    drop(origin);
    let error = clone.supply.lock().unwrap().bring(&[id(&"1".repeat(40))], With::Commits);
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.starts_with("origin sends no objects: "), "{error}");
}

#[test]
fn history_is_the_same_from_every_clone() {
    let origin = origin();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let commit = |at: usize| id(&origin.git(&["rev-parse", &format!("HEAD~{at}")]));
    let (tip, other) = (commit(0), id(&origin.git(&["commit-tree", "-m", "x", "HEAD^{tree}"])));
    for shape in SHAPES.into_iter().chain([&[][..]]) {
        let clone = clone(&origin, shape);
        let before = users(clone.dir.path());
        let last = |path| last_change(&clone.repository, Some(&clone.supply), tip, path).unwrap();
        let change = last("rollouts.toml").unwrap();
        assert_eq!(change.subject, b"prompts/deep/a.md", "{shape:?}");
        assert_eq!(change.commit, commit(7), "{shape:?}");
        assert_eq!(last("rollouts.toml"), Some(change), "noted");
        assert_eq!(last("nothing"), None);
        let leads = |old| is_ancestor(&clone.repository, Some(&clone.supply), old, tip).unwrap();
        assert!(leads(tip) && leads(commit(5)) && leads(commit(9)));
        assert!(!leads(other));
        assert_eq!(users(clone.dir.path()), before, "{shape:?}");
    }
}
