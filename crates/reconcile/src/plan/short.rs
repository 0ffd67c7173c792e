//! Versions as people read them.

use catalog::version::Version;

/// A version as people read it: a commit id is abbreviated as Git does.
pub(super) fn short(version: &Version) -> String {
    match version {
        Version::Release(_) => version.to_string(),
        Version::Commit(commit) => commit.as_str().get(..12).unwrap_or_default().to_owned(),
    }
}
