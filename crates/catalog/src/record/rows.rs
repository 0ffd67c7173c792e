//! Flat structs for parsing arms and version records.
//!
//! serde's `flatten` would also work, but it collects all members first: a slot record, which
//! every request reads, then takes twice as long, and the Worker is a tenth larger.

/// A struct with its own members and those of a snapshot, and a way to split them.
macro_rules! row {
    ($row:ident { $($(#[$how:meta])* $member:ident: $type:ty,)* }) => {
        #[derive(serde::Deserialize)]
        struct $row {
            $($(#[$how])* $member: $type,)*
            version: $crate::version::Version,
            digest: $crate::digest::Digest,
            size: u64,
            #[serde(rename = "type")]
            media_type: $crate::media_type::MediaType,
            sha: $crate::version::CommitId,
            date: $crate::timestamp::Timestamp,
        }

        impl $row {
            fn split(self) -> (Snapshot, ($($type,)*)) {
                let Self { version, digest, size, media_type, sha, date, $($member,)* } = self;
                (Snapshot { version, digest, size, media_type, sha, date }, ($($member,)*))
            }
        }
    };
}

pub(super) use row;
