//! Records as they stand in JSON, flat: how arms and versions are read.
//!
//! serde's `flatten` would do, but it collects every member before it looks at one:
//! a slot's record, which is read at every request, takes twice as long that way, and
//! the Worker is larger by a tenth.

use serde::Deserialize;

use super::{Arm, Snapshot, Target, VersionRecord};
use crate::digest::Digest;
use crate::media_type::MediaType;
use crate::slot::Slot;
use crate::timestamp::Timestamp;
use crate::version::{CommitId, Version};

/// A struct with a snapshot's members beside its own, and the snapshot of it.
macro_rules! row {
    ($row:ident { $($(#[$how:meta])* $member:ident: $type:ty,)* }) => {
        #[derive(Deserialize)]
        pub(super) struct $row {
            $($(#[$how])* $member: $type,)*
            version: Version,
            digest: Digest,
            size: u64,
            #[serde(rename = "type")]
            media_type: MediaType,
            sha: CommitId,
            date: Timestamp,
        }

        impl $row {
            fn split(self) -> (Snapshot, ($($type,)*)) {
                let Self { version, digest, size, media_type, sha, date, $($member,)* } = self;
                (Snapshot { version, digest, size, media_type, sha, date }, ($($member,)*))
            }
        }
    };
}

row!(ArmRow { slot: Slot, weight: Option<u32>, });

row!(VersionRow {
    format: u32,
    author: String,
    path: String,
    #[serde(default)]
    revoked: Option<String>,
});

impl From<ArmRow> for Arm {
    fn from(row: ArmRow) -> Self {
        let (snapshot, (slot, _)) = row.split();
        Self { slot, snapshot }
    }
}

impl TryFrom<ArmRow> for Target {
    type Error = &'static str;

    fn try_from(row: ArmRow) -> Result<Self, &'static str> {
        let weight = row.weight.ok_or("missing field `weight`")?;
        Ok(Self { arm: row.into(), weight })
    }
}

impl From<VersionRow> for VersionRecord {
    fn from(row: VersionRow) -> Self {
        let (snapshot, (format, author, path, revoked)) = row.split();
        Self { format, snapshot, author, path, revoked }
    }
}
