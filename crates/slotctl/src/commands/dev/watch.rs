//! Changes of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use catalog::name::ComponentName;
use catalog::slot::Slot;
use git::Repository;
use git::refs::Ref;
use gix_hash::ObjectId;
use reconcile::policy::FILE;
use reconcile::source::registry;

use crate::output::Output;

/// The interval at which the repository is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The folder of the components' tags.
const TAGS: &[u8] = b"refs/tags/components/";

/// The repository, as it was at the last look.
#[derive(Debug)]
pub(super) struct Watch {
    repository: Repository,
    /// The registries of component paths that are read from files, not from commits.
    registries: Vec<PathBuf>,
    seen: State,
}

/// Everything that a sync depends on. Components and rollouts.toml are read from commits, so their
/// files in the work tree do not count.
#[derive(Debug)]
struct State {
    refs: Vec<Ref>,
    head: Option<ObjectId>,
    /// The time of the last change and the size of each registry; `None` if the file is missing.
    registries: Vec<Option<(SystemTime, u64)>>,
    /// True if the rollouts.toml of the work tree is the committed one.
    policy_is_committed: bool,
}

impl State {
    /// Returns what a sync reads.
    fn synced(&self) -> impl PartialEq + '_ {
        (&self.refs, self.head, &self.registries)
    }
}

impl Watch {
    /// Looks at the repository in `folder`, and at the `registry` that the user named, for the first
    /// time.
    ///
    /// # Errors
    ///
    /// If the folder is not in a repository, or Git cannot list the refs.
    pub(super) fn new(folder: &Path, registry: Option<&Path>) -> Result<Self> {
        let repository = Repository::open(folder)?;
        let own = repository.work_tree.as_ref().map(|root| root.join(registry::PATH));
        let registries = registry.map(Path::to_owned).into_iter().chain(own).collect::<Vec<_>>();
        let seen = look(&repository, &registries)?;
        Ok(Self { repository, registries, seen })
    }

    /// Tells if a branch, a tag, HEAD or a registry has changed since the last look. Also tells the
    /// user about a rollouts.toml that has no effect because it is not committed.
    ///
    /// # Errors
    ///
    /// If Git cannot list the refs.
    pub(super) fn has_changed(&mut self, output: &Output) -> Result<bool> {
        let now = look(&self.repository, &self.registries)?;
        if self.seen.policy_is_committed && !now.policy_is_committed {
            output.say(format_args!(
                "       {FILE} has changes that are not committed: callers get the committed file"
            ));
        }
        let changed = now.synced() != self.seen.synced();
        self.seen = now;
        Ok(changed)
    }

    /// Returns the first slot, as `<type>/<name>@<slot>`; `None` if no slot has a tag.
    pub(super) fn first_slot(&self) -> Option<String> {
        self.seen.refs.iter().find_map(|tag| slot_of(&tag.name))
    }
}

/// Waits until the next look.
pub(super) fn pause() {
    thread::sleep(LOOK);
}

fn look(repository: &Repository, registries: &[PathBuf]) -> Result<State> {
    let refs = git::refs::list(repository, &["refs/tags/", "refs/heads/"])?.refs;
    // A bare repository has no work tree, so nothing in it can differ.
    let policy_is_committed = git::changes::is_clean(&repository.git, FILE).unwrap_or(true);
    let registries = registries.iter().map(|file| stamp(file)).collect();
    Ok(State { refs, head: repository.head(), registries, policy_is_committed })
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn slot_of(name: &[u8]) -> Option<String> {
    let rest = str::from_utf8(name.strip_prefix(TAGS)?).ok()?;
    let (component, slot) = rest.rsplit_once('/')?;
    let component: ComponentName = component.parse().ok()?;
    let slot: Slot = slot.parse().ok()?;
    Some(format!("{component}@{slot}"))
}

#[cfg(test)]
mod tests {
    use git::testing::Repo;

    use super::*;

    #[test]
    fn tags_and_commits_are_changes() {
        let repo = Repo::new();
        repo.commit_file("prompts/a.md", "a");
        let output = Output::new(None);
        let mut watch = Watch::new(repo.path(), None).unwrap();
        assert!(!watch.has_changed(&output).unwrap());
        assert_eq!(watch.first_slot(), None);
        repo.tag("components/prompts/a/v1.0.0", "HEAD");
        assert!(watch.has_changed(&output).unwrap());
        assert!(!watch.has_changed(&output).unwrap());
        repo.commit_file("prompts/a.md", "b");
        assert!(watch.has_changed(&output).unwrap());
        repo.tag("components/prompts/a/production", "HEAD");
        assert!(watch.has_changed(&output).unwrap());
        assert_eq!(watch.first_slot().as_deref(), Some("prompts/a@production"));
    }

    #[test]
    fn an_uncommitted_policy_is_no_change() {
        let repo = Repo::new();
        repo.commit_file(FILE, "");
        let mut watch = Watch::new(repo.path(), None).unwrap();
        repo.write(FILE, "# changed\n");
        assert!(!watch.has_changed(&Output::new(None)).unwrap());
        assert!(!watch.seen.policy_is_committed);
    }

    #[test]
    fn registries_are_watched() {
        let repo = Repo::new();
        repo.commit_file("prompts/a.md", "a");
        let given = repo.path().join("paths.json");
        let mut watch = Watch::new(repo.path(), Some(&given)).unwrap();
        for (file, text) in [("paths.json", "{}"), (registry::PATH, "{}"), ("paths.json", "{ }")] {
            repo.write(file, text);
            assert!(watch.has_changed(&Output::new(None)).unwrap(), "{file}");
            assert!(!watch.has_changed(&Output::new(None)).unwrap(), "{file}");
        }
    }
}
