//! The state of a repository that was read, and its age.

use std::time::SystemTime;

use catalog::digest::Digest;
use catalog::record::Newest;
use catalog::timestamp::Timestamp;
use reconcile::compile::Tag;
use reconcile::policy::FILE;
use reconcile::tag::Prefix;

use super::rollouts::Rollouts;
use git::refs::Ref;

/// A state of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepositoryState {
    /// The digest of the input of a sync: the components' tags and `rollouts.toml`.
    pub(crate) digest: Digest,
    /// The newest of the tags that were read and of `rollouts.toml`, also of its absence.
    pub(crate) newest: Option<Newest>,
}

impl Default for RepositoryState {
    fn default() -> Self {
        Self { digest: Digest::of(b""), newest: None }
    }
}

impl RepositoryState {
    /// Returns the state with these refs, of which `tags` were read.
    pub(super) fn of(refs: &[Ref], tags: &[Tag], rollouts: &Rollouts) -> Self {
        Self { digest: digest(refs, rollouts), newest: newest(tags, rollouts) }
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

/// Returns the newest tag or change. A tag with a time in the future, from a clock that is
/// fast, is ignored until that time: everything tagged before then would count as older.
fn newest(tags: &[Tag], rollouts: &Rollouts) -> Option<Newest> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = Timestamp::from_unix(i64::try_from(now.as_secs()).ok()?);
    let components = tags.iter().filter(|tag| tag.name.prefix == Prefix::Components);
    let times = components.filter_map(|tag| Some((tag.target.as_ref().ok()?.stamp().time, tag)));
    let tag = times
        .filter(|(time, _)| *time <= now)
        .max_by_key(|(time, _)| *time)
        .map(|(time, tag)| Newest { name: tag.name.to_string(), time });
    let change = rollouts.change.as_ref().map(|change| change.time).or(rollouts.absent_as_of);
    let change =
        change.filter(|time| *time <= now).map(|time| Newest { name: FILE.to_owned(), time });
    tag.into_iter().chain(change).max_by_key(|newest| newest.time)
}
