//! Versions whose files must be found, and the files.

use std::sync::Arc;

use super::tags::Commit;
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
    /// What its tag's trailer says of the path.
    pub trailer: Option<TrailerPath>,
    /// What the file is found by, once the registries are known: see
    /// [`crate::source::directions`].
    pub found_by: Option<Digest>,
}

/// A version's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is in the commit.
    pub path: String,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// The content's media type.
    pub media_type: MediaType,
}

impl File {
    /// The file of a version as the metadata of its record in KV has it: a commit never
    /// changes, so what was found in it by the same directions is found again.
    ///
    /// `None` unless the record that this makes is the one whose hash KV has: nothing is
    /// taken over that Git would not say as well.
    pub fn remembered(
        wanted: &WantedVersion,
        known: &VersionMetadata,
        revoked: Option<&String>,
    ) -> Option<Self> {
        let found = known.file.as_ref()?;
        if wanted.found_by != Some(found.by) || wanted.commit.id != known.sha {
            return None;
        }
        let (path, media_type) = (found.path.clone(), known.media_type.clone());
        let file = Self { path, digest: known.digest, size: found.size, media_type };
        let record =
            VersionRecord { revoked: revoked.cloned(), ..version_record(wanted, file.clone()) };
        (record.hash() == known.hash).then_some(file)
    }
}

/// The version's record, once its file is known.
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
