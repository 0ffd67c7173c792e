//! The refusals of a sync whose repository may be older than what KV was synced from.

use catalog::record::SyncRecord;
use notice::{Refused, printable};

use super::order::Lead;

/// The refusal of a repository that is older than the state that KV was synced from.
pub(super) fn stale(newer: &SyncRecord, lead: &Lead) -> anyhow::Error {
    const HELP: &str = "check if the remote has it: git ls-remote; if the older state is meant to \
                        count, run this again with --allow-older";
    let source = newer.source.clone().unwrap_or_default();
    let (subject, what, help) = match lead {
        Lead::Tag(name) => (
            printable(name.as_bytes()),
            "KV was synced from newer tags than this repository has; nothing was written"
                .to_owned(),
            HELP,
        ),
        Lead::Commit(commit) => (
            source.branch.map_or("history".to_owned(), |branch| printable(branch.as_bytes())),
            format!(
                "KV was synced from the commit {}{}, which is not in the history of this \
                 repository's default branch; nothing was written",
                commit.to_hex_with_len(7),
                source
                    .remote
                    .map_or(String::new(), |url| format!(" of {}", printable(url.as_bytes()))),
            ),
            HELP,
        ),
        Lead::Changed => return changed(),
    };
    Refused::new(subject, what, help).into()
}

/// The refusal of a run that sees a newer one.
pub(super) fn overtaken(lead: &Lead) -> anyhow::Error {
    let why = match lead {
        Lead::Changed => return changed(),
        Lead::Commit(commit) => format!(
            "its commit {} is not in the history of this repository's default branch",
            commit.to_hex_with_len(7)
        ),
        Lead::Tag(name) => format!("it has {}", printable(name.as_bytes())),
    };
    let what = format!(
        "another sync started from a newer state of the repository while this one ran ({why}); \
         the newer state wins"
    );
    Refused::new("conflict", what, "run this command again when the other has ended").into()
}

/// The refusal of a repository that does not stop changing.
pub(super) fn changed() -> anyhow::Error {
    let what = "the repository changed while this command ran, and another sync may have written \
                its newer state: the newer state wins";
    Refused::new("conflict", what, "run this command again").into()
}

/// The refusal of a run that sees another one whose age is not known.
pub(super) fn undecided() -> anyhow::Error {
    let what = "another sync runs at the same time, from another state of the repository, and \
                nothing tells which of the two is newer";
    Refused::new("conflict", what, "run this command again when it has ended").into()
}
