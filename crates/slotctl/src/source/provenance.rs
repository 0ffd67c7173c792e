//! The origin of the refs from which a plan was made, in words and as JSON.

use catalog::record::SyncSource;
use catalog::timestamp::Timestamp;
use gix_hash::ObjectId;
use notice::printable;
use serde_json::{Value, json};

/// The owner of the refs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The refs of a remote, as they are now.
    Remote {
        /// The remote's name, or its address if it has no name.
        name: String,
        /// The remote's address, without credentials.
        url: String,
    },
    /// The refs of the clone: there is no remote.
    Alone,
    /// The refs of the clone, because of `--local-refs` or `--offline`.
    Asked,
    /// The refs of the clone: the remote did not answer.
    Unanswered {
        /// The remote's name or address.
        name: String,
        /// The time at which the clone last fetched, if it is known.
        fetched: Option<Timestamp>,
    },
}

/// The origin of the refs, and the state of the repository that they show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// The owner of the refs.
    pub(crate) origin: Origin,
    /// The short name of the default branch.
    pub(crate) branch: Option<String>,
    /// The commit of the default branch, from which the policy is read.
    pub(crate) commit: Option<ObjectId>,
    /// The number of tags of all components, also if only some were asked for.
    pub(crate) tags: usize,
}

impl Provenance {
    /// Returns the words before a summary: `origin (main at 1a2b3c4), 41 tags`. `None` for a
    /// repository without a remote.
    pub(crate) fn words(&self) -> Option<String> {
        let branch = match (&self.branch, &self.commit) {
            (Some(branch), Some(commit)) => {
                format!("{} at {}", printable(branch.as_bytes()), commit.to_hex_with_len(7))
            }
            (None, Some(commit)) => format!("at {}", commit.to_hex_with_len(7)),
            (_, None) => "no default branch".to_owned(),
        };
        let whose = match &self.origin {
            Origin::Alone => return None,
            Origin::Remote { name, .. } => format!("{name} ({branch})"),
            Origin::Asked => format!("this clone alone ({branch})"),
            Origin::Unanswered { fetched: Some(time), .. } => {
                format!("this clone, last fetched at {time} ({branch})")
            }
            Origin::Unanswered { fetched: None, .. } => format!("this clone ({branch})"),
        };
        Some(format!("{whose}, {}", crate::output::count(self.tags, "tag")))
    }

    /// Returns the same for the record of a run.
    pub(crate) fn record(&self) -> SyncSource {
        let remote = match &self.origin {
            Origin::Remote { url, .. } => Some(url.clone()),
            Origin::Alone | Origin::Asked | Origin::Unanswered { .. } => None,
        };
        let commit = self.commit.and_then(|commit| commit.to_string().parse().ok());
        let (branch, tags) = (self.branch.clone(), self.tags as u64);
        SyncSource { remote, branch, commit, tags, newest_tag: None }
    }

    /// Returns the same as JSON.
    pub(crate) fn value(&self) -> Value {
        let (refs, reason) = match &self.origin {
            Origin::Remote { .. } => ("remote", None),
            Origin::Alone => ("local", Some("no-remote")),
            Origin::Asked => ("local", Some("local-refs")),
            Origin::Unanswered { .. } => ("local", Some("no-answer")),
        };
        let (remote, url, fetched) = match &self.origin {
            Origin::Remote { name, url } => (Some(name), Some(url), None),
            Origin::Unanswered { name, fetched } => (Some(name), None, fetched.as_ref()),
            Origin::Alone | Origin::Asked => (None, None, None),
        };
        json!({
            "refs": refs,
            "reason": reason,
            "remote": remote,
            "url": url,
            "fetched": fetched,
            "branch": self.branch,
            "commit": self.commit.map(|commit| commit.to_string()),
            "tags": self.tags,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_origin_branch_and_tag_count() {
        let commit = ObjectId::from_hex(&[b'a'; 40]).ok();
        let of = |origin, branch: Option<&str>, commit| {
            Provenance { origin, branch: branch.map(str::to_owned), commit, tags: 41 }.words()
        };
        let origin = || Origin::Remote { name: "origin".into(), url: "https://e.com/a".into() };
        let fetched = Some(Timestamp::from_unix(0));
        let unanswered = |fetched| Origin::Unanswered { name: "origin".into(), fetched };
        for (words, expected) in [
            (of(origin(), Some("main"), commit), "origin (main at aaaaaaa), 41 tags"),
            (of(origin(), None, None), "origin (no default branch), 41 tags"),
            (of(origin(), None, commit), "origin (at aaaaaaa), 41 tags"),
            (
                of(Origin::Asked, Some("main"), commit),
                "this clone alone (main at aaaaaaa), 41 tags",
            ),
            (
                of(unanswered(fetched), Some("main"), commit),
                "this clone, last fetched at 1970-01-01T00:00:00Z (main at aaaaaaa), 41 tags",
            ),
        ] {
            assert_eq!(words.as_deref(), Some(expected));
        }
        assert_eq!(of(Origin::Alone, Some("main"), commit), None);
    }
}
