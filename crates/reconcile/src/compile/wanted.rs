//! Versions whose files must be found, and the files.

use std::sync::Arc;

use super::tags::Commit;
use crate::source::path::RepoPath;
use crate::source::trailer::TrailerPath;
use catalog::digest::Digest;
use catalog::media_type::MediaType;
use catalog::name::ComponentName;
use catalog::record::{FORMAT, Snapshot, VersionMetadata, VersionRecord};
use catalog::version::Version;

/// A version whose file must be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedVersion {
    /// The component.
    pub component: ComponentName,
    /// The version.
    pub version: Version,
    /// The commit that it was made at.
    pub commit: Arc<Commit>,
    /// The path in its tag's trailer.
    pub trailer: Option<TrailerPath>,
    /// The path that Workers KV records for a version at this commit, if it is known.
    pub recorded: Option<RepoPath>,
}

/// A version's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path in the commit.
    pub path: String,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// The content's media type.
    pub media_type: MediaType,
}

impl File {
    /// The file of a version as the metadata of its record in KV has it. A commit never
    /// changes, so the record remains right when files or registries change afterwards.
    ///
    /// `None` if the record is of another commit, if the trailer of the tag names another
    /// file, or if the hash of the record is not the one that this file gives.
    pub fn remembered(
        wanted: &WantedVersion,
        known: &VersionMetadata,
        revoked: Option<&String>,
    ) -> Option<Self> {
        let found = known.file.as_ref()?;
        let named = match &wanted.trailer {
            None => true,
            Some(trailer) => trailer.as_ref().is_ok_and(|path| path.as_str() == found.path),
        };
        if !named || wanted.commit.id != known.sha {
            return None;
        }
        let (path, media_type) = (found.path.clone(), known.media_type.clone());
        let file = Self { path, digest: known.digest, size: found.size, media_type };
        let record =
            VersionRecord { revoked: revoked.cloned(), ..version_record(wanted, file.clone()) };
        (record.hash() == known.hash).then_some(file)
    }
}

/// Returns the record of a version whose file was found.
pub(super) fn version_record(wanted: &WantedVersion, file: File) -> VersionRecord {
    let WantedVersion { version, commit, .. } = wanted;
    let File { path, digest, size, media_type } = file;
    let (version, sha, date) = (version.clone(), commit.id.clone(), commit.committer.time);
    VersionRecord {
        format: FORMAT,
        snapshot: Snapshot { version, digest, size, media_type, sha, date },
        author: commit.author.clone(),
        path,
        revoked: None,
    }
}
