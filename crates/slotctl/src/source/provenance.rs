//! Where the refs come from that a plan was made from, in words and for machines.

use catalog::timestamp::Timestamp;
use gix_hash::ObjectId;
use notice::printable;
use serde_json::{Value, json};

/// Whose refs they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A remote's, as they are now.
    Remote {
        /// Its name, or its address if it has none.
        name: String,
        /// Its address, without credentials.
        url: String,
    },
    /// The clone's own: there is no remote.
    Alone,
    /// The clone's own, as `--local-refs` or `--offline` says.
    Asked,
    /// The clone's own: the remote did not answer.
    Unanswered {
        /// The remote's name or address.
        name: String,
        /// When the clone last fetched; none if nothing tells.
        fetched: Option<Timestamp>,
    },
}

/// Where refs come from, and which state of the repository they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// Whose they are.
    pub(crate) origin: Origin,
    /// The short name of the default branch.
    pub(crate) branch: Option<String>,
    /// Its commit, which the policy is read from.
    pub(crate) commit: Option<ObjectId>,
    /// How many tags of components there are.
    pub(crate) tags: usize,
}

impl Provenance {
    /// The words before a summary: `origin (main at 1a2b3c4), 41 tags`. None for a
    /// repository without a remote, of which there is nothing to tell.
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

    /// The same for machines.
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
    fn words_say_whose_refs_count() {
        let commit = ObjectId::from_hex(&[b'a'; 40]).ok();
        let of = |origin, branch: Option<&str>, commit| {
            Provenance { origin, branch: branch.map(str::to_owned), commit, tags: 41 }.words()
        };
        let origin = || Origin::Remote { name: "origin".into(), url: "https://e.com/a".into() };
        let fetched = Some(Timestamp::from_unix(0));
        let away = |fetched| Origin::Unanswered { name: "origin".into(), fetched };
        for (words, expected) in [
            (of(origin(), Some("main"), commit), "origin (main at aaaaaaa), 41 tags"),
            (of(origin(), None, None), "origin (no default branch), 41 tags"),
            (of(origin(), None, commit), "origin (at aaaaaaa), 41 tags"),
            (
                of(Origin::Asked, Some("main"), commit),
                "this clone alone (main at aaaaaaa), 41 tags",
            ),
            (
                of(away(fetched), Some("main"), commit),
                "this clone, last fetched at 1970-01-01T00:00:00Z (main at aaaaaaa), 41 tags",
            ),
        ] {
            assert_eq!(words.as_deref(), Some(expected));
        }
        assert_eq!(of(Origin::Alone, Some("main"), commit), None);
    }
}
