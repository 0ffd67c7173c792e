//! A version as every record that names it describes it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::media_type::MediaType;
use crate::timestamp::Timestamp;
use crate::version::{CommitId, Version};

/// A version with all that the headers of an answer say of it, so that the
/// content is the only other read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version.
    pub version: Version,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// The content's media type.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// The commit that the version was made at.
    pub sha: CommitId,
    /// When that commit was made.
    pub date: Timestamp,
}
