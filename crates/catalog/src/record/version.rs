//! Version records: the content of a version.

use serde::{Deserialize, Serialize};

use super::bytes::{Record, write};
use super::rows::row;
use super::snapshot::Snapshot;
use crate::digest::Digest;
use crate::media_type::MediaType;
use crate::timestamp::Timestamp;
use crate::version::CommitId;

/// `COMPONENTS` `<name>@<version>`: the content of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "VersionRow")]
pub struct VersionRecord {
    /// The format of the record.
    pub format: u32,
    /// The version, its content and commit.
    #[serde(flatten)]
    pub snapshot: Snapshot,
    /// The author of that commit.
    pub author: String,
    /// The path of the file in that commit.
    pub path: String,
    /// The reason of the revocation, if the version was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

/// The metadata of a version record's key, at most 1,024 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionMetadata {
    /// The content's digest.
    pub digest: Digest,
    /// The commit of the version.
    pub sha: CommitId,
    /// The time of that commit.
    pub date: Timestamp,
    /// The author of that commit.
    pub author: String,
    /// The content's media type.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// The digest of the record's bytes, so that a listing is enough to compare the record.
    pub hash: Digest,
    /// The file, so that the next sync need not read it again. Missing if it does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileMetadata>,
}

/// The file of a version, in the metadata of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMetadata {
    /// The path of the file in the commit.
    pub path: String,
    /// The size of the content in bytes.
    pub size: u64,
}

/// The largest metadata that Workers KV accepts, in bytes of JSON.
const MAX_METADATA: usize = 1024;

impl VersionRecord {
    /// The longest author that is stored, in bytes. With two digests and a commit id (64 each),
    /// the date (20), a media type (127) and the JSON around them (64), an author with every
    /// byte escaped (6 × 96) still fits into the 1,024 bytes of metadata.
    pub const MAX_AUTHOR: usize = 96;

    /// Returns the digest of the record's bytes.
    pub fn hash(&self) -> Digest {
        Digest::of(&write(self))
    }

    /// Returns the metadata of the key.
    pub fn metadata(&self) -> VersionMetadata {
        let Snapshot { digest, media_type, sha, date, size, .. } = self.snapshot.clone();
        let (hash, author) = (self.hash(), self.author.clone());
        let file = Some(FileMetadata { path: self.path.clone(), size });
        let whole = VersionMetadata { digest, sha, date, author, media_type, hash, file };
        match write(&whole).len() > MAX_METADATA {
            true => VersionMetadata { file: None, ..whole },
            false => whole,
        }
    }
}

impl Record for VersionRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

row!(VersionRow {
    format: u32,
    author: String,
    path: String,
    #[serde(default)]
    revoked: Option<String>,
});

impl From<VersionRow> for VersionRecord {
    fn from(row: VersionRow) -> Self {
        let (snapshot, (format, author, path, revoked)) = row.split();
        Self { format, snapshot, author, path, revoked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FORMAT;

    #[test]
    fn the_largest_metadata_fits() {
        let snapshot: Snapshot = serde_json::from_str(
            r#"{"version":"v1.0.0","digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"type":"text/plain","sha":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","date":"2026-11-20T23:59:27Z"}"#,
        )
        .unwrap();
        let record = VersionRecord {
            format: FORMAT,
            snapshot: Snapshot {
                media_type: format!("a/{}", "b".repeat(125)).parse().unwrap(),
                ..snapshot
            },
            author: "\u{1}".repeat(VersionRecord::MAX_AUTHOR),
            path: String::new(),
            revoked: None,
        };
        assert!(write(&record.metadata()).len() <= 1024);
        let usual = VersionRecord { author: "A".repeat(VersionRecord::MAX_AUTHOR), ..record };
        assert!(usual.metadata().file.is_some());
        let long = VersionRecord { path: "p/".repeat(400), ..usual };
        assert!(long.metadata().file.is_none() && write(&long.metadata()).len() <= 1024);
    }
}
