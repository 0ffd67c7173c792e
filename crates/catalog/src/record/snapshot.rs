//! A version, as described in every record that names it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::media_type::MediaType;
use crate::timestamp::Timestamp;
use crate::version::{CommitId, Version};

/// A version with everything that the headers of a response need, so that the content is
/// the only other read.
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
    /// The commit of the version.
    pub sha: CommitId,
    /// The time of that commit.
    pub date: Timestamp,
}
