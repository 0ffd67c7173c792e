use std::ffi::OsStr;
use std::fs;

use crate::command::{self, Git};
use crate::objects::{ObjectAnswer, ObjectRequest, Objects};
use crate::refs;
use crate::repository::Repository;
use crate::testing::Repo;
use gix_hash::ObjectId;
use std::path::Path;

fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.as_bytes()).unwrap()
}

fn ask(objects: &mut Objects, ask: ObjectRequest, ids: &[ObjectId]) -> Vec<ObjectAnswer> {
    let mut answers = Vec::new();
    objects
        .ask(ask, ids, &mut |at, answer| {
            assert_eq!(at, answers.len(), "in the order asked");
            answers.push(answer);
            Ok(())
        })
        .unwrap();
    answers
}

#[test]
fn open_explains_why_a_path_is_not_a_repository() {
    let dir = tempfile::tempdir().unwrap();
    let error = |path: &Path| Repository::open(path).unwrap_err().to_string();
    assert!(error(dir.path()).contains("is not a Git repository"), "{}", error(dir.path()));
    assert!(error(&dir.path().join("gone")).contains("does not exist"));
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(error(&file).contains("is a file"));
}

#[test]
fn dubious_ownership_error_shows_the_safe_directory_command() {
    let said = "fatal: detected dubious ownership in repository at '/repo' To add".to_owned();
    let error = command::GitFailure::Said(said).explain(Path::new("sub")).to_string();
    assert!(error.contains("git config --global --add safe.directory '/repo'"), "{error}");
}

#[test]
fn git_commands_remove_repository_variables_from_the_environment() {
    let repo = Repo::new();
    let git = Git::at(repo.path());
    let command = git.command();
    let envs: Vec<_> = command.get_envs().collect();
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
        assert!(envs.contains(&(OsStr::new(name), None)), "{name}");
    }
    for (name, value) in [("LC_ALL", "C"), ("GIT_NO_LAZY_FETCH", "1")] {
        assert!(envs.contains(&(OsStr::new(name), Some(OsStr::new(value)))), "{name}");
    }
    // Every variable that Git calls local to a repository is either removed or one of the
    // configuration's.
    for name in repo.git(&["rev-parse", "--local-env-vars"]).lines() {
        let scrubbed = envs.contains(&(OsStr::new(name), None));
        let set = envs.iter().any(|(set, value)| *set == OsStr::new(name) && value.is_some());
        let internal = name == "GIT_INTERNAL_SUPER_PREFIX";
        assert!(scrubbed || set || internal || name.starts_with("GIT_CONFIG_"), "{name}");
    }
}

/// A repository whose configuration and whose hooks name a program in every way that Git knows.
#[cfg(unix)]
struct Trapped {
    repo: Repo,
}

#[cfg(unix)]
impl Trapped {
    fn new() -> Self {
        let repo = Repo::new();
        let commit = repo.commit_file("a", "a");
        repo.tag("components/prompts/a/v1.0.0", &commit);
        repo.git(&["remote", "add", "origin", "."]);
        repo.git(&["remote", "add", "helper", "ext::touch marker-ext"]);
        let trapped = Self { repo };
        for key in [
            "core.fsmonitor",
            "core.pager",
            "core.alternateRefsCommand",
            "diff.external",
            "diff.x.command",
            "diff.x.textconv",
            "gpg.program",
            "uploadpack.packObjectsHook",
            "remote.origin.uploadpack",
            "filter.x.clean",
            "filter.x.smudge",
            "filter.y.process",
            "pager.for-each-ref",
        ] {
            trapped.repo.git(&["config", key, &trapped.program(key)]);
        }
        for (key, value) in [
            ("protocol.ext.allow", "always"),
            ("log.showSignature", "true"),
            ("filter.x.required", "true"),
            ("filter.y.required", "true"),
        ] {
            trapped.repo.git(&["config", key, value]);
        }
        for hook in ["post-index-change", "reference-transaction", "post-checkout"] {
            let script = format!("#!/bin/sh\n{}\n", trapped.program(hook));
            let file = trapped.repo.at(&format!(".git/hooks/{hook}"));
            fs::write(&file, script).unwrap();
            make_executable(&file);
        }
        trapped.repo.write(".gitattributes", "* filter=x diff=x\n*.y filter=y\n");
        trapped
    }

    /// A program that leaves a marker.
    fn program(&self, name: &str) -> String {
        format!("touch '{}'; false", self.repo.at(&format!("marker-{name}")).display())
    }

    /// The programs that ran, without their markers from then on.
    fn ran(&self) -> Vec<String> {
        let files = fs::read_dir(self.repo.path()).unwrap().map(|entry| entry.unwrap());
        let marked = files.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let program = name.strip_prefix("marker-")?.to_owned();
            fs::remove_file(entry.path()).unwrap();
            Some(program)
        });
        let mut programs: Vec<String> = marked.collect();
        programs.sort();
        programs
    }
}

#[cfg(unix)]
fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn repository_configuration_cannot_run_programs() {
    let trapped = Trapped::new();
    let repo = &trapped.repo;
    // Git itself runs the programs: the traps work.
    for (args, program) in [
        (&["describe", "--always", "--dirty"][..], "filter.x.clean"),
        (&["status", "--short"], "core.fsmonitor"),
        (&["ls-remote", "origin"], "remote.origin.uploadpack"),
        (&["ls-remote", "helper"], "ext"),
        (&["update-ref", "refs/heads/other", "HEAD"], "reference-transaction"),
    ] {
        // Any of them makes the command fail.
        let _ = crate::testing::git_in(repo.path()).args(args).output().unwrap();
        assert!(trapped.ran().contains(&program.to_owned()), "git {}", args.join(" "));
    }

    let commit = id(&repo.git(&["rev-parse", "HEAD"]));
    repo.write("a", "another");
    repo.write("b.y", "y");
    let repository = Repository::open(repo.path()).unwrap();
    assert_eq!(refs::list(&repository, &["refs/tags"]).unwrap().refs.len(), 1);
    let mut objects = Objects::of(&repository);
    let found = objects.ask_one(ObjectRequest::Info, commit);
    assert!(matches!(found, Ok(ObjectAnswer::Found { .. })));
    let described = crate::describe::describe(&repository, &["components"]).unwrap();
    assert!(described.ends_with(b"-dirty"), "{}", String::from_utf8_lossy(&described));
    assert!(!crate::describe::subject(&repository).unwrap().is_empty());
    assert_eq!(crate::changes::contents_of(&repository.git, commit, "a", 9).unwrap().len(), 1);
    assert!(crate::history::last_change(&repository, None, commit, "a").unwrap().is_some());
    let limit = crate::network::Limit::of_silence(std::time::Duration::from_secs(60));
    assert!(!crate::remote::list(&repository, "origin", &[], limit).unwrap().is_empty());
    let tag = "refs/tags/components/prompts/a/v1.0.0".to_owned();
    crate::remote::fetch_objects(&repository, "origin", &[tag], limit).unwrap();
    for remote in ["helper", "ext::touch marker-ext"] {
        let refused = crate::remote::list(&repository, remote, &[], limit).unwrap_err();
        assert!(refused.to_string().contains("'ext' not allowed"), "{refused}");
    }
    assert_eq!(trapped.ran(), <[String; 0]>::default());
}

#[test]
fn a_changed_work_tree_is_dirty_and_an_equal_one_is_not() {
    let repo = Repo::new();
    repo.commit_file("a", "a");
    let repository = Repository::open(repo.path()).unwrap();
    let is_dirty = || crate::describe::describe(&repository, &[]).unwrap().ends_with(b"-dirty");
    assert!(!is_dirty());
    // The same content at another time.
    repo.write("a", "a");
    assert!(!is_dirty());
    repo.write("untracked", "x");
    assert!(!is_dirty());
    repo.write("a", "b");
    assert!(is_dirty());
    repo.git(&["add", "a"]);
    assert!(is_dirty());
}

/// The contents are line ends: only their sizes distinguish them from those of the protocol.
#[test]
fn objects_are_returned_in_the_order_requested() {
    let repo = Repo::new();
    let line_ends = |n: usize| vec![b'\n'; n];
    let distinct: Vec<ObjectId> = (0..7).map(|n| id(&repo.object("blob", line_ends(n)))).collect();
    let mut ids: Vec<ObjectId> = distinct.iter().cycle().take(3500).copied().collect();
    ids[1500] = id("947e4e2247da185c97ee358273a064bc3e3e0fed");
    let mut objects = Objects::of(&Repository::open(repo.path()).unwrap());
    for (at, answer) in
        ask(&mut objects, ObjectRequest::Contents(100), &ids).into_iter().enumerate()
    {
        match answer {
            ObjectAnswer::Missing => assert_eq!(at, 1500),
            ObjectAnswer::Found { body, .. } => assert_eq!(body, line_ends(at % 7)),
            other => panic!("{other:?}"),
        }
    }
    let answers = ask(&mut objects, ObjectRequest::Contents(5), &distinct);
    assert!(matches!(answers[5], ObjectAnswer::Found { size: 5, .. }), "{:?}", answers[5]);
    assert_eq!(answers[6], ObjectAnswer::TooLarge { kind: gix_object::Kind::Blob, size: 6 });
}

#[test]
fn a_damaged_object_does_not_affect_other_objects() {
    let repo = Repo::new();
    let ids: Vec<String> =
        (0..6).map(|n| repo.object("blob", format!("a blob with the number {n}"))).collect();
    for damaged in [1, 2, 5] {
        let path = repo.loose(&ids[damaged]);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "this is not zlib").unwrap();
    }
    let ids: Vec<ObjectId> = ids.iter().map(|hex| id(hex)).collect();
    let mut objects = Objects::of(&Repository::open(repo.path()).unwrap());
    for round in [ObjectRequest::Contents(100), ObjectRequest::Info, ObjectRequest::Contents(100)] {
        let answers = ask(&mut objects, round, &ids);
        for (at, answer) in answers.iter().enumerate() {
            let damaged = [1, 2, 5].contains(&at);
            assert_eq!(matches!(answer, ObjectAnswer::Found { .. }), !damaged, "{at}: {answer:?}");
        }
    }
}
