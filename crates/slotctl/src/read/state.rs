//! The state of a repository that was read.

use std::time::SystemTime;

use catalog::digest::Digest;
use catalog::record::Newest;
use catalog::timestamp::Timestamp;
use notice::{Notice, printable};
use reconcile::compile::Tag;
use reconcile::policy::FILE;
use reconcile::tag::Prefix;

use super::rollouts::Rollouts;
use crate::output::count;
use git::refs::Ref;

/// The seconds by which two clocks may differ without a notice.
const TOLERANCE: u64 = 60;

/// The largest number of tags that are named.
const NAMED: usize = 3;

/// A state of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepositoryState {
    /// The digest of the input of a sync: the components' tags and `rollouts.toml`.
    pub(crate) digest: Digest,
    /// The newest of the tags that were read and of `rollouts.toml`, also of its absence.
    pub(crate) newest: Option<Newest>,
    /// The newest of the tags.
    pub(crate) newest_tag: Option<Newest>,
}

impl Default for RepositoryState {
    fn default() -> Self {
        Self { digest: Digest::of(b""), newest: None, newest_tag: None }
    }
}

impl RepositoryState {
    /// Returns the state with these refs, of which `tags` were read.
    pub(super) fn of(refs: &[Ref], tags: &[Tag], rollouts: &Rollouts) -> Self {
        let (newest_tag, change) = (newest_tag(tags), last_change(rollouts));
        let newest = newest_tag.clone().into_iter().chain(change).max_by_key(|newest| newest.time);
        Self { digest: digest(refs, rollouts), newest, newest_tag }
    }
}

fn digest(refs: &[Ref], rollouts: &Rollouts) -> Digest {
    let mut bytes = Vec::new();
    for Ref { name, id } in refs.iter().filter(|of| of.name.starts_with(b"refs/tags/components/")) {
        bytes.extend_from_slice(id.as_slice());
        bytes.extend_from_slice(name);
        // No ref has a NUL in its name.
        bytes.push(0);
    }
    bytes.extend_from_slice(rollouts.text.as_deref().unwrap_or_default().as_bytes());
    Digest::of(&bytes)
}

/// Returns the newest tag. A time in the future, from a clock that is fast, is not used: the tag
/// would be the newest until then.
fn newest_tag(tags: &[Tag]) -> Option<Newest> {
    let now = now()?;
    let newest = times(tags).filter(|(time, _)| *time <= now).max_by_key(|(time, _)| *time);
    newest.map(|(time, tag)| Newest {
        name: tag.name.to_string(),
        time,
        object: tag.target.as_ref().ok().map(reconcile::compile::Peeled::id),
    })
}

/// Returns the last change of `rollouts.toml`, unless its time is in the future.
fn last_change(rollouts: &Rollouts) -> Option<Newest> {
    let now = now()?;
    let change = changed(rollouts).filter(|time| *time <= now);
    change.map(|time| Newest { name: FILE.to_owned(), time, object: None })
}

/// Returns notices of tags and of a change of `rollouts.toml` whose time is in the future.
pub(super) fn future(tags: &[Tag], rollouts: &Rollouts) -> Vec<Notice> {
    let Some(now) = now() else { return Vec::new() };
    let is_future = |time: Timestamp| time.unix() > now.unix() + TOLERANCE;
    let mut notices: Vec<Notice> = times(tags)
        .filter(|(time, _)| is_future(*time))
        .map(|(time, tag)| wrong_clock(printable(tag.name.to_string().as_bytes()), time))
        .collect();
    if let Some(more) = notices.len().checked_sub(NAMED).filter(|more| *more > 0) {
        notices.truncate(NAMED);
        let what = format!("{} have a time in the future too", count(more, "more tag"));
        notices.push(Notice { subject: "tags".to_owned(), what, help: None });
    }
    let change = changed(rollouts).filter(|time| is_future(*time));
    notices.extend(change.map(|time| wrong_clock(FILE.to_owned(), time)));
    notices
}

fn wrong_clock(subject: String, time: Timestamp) -> Notice {
    let what = format!(
        "its time, {time}, is in the future: the clock of the computer that made it was wrong. \
         It counts now, because times do not decide what is newer"
    );
    Notice { subject, what, help: None }
}

fn now() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_unix(i64::try_from(since.as_secs()).ok()?))
}

/// Returns the tags of components that lead to a commit, with their times.
fn times(tags: &[Tag]) -> impl Iterator<Item = (Timestamp, &Tag)> {
    let components = tags.iter().filter(|tag| tag.name.prefix == Prefix::Components);
    components.filter_map(|tag| Some((tag.target.as_ref().ok()?.stamp().time, tag)))
}

/// Returns the time of the last change of `rollouts.toml`, or of the commit that has no such file.
fn changed(rollouts: &Rollouts) -> Option<Timestamp> {
    rollouts.change.as_ref().map(|change| change.time).or(rollouts.absent_as_of)
}
