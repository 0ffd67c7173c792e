//! Describes what others did meanwhile, and what to do now.

use anyhow::Result;
use gix_hash::ObjectId;
use notice::{Notice, Refused, printable};
use reconcile::compile::Stamp;
use reconcile::tag::{TagName, read_short_name};

use super::decide::{TagVerdict, Theirs};
use crate::output::count;
use crate::read::tags::{Tagged, read_object};
use crate::remote::limit;
use git::Repository;
use git::network::Unanswered;

/// Returns a refusal that ends the command.
pub(super) fn refuse<T>(
    subject: &str,
    what: impl Into<String>,
    help: impl Into<String>,
) -> Result<T> {
    Err(Refused::new(printable(subject.as_bytes()), what, help).into())
}

/// Returns the refusal of a slot that would be moved on the remote.
pub(super) fn needs_force(name: &TagName) -> Notice {
    Notice {
        subject: name.to_string(),
        what: "the remote has another value for this slot; --force moves it".to_owned(),
        help: Some("slotctl push --tags --force".to_owned()),
    }
}

/// Returns the notice of a push that was ended because the remote did not answer. `pushed` of the
/// `all` refs are known to be there.
pub(super) fn unanswered(remote: &str, error: &Unanswered, pushed: usize, all: usize) -> Notice {
    let refs = count(all, "ref");
    let what = match pushed {
        0 => format!("the push of {refs} was ended: {error}; it is not known which arrived"),
        _ => format!(
            "the push was ended: {error}; {pushed} of {refs} are there, and it is not known which \
             of the others arrived"
        ),
    };
    let help = "run the command again: it compares with the remote and pushes what is missing";
    Notice { subject: printable(remote.as_bytes()), what, help: Some(help.to_owned()) }
}

/// Returns the refusals and the notes about the changes of others: a refusal if there is also a
/// change here to push, a note if this clone is only behind.
pub(super) fn of_theirs(
    repository: &Repository,
    remote: &str,
    theirs: &[Theirs<'_>],
) -> Result<(Vec<Notice>, Vec<Notice>)> {
    let (mut refusals, mut notes) = (Vec::new(), Vec::new());
    if theirs.is_empty() {
        return Ok((refusals, notes));
    }
    let there = theirs.iter().filter(|theirs| theirs.remote.is_some());
    let names = there.map(|theirs| format!("refs/tags/{}", theirs.tagged.tag.name));
    let names: Vec<String> = names.collect();
    // The objects only tell who did what: without them the refusal is shorter.
    if !names.is_empty() {
        let _ = git::remote::fetch_objects(repository, remote, &names, limit()?);
    }
    for found in theirs {
        let move_there = match found.remote {
            Some(id) => Some(RemoteMove::read(repository, id)?),
            None => None,
        };
        let (notice, refused) = notice(remote, found, move_there.as_ref());
        if refused { refusals.push(notice) } else { notes.push(notice) }
    }
    Ok((refusals, notes))
}

/// A slot's tag on the remote, as far as it could be fetched.
struct RemoteMove {
    stamp: Option<Stamp>,
    to: String,
}

impl RemoteMove {
    fn read(repository: &Repository, id: ObjectId) -> Result<Self> {
        let Ok(peeled) = read_object(repository, id)? else {
            return Ok(Self { stamp: None, to: id.to_hex_with_len(10).to_string() });
        };
        let inner = peeled.chain.get(1).and_then(|tag| read_short_name(&tag.name));
        let commit = peeled.commit.id.as_str();
        let commit = || format!("commit {}", commit.get(..10).unwrap_or(commit));
        let to = inner.map_or_else(commit, |tag| tag.target.to_string());
        Ok(Self { stamp: Some(peeled.stamp().clone()), to })
    }

    /// Returns `v1.1.0, by Ada at 2026-11-21T09:00:00Z`.
    fn words(&self) -> String {
        match &self.stamp {
            Some(Stamp { author, time }) => {
                format!("{}, by {} at {time}", self.to, printable(author.as_bytes()))
            }
            None => self.to.clone(),
        }
    }
}

fn notice(remote: &str, theirs: &Theirs<'_>, there: Option<&RemoteMove>) -> (Notice, bool) {
    let Theirs { tagged, verdict, .. } = theirs;
    let name = &tagged.tag.name;
    let remote = printable(remote.as_bytes());
    let fetch = format!("git fetch --force {remote} tag {name}");
    let words = there.map_or_else(|| "deleted".to_owned(), RemoteMove::words);
    let refused = match verdict {
        TagVerdict::Unseen => is_newer(tagged, there),
        verdict => *verdict != TagVerdict::Behind,
    };
    let (what, help) = match (verdict, refused) {
        (TagVerdict::OtherVersion, _) => (
            format!("{remote} has another commit for it ({words}), and versions never change"),
            format!("take theirs: {fetch}; then make yours under the next number"),
        ),
        (_, true) => (
            format!("moved on {remote} since this clone last saw it: {words}"),
            format!(
                "see theirs: {fetch}; then set it again if it still should move: slotctl tag set {} {} …",
                name.component, name.target
            ),
        ),
        (_, false) if there.is_none() => (
            format!("left alone: it was deleted on {remote}"),
            format!("delete it here too: slotctl tag delete {} {}", name.component, name.target),
        ),
        (_, false) => {
            (format!("left alone: moved on {remote}: {words}"), format!("take it: {fetch}"))
        }
    };
    (Notice { subject: name.to_string(), what, help: Some(help) }, refused)
}

/// Tells if the tag here was made after the one on the remote. It is unknown which of the two
/// the user of this clone had seen; the user with the later tag wants to move it.
fn is_newer(tagged: &Tagged, there: Option<&RemoteMove>) -> bool {
    let here = tagged.tag.target.as_ref().ok().map(|peeled| peeled.stamp().time);
    let there = there.and_then(|there| there.stamp.as_ref()).map(|stamp| stamp.time);
    match (here, there) {
        (Some(here), Some(there)) => here >= there,
        _ => true,
    }
}
