use std::sync::Arc;

use super::registry::{History, Registry};
use super::*;

/// A commit as a list of paths. A path that ends with `/`, `@` or `#` is a folder, a symbolic
/// link or a submodule.
#[derive(Default)]
struct Commit {
    paths: Vec<&'static str>,
    registries: BTreeMap<RegistryOrigin, Arc<Registry>>,
    history: History,
}

impl Commit {
    fn new(paths: &[&'static str]) -> Self {
        Self { paths: paths.to_vec(), ..Self::default() }
    }

    fn with(mut self, origin: RegistryOrigin, name: &str, path: &str) -> Self {
        self.registries.insert(origin, Arc::new(registry(name, path)));
        self
    }

    fn before(mut self, name: &str, path: &str) -> Self {
        self.history.add(registry(name, path));
        self
    }

    fn locate(&self, name: &str, trailer: Option<&str>) -> Result<String, String> {
        self.locate_recorded(name, trailer, None)
    }

    fn locate_recorded(
        &self,
        name: &str,
        trailer: Option<&str>,
        recorded: Option<&str>,
    ) -> Result<String, String> {
        let name = name.parse().unwrap();
        let trailer = trailer.map(|path| RepoPath::parse(path.as_bytes()));
        let recorded = recorded.map(|path| RepoPath::parse(path.as_bytes()).unwrap());
        let sought = Sought {
            prefix: Prefix::Components,
            name: &name,
            trailer: trailer.as_ref(),
            recorded: recorded.as_ref(),
        };
        locate(sought, self).map(|located| located.path).map_err(|problem| problem.what)
    }
}

impl CommitFiles for Commit {
    type Id = ();
    type Halt = FileProblem;

    fn entry(&self, folder: &str, name: &str) -> Result<TreeEntry<()>, FileProblem> {
        let found = self.beginning(folder, name)?;
        Ok(found.into_iter().find(|(file, _)| file == name).map_or(TreeEntry::Absent, |(_, e)| e))
    }

    fn beginning(&self, folder: &str, start: &str) -> Result<TreeListing<()>, FileProblem> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let in_folder = self.paths.iter().filter_map(|path| path.strip_prefix(prefix.as_str()));
        let entry = |name: &str| {
            let plain = name.trim_end_matches(['/', '@', '#']).to_owned();
            let other = |kind| TreeEntry::Other(kind, format!("{prefix}{plain}"));
            let entry = match name.chars().next_back() {
                Some('/') => other(NotAFile::Folder),
                Some('@') => other(NotAFile::Symlink),
                Some('#') => other(NotAFile::Submodule),
                _ => TreeEntry::File(()),
            };
            (plain, entry)
        };
        let direct =
            |name: &&str| name.starts_with(start) && !name.trim_end_matches('/').contains('/');
        Ok(in_folder.filter(direct).map(entry).collect())
    }

    fn registry(&self, origin: RegistryOrigin) -> Result<Option<Arc<Registry>>, FileProblem> {
        Ok(self.registries.get(&origin).cloned())
    }

    fn history(&self) -> Result<Arc<History>, FileProblem> {
        Ok(Arc::new(self.history.clone()))
    }
}

fn registry(name: &str, path: &str) -> Registry {
    let json =
        format!("{{\"components\":{{\"{name}\":{{\"path\":\"{path}\",\"type\":\"prompt\"}}}}}}");
    Registry::parse(json.as_bytes()).unwrap()
}

#[track_caller]
fn refused(result: Result<String, String>, words: &[&str]) {
    let what = result.unwrap_err();
    for word in words {
        assert!(what.contains(word), "{what}");
    }
}

#[test]
fn a_file_that_looks_like_the_named_one_is_pointed_out() {
    let decomposed = "docs/cafe\u{301}.md";
    let commit = Commit::new(&["Prompts/", "Prompts/A.md", "docs/", decomposed, "docs/B.md"]);
    let case = |path: &str| format!("the commit has {path}, which differs in letter case");
    refused(commit.locate("prompts/a", None), &["looked for", &case("Prompts/A.md")]);
    refused(commit.locate("prompts/x", Some("docs/b.md")), &["trailer", &case("docs/B.md")]);
    let letters = "the same letters in another Unicode normalization than form C";
    refused(commit.locate("prompts/x", Some("docs/caf\u{e9}.md")), &[decomposed, letters]);
    let commit = commit.with(RegistryOrigin::Given, "x", "Docs/caf\u{e9}.md");
    refused(commit.locate("prompts/x", None), &["Docs/caf\u{e9}.md (", &case(decomposed)]);
    let composed = Commit::new(&["caf\u{e9}.md"]);
    let letters = "the same letters in normalization form C";
    refused(composed.locate("prompts/x", Some("cafe\u{301}.md")), &[letters]);
    let other = commit.locate("prompts/x", Some("docs/c.md")).unwrap_err();
    assert!(!other.contains("the commit has"), "{other}");
}

#[test]
fn the_trailer_has_priority_and_must_be_valid() {
    let commit = Commit::new(&["prompts/a.md", "x/b.md", "prompts/d/", "l@", "s#"]).with(
        RegistryOrigin::Head,
        "a",
        "prompts/a.md",
    );
    assert_eq!(commit.locate("prompts/a", Some("./x/b.md")), Ok("x/b.md".into()));
    refused(commit.locate("prompts/a", Some("gone.md")), &["trailer", "gone.md", "not in the"]);
    refused(commit.locate("prompts/a", Some("../a")), &["trailer", "'../a'", "'..'"]);
    refused(commit.locate("prompts/a", Some("l")), &["l is a symbolic link"]);
    refused(commit.locate("prompts/a", Some("s")), &["s is a submodule"]);
    refused(commit.locate("prompts/a", Some("prompts/d")), &["prompts/d is a folder"]);
}

#[test]
fn stronger_sources_have_priority() {
    // From the weakest source to the strongest: each one that is added wins.
    let files = ["work.md", "head.md", "prompts/a.md", "old.md", "tagged.md", "given.md", "kv.md"];
    let mut commit = Commit::new(&files[..2]).with(RegistryOrigin::WorkTree, "a", "work.md");
    assert_eq!(commit.locate("prompts/a", None), Ok("work.md".into()));
    commit = commit.with(RegistryOrigin::Head, "a", "head.md");
    assert_eq!(commit.locate("prompts/a", None), Ok("head.md".into()));
    commit.paths = files.to_vec();
    assert_eq!(commit.locate("prompts/a", None), Ok("prompts/a.md".into()));
    commit = commit.before("a", "gone.md").before("a", "old.md").before("a", "work.md");
    assert_eq!(commit.locate("prompts/a", None), Ok("old.md".into()), "the newest that is there");
    commit = commit.with(RegistryOrigin::TaggedCommit, "a", "tagged.md");
    assert_eq!(commit.locate("prompts/a", None), Ok("tagged.md".into()));
    commit = commit.with(RegistryOrigin::Given, "a", "given.md");
    assert_eq!(commit.locate("prompts/a", None), Ok("given.md".into()));
    assert_eq!(commit.locate_recorded("prompts/a", None, Some("kv.md")), Ok("kv.md".into()));
    let trailer = commit.locate_recorded("prompts/a", Some("old.md"), Some("kv.md"));
    assert_eq!(trailer, Ok("old.md".into()));
    // A record is ignored if its path is not in the commit.
    let gone = commit.locate_recorded("prompts/a", None, Some("gone.md"));
    assert_eq!(gone, Ok("given.md".into()));
    assert_eq!(commit.locate("templates/a", None).map_err(|_| ()), Err(()), "another type");
}

#[test]
fn a_registry_decides_between_candidates_by_convention() {
    let commit = Commit::new(&["prompts/a.md", "prompts/a.prompt.md"]);
    refused(commit.locate("prompts/a", None), &["prompts/a.md and prompts/a.prompt.md"]);
    let commit = commit.with(RegistryOrigin::WorkTree, "a", "prompts/a.prompt.md");
    assert_eq!(commit.locate("prompts/a", None), Ok("prompts/a.prompt.md".into()));
}

#[test]
fn the_history_ignores_paths_that_cannot_be_served() {
    let commit = Commit::new(&["prompts/a.md", "l@"]).before("a", "../x").before("a", "l");
    assert_eq!(commit.locate("prompts/a", None), Ok("prompts/a.md".into()));
}

#[test]
fn a_registry_entry_without_a_file_in_the_commit_is_ignored() {
    let commit = Commit::new(&["prompts/a.md"])
        .with(RegistryOrigin::Given, "a", "prompts/moved.md")
        .with(RegistryOrigin::Head, "a", "prompts/a.md");
    assert_eq!(commit.locate("prompts/a", None), Ok("prompts/a.md".into()));
    let commit = Commit::new(&["other.md"]).with(RegistryOrigin::WorkTree, "a", "prompts/moved.md");
    refused(
        commit.locate("prompts/a", None),
        &["prompts/moved.md (the registry in the work tree)", "prompts/{a,a.prompt}.*"],
    );
}

#[test]
fn a_registry_cannot_leave_the_repository() {
    for (path, word) in [("../../etc/passwd", "'..'"), ("/etc/passwd", "absolute"), ("l", "link")] {
        let commit = Commit::new(&["other.md", "l@"]).with(RegistryOrigin::Head, "a", path);
        refused(commit.locate("prompts/a", None), &["registry at HEAD", word]);
    }
}

#[test]
fn convention_has_one_candidate() {
    let commit =
        Commit::new(&["prompts/a.md", "prompts/a.test.md", "prompts/a.d/", "prompts/ab.md"]);
    assert_eq!(commit.locate("prompts/a", None), Ok("prompts/a.md".into()));
    let commit = Commit::new(&["prompts/a.md", "components/prompts/a/index.txt"]);
    refused(commit.locate("prompts/a", None), &["components/prompts/a/index.txt and prompts/a.md"]);
    let commit = Commit::new(&["prompts/a.prompt.md", "prompts/a.md"]);
    refused(commit.locate("prompts/a", None), &["prompts/a.md and prompts/a.prompt.md"]);
    let commit = Commit::new(&["prompts/a.md", "prompts/a-prompt.md"]);
    refused(commit.locate("prompts/a-prompt", None), &["prompts/a-prompt.md and prompts/a.md"]);
    refused(Commit::new(&["prompts/a.md@"]).locate("prompts/a", None), &["symbolic link"]);
    refused(Commit::new(&[]).locate("prompts/a", None), &["looked for"]);
}
