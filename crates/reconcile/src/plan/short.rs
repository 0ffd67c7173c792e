//! Versions in a short form for people.

use catalog::version::Version;

/// Formats a version for people: a commit id is abbreviated to 12 digits.
pub(super) fn short(version: &Version) -> String {
    match version {
        Version::Release(_) => version.to_string(),
        Version::Commit(commit) => commit.as_str().get(..12).unwrap_or_default().to_owned(),
    }
}
