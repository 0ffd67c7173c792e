//! Reads `rollouts.toml` from the commit of the default branch. The work tree's file is never
//! read, so that callers get what everybody reviewed.

use catalog::record::VersionRecord;
use catalog::timestamp::Timestamp;
use gix_hash::ObjectId;
use gix_object::{CommitRef, Kind, TreeRefIter};
use notice::{Notice, one_line, printable};
use reconcile::compile::MAX_WHY;
use reconcile::desired::TrafficChange;
use reconcile::policy::{FILE, PolicyReading};

use crate::nearest::nearest;
use crate::quote::quoted;
use crate::source::{Origin, Source};
use git::branch::{DefaultBranch, PathEntry};
use git::objects::{ObjectAnswer, ObjectRequest, Objects};

/// The largest file that is read, in bytes: a megabyte is ten thousand splits.
const MAX_FILE: u64 = 1 << 20;

/// The file, and the commit and branch that it was read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rollouts {
    /// The policy in the file; empty if there is no file.
    pub(crate) reading: PolicyReading,
    /// The text of the file; `None` if there is no file that can be read.
    pub(crate) text: Option<String>,
    /// The last change of the file.
    pub(crate) change: Option<TrafficChange>,
    /// The time of the branch's commit, if that commit does not have the file.
    pub(crate) absent_as_of: Option<Timestamp>,
    /// The branch on which the file was looked for.
    pub(crate) branch: Option<DefaultBranch>,
    /// A notice of a file whose name is nearly the right one, if the commit does not have the file.
    pub(crate) misnamed: Option<Notice>,
    /// Notices of decisions that the owner of the file may not expect.
    pub(crate) warnings: Vec<Notice>,
}

/// The reason why the file can't be used: what is wrong, and what to do.
type Unusable = (String, &'static str);

/// Reads the file of the default branch.
pub(crate) fn read(source: &Source, objects: &mut Objects) -> Rollouts {
    match &source.branch {
        Ok(Some(branch)) => Rollouts::of(source, objects, branch),
        Ok(None) => Rollouts::default(),
        Err(what) => {
            let help = "Say so there: git symbolic-ref HEAD refs/heads/<branch>";
            let reading = PolicyReading::unreadable(what.clone(), help);
            Rollouts { reading, ..Rollouts::default() }
        }
    }
}

impl Rollouts {
    /// Returns the policy of another text, as if it were committed.
    pub(crate) fn with_text(text: &str) -> Self {
        Self {
            reading: reconcile::policy::read(text),
            text: Some(text.to_owned()),
            ..Self::default()
        }
    }

    fn of(source: &Source, objects: &mut Objects, branch: &DefaultBranch) -> Self {
        let mut rollouts = Self::default();
        match find(source, objects, branch) {
            // An earlier commit may have had it: its absence is as new as the branch.
            Ok(None) => {
                let commit = commit(objects, branch);
                rollouts.absent_as_of = commit.map(|(time, _)| time);
                rollouts.misnamed = commit.and_then(|(_, root)| misnamed(objects, branch, root));
                rollouts.warnings.extend(rollouts.misnamed.clone());
            }
            Ok(Some(entry)) => rollouts.take(source, objects, branch, &entry),
            Err((what, help)) => rollouts.reading = PolicyReading::unreadable(what, help),
        }
        rollouts.warnings.extend(unpushed(source, branch));
        rollouts.branch = Some(branch.clone());
        rollouts
    }

    fn take(
        &mut self,
        source: &Source,
        objects: &mut Objects,
        branch: &DefaultBranch,
        entry: &PathEntry,
    ) {
        match text(objects, entry) {
            Ok(text) => {
                self.reading = reconcile::policy::read(&text);
                self.text = Some(text);
                self.change = last_change(source, branch);
            }
            Err((what, help)) => self.reading = PolicyReading::unreadable(what, help),
        }
    }
}

fn find(
    source: &Source,
    objects: &mut Objects,
    branch: &DefaultBranch,
) -> Result<Option<PathEntry>, Unusable> {
    // The root folder of the commit must be in the clone before `entry` reads it.
    if let Some((_, root)) = commit(objects, branch) {
        let _ = objects.ask_one(ObjectRequest::Info, root);
    }
    git::branch::entry(&source.repository, branch.commit, FILE).map_err(|_| {
        let what = format!("the commit of {} cannot be read in this clone", branch.name);
        (what, "Fetch all of the repository; if that is not it, look for damage with git fsck")
    })
}

fn text(objects: &mut Objects, entry: &PathEntry) -> Result<String, Unusable> {
    const FETCH: &str = "Fetch it: git fetch --refetch --no-filter in a partial clone";
    if !entry.mode.starts_with("100") {
        return Err((
            "it is not a file (but a link or a folder)".to_owned(),
            "Make it a plain file",
        ));
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

/// Returns the time of a branch's commit, and its root folder.
fn commit(objects: &mut Objects, branch: &DefaultBranch) -> Option<(Timestamp, ObjectId)> {
    let answer = objects.ask_one(ObjectRequest::Contents(MAX_FILE), branch.commit).ok()?;
    let ObjectAnswer::Found { kind: Kind::Commit, body, .. } = answer else { return None };
    let commit = CommitRef::from_bytes(&body, branch.commit.kind()).ok()?;
    Some((Timestamp::from_unix(commit.committer().ok()?.seconds()), commit.tree()))
}

/// Returns a notice of a file in the root folder whose name is nearly that of the policy.
fn misnamed(objects: &mut Objects, branch: &DefaultBranch, root: ObjectId) -> Option<Notice> {
    let answer = objects.ask_one(ObjectRequest::Contents(MAX_FILE), root).ok()?;
    let ObjectAnswer::Found { kind: Kind::Tree, body, .. } = answer else { return None };
    let entries = TreeRefIter::from_bytes(&body, root.kind()).filter_map(Result::ok);
    let files = entries.filter(|entry| entry.mode.is_blob_or_symlink());
    let names: Vec<&str> =
        files.filter_map(|entry| std::str::from_utf8(entry.filename).ok()).collect();
    let near = nearest(FILE, names)?;
    let what = format!("is not read: the policy of {} has to be named {FILE}", branch.name);
    let help = format!("if it is meant: git mv {} {FILE}, then commit and push", quoted(near));
    Some(Notice { subject: printable(near.as_bytes()), what, help: Some(help) })
}

fn last_change(source: &Source, branch: &DefaultBranch) -> Option<TrafficChange> {
    let (repository, supply) = (&source.repository, source.supply.as_ref());
    // If the history can't be read, the author of a moved alias is not shown.
    let change = git::history::last_change(repository, supply, branch.commit, FILE).ok()??;
    Some(TrafficChange {
        author: one_line(&change.author, VersionRecord::MAX_AUTHOR),
        time: Timestamp::from_unix(change.seconds),
        why: one_line(&change.subject, MAX_WHY),
    })
}

/// Warns of a change that is committed and not pushed: it has no effect yet.
fn unpushed(source: &Source, branch: &DefaultBranch) -> Option<Notice> {
    let remote = match &source.provenance.origin {
        Origin::Remote { name, .. } | Origin::Unanswered { name, .. } => name,
        Origin::Alone | Origin::Asked => "origin",
    };
    let repository = &source.repository;
    let local = git::branch::ahead_of(repository, remote, branch)?;
    let at =
        |branch: &DefaultBranch| git::branch::entry(repository, branch.commit, FILE).ok().flatten();
    (at(&local) != at(branch)).then(|| Notice {
        subject: FILE.to_owned(),
        what: format!(
            "{} has a change that {} has not: it counts once it is there",
            local.name, branch.name
        ),
        help: Some(format!("git push {remote} {}", local.name)),
    })
}
