//! Changes of the repository.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use catalog::name::ComponentName;
use catalog::slot::Slot;
use git::Repository;
use git::refs::Ref;
use gix_hash::ObjectId;
use reconcile::policy::FILE;

use crate::output::Output;

/// The interval at which the repository is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The folder of the components' tags.
const TAGS: &[u8] = b"refs/tags/components/";

/// The repository, as it was at the last look.
#[derive(Debug)]
pub(super) struct Watch {
    repository: Repository,
    seen: State,
}

/// Everything that a sync depends on: its files are read from commits.
#[derive(Debug, PartialEq, Eq)]
struct State {
    refs: Vec<Ref>,
    head: Option<ObjectId>,
    /// True if the rollouts.toml of the work tree is the committed one.
    policy_is_committed: bool,
}

impl Watch {
    /// Looks at the repository in `folder` for the first time.
    ///
    /// # Errors
    ///
    /// If there is no repository, or Git cannot list its refs.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let repository = Repository::open(folder)?;
        let seen = look(&repository)?;
        Ok(Self { repository, seen })
    }

    /// Tells if a branch, a tag or HEAD has changed since the last look. Also tells the user about a
    /// rollouts.toml that has no effect because it is not committed.
    ///
    /// # Errors
    ///
    /// If Git cannot list the refs.
    pub(super) fn has_changed(&mut self, output: &Output) -> Result<bool> {
        let now = look(&self.repository)?;
        if self.seen.policy_is_committed && !now.policy_is_committed {
            output.say(format_args!(
                "       {FILE} has changes that are not committed: callers get the committed file"
            ));
        }
        let changed = (&now.refs, now.head) != (&self.seen.refs, self.seen.head);
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

fn look(repository: &Repository) -> Result<State> {
    let refs = git::refs::list(repository, &["refs/tags/", "refs/heads/"])?.refs;
    // A bare repository has no work tree, so nothing in it can differ.
    let policy_is_committed = git::changes::is_clean(&repository.git, FILE).unwrap_or(true);
    Ok(State { refs, head: repository.head(), policy_is_committed })
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
        let mut watch = Watch::new(repo.path()).unwrap();
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
        let mut watch = Watch::new(repo.path()).unwrap();
        repo.write(FILE, "# changed\n");
        assert!(!watch.has_changed(&Output::new(None)).unwrap());
        assert!(!watch.seen.policy_is_committed);
    }
}
