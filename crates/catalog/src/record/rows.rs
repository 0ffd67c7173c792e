//! Records as they stand in JSON, flat: how arms and versions are read.
//!
//! serde's `flatten` would do, but it collects every member before it looks at one:
//! a slot's record, which is read at every request, takes twice as long that way, and
//! the Worker is larger by a tenth.

/// A struct with a snapshot's members beside its own, and the snapshot of it.
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
