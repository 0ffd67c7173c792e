//! `rollouts.toml`, as the default branch's commit has it: never the work tree's,
//! so that what everybody reviewed is what callers get.

use catalog::record::VersionRecord;
use catalog::timestamp::Timestamp;
use gix_object::{CommitRef, Kind};
use notice::{Notice, one_line};
use reconcile::compile::MAX_WHY;
use reconcile::desired::TrafficChange;
use reconcile::policy::{FILE, PolicyReading};

use git::Repository;
use git::branch::{DefaultBranch, PathEntry};
use git::objects::{ObjectAnswer, ObjectRequest, Objects};

/// The largest file that is read, in bytes: a megabyte is ten thousand splits.
const MAX_FILE: u64 = 1 << 20;

/// The file, and where it was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rollouts {
    /// What it says; nothing where there is none.
    pub(crate) reading: PolicyReading,
    /// Its text; `None` where there is none that can be read.
    pub(crate) text: Option<String>,
    /// Its last change.
    pub(crate) change: Option<TrafficChange>,
    /// Of a file that is not there, when the branch's commit was made.
    pub(crate) absent_as_of: Option<Timestamp>,
    /// The branch that it was looked for on.
    pub(crate) branch: Option<DefaultBranch>,
    /// What its owner may not expect.
    pub(crate) warnings: Vec<Notice>,
}

/// Why the file can't be used: what is wrong, and what to do.
type Unusable = (String, &'static str);

/// Reads the file of the default branch.
pub(crate) fn read(repository: &Repository, objects: &mut Objects) -> Rollouts {
    let Some(branch) = git::branch::default_branch(repository) else { return Rollouts::default() };
    let mut rollouts = Rollouts::default();
    match find(repository, &branch) {
        // It may have been there: as new as the branch is what its absence says.
        Ok(None) => rollouts.absent_as_of = committed(objects, &branch),
        Ok(Some(entry)) => rollouts.take(repository, objects, &branch, &entry),
        Err((what, help)) => rollouts.reading = PolicyReading::unreadable(what, help),
    }
    rollouts.warnings.extend(unpushed(repository, &branch));
    rollouts.branch = Some(branch);
    rollouts
}

impl Rollouts {
    /// The file with another text, as if it were committed.
    pub(crate) fn with_text(text: &str) -> Self {
        Self {
            reading: reconcile::policy::read(text),
            text: Some(text.to_owned()),
            ..Self::default()
        }
    }

    fn take(
        &mut self,
        repository: &Repository,
        objects: &mut Objects,
        branch: &DefaultBranch,
        entry: &PathEntry,
    ) {
        match text(objects, entry) {
            Ok(text) => {
                self.reading = reconcile::policy::read(&text);
                self.text = Some(text);
                self.change = last_change(repository, branch);
            }
            Err((what, help)) => self.reading = PolicyReading::unreadable(what, help),
        }
    }
}

fn find(repository: &Repository, branch: &DefaultBranch) -> Result<Option<PathEntry>, Unusable> {
    git::branch::entry(repository, branch.commit, FILE).map_err(|_| {
        let what = format!("the commit of {} can't be read in this clone", branch.name);
        (what, "Fetch all of the repository; if that is not it, look for damage with git fsck")
    })
}

fn text(objects: &mut Objects, entry: &PathEntry) -> Result<String, Unusable> {
    const FETCH: &str = "Fetch it: git fetch --refetch in a partial clone";
    if !entry.mode.starts_with("100") {
        return Err(("it is no file (a link or a folder)".to_owned(), "Make it a plain file"));
    }
    match objects.ask_one(ObjectRequest::Contents(MAX_FILE), entry.id) {
        Ok(ObjectAnswer::Found { body, .. }) => String::from_utf8(body)
            .map_err(|_| ("it is not UTF-8".to_owned(), "Save it as UTF-8, as TOML wants it")),
        Ok(ObjectAnswer::TooLarge { size, .. }) => Err((
            format!("it has {size} bytes, more than {MAX_FILE}"),
            "Take out what is not needed",
        )),
        Ok(ObjectAnswer::Missing) => {
            Err(("this clone does not have its content".to_owned(), FETCH))
        }
        Ok(ObjectAnswer::Unreadable(said)) => Err((said, FETCH)),
        Err(error) => Err((format!("{error:#}"), FETCH)),
    }
}

fn committed(objects: &mut Objects, branch: &DefaultBranch) -> Option<Timestamp> {
    let answer = objects.ask_one(ObjectRequest::Contents(MAX_FILE), branch.commit).ok()?;
    let ObjectAnswer::Found { kind: Kind::Commit, body, .. } = answer else { return None };
    let commit = CommitRef::from_bytes(&body, branch.commit.kind()).ok()?;
    Some(Timestamp::from_unix(commit.committer().ok()?.seconds()))
}

fn last_change(repository: &Repository, branch: &DefaultBranch) -> Option<TrafficChange> {
    // A shallow clone may not have it: who moved an alias is then not said.
    let change = git::branch::last_change(repository, branch.commit, FILE).ok()?;
    Some(TrafficChange {
        author: one_line(&change.author, VersionRecord::MAX_AUTHOR),
        time: Timestamp::from_unix(change.seconds),
        why: one_line(&change.subject, MAX_WHY),
    })
}

/// Somebody committed a change and did not push it: it has no effect yet.
fn unpushed(repository: &Repository, branch: &DefaultBranch) -> Option<Notice> {
    let local = git::branch::ahead_of(repository, branch)?;
    let at =
        |branch: &DefaultBranch| git::branch::entry(repository, branch.commit, FILE).ok().flatten();
    (at(&local) != at(branch)).then(|| Notice {
        subject: FILE.to_owned(),
        what: format!(
            "{} has a change that {} has not: it counts once it is there",
            local.name, branch.name
        ),
        help: Some(format!("git push origin {}, or git fetch", local.name)),
    })
}
