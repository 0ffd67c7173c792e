//! What a record in KV is to the one that Git would have there.

use super::actual::StoredVersion;
use super::stored::{Blocked, Known, Stored};
use catalog::digest::Digest;
use catalog::record::{SlotRecord, VersionRecord};

/// Of a version.
pub(super) enum VersionVerdict<'a> {
    /// KV has this very record.
    Same,
    /// To be written in place of what is there.
    Write(Known<'a, VersionRecord>),
    /// KV has another content: the record, where it can be read, and the digest.
    Conflict(Option<&'a VersionRecord>, Digest),
}

/// Judges the version `record`, whose hash is `hash`.
pub(super) fn of_version<'a>(
    record: &VersionRecord,
    hash: Digest,
    stored: Option<&'a StoredVersion>,
) -> Result<VersionVerdict<'a>, Blocked> {
    let Some(stored) = stored else { return Ok(VersionVerdict::Write(Known::Absent)) };
    let metadata = stored.metadata.as_ref();
    if metadata.is_some_and(|metadata| metadata.hash == hash) {
        return Ok(VersionVerdict::Same);
    }
    let known = stored.value.known()?;
    let (held, digest) = match known {
        Known::Absent => (None, None),
        Known::Record(held) => (Some(held), Some(held.snapshot.digest)),
        // The metadata is a second witness of what the version was.
        Known::Unreadable(_) => (None, metadata.map(|metadata| metadata.digest)),
    };
    Ok(match digest {
        Some(digest) if digest != record.snapshot.digest => VersionVerdict::Conflict(held, digest),
        _ => VersionVerdict::Write(known),
    })
}

/// Of a slot.
pub(super) enum SlotVerdict<'a> {
    /// KV has this very record.
    Same,
    /// To be written in place of what is there.
    Write(Known<'a, SlotRecord>),
}

/// Judges the slot `record`.
pub(super) fn of_slot<'a>(
    record: &SlotRecord,
    stored: Option<&'a Stored<SlotRecord>>,
) -> Result<SlotVerdict<'a>, Blocked> {
    let known = stored.map_or(Ok(Known::Absent), Stored::known)?;
    Ok(match known {
        Known::Record(present) if present == record => SlotVerdict::Same,
        known => SlotVerdict::Write(known),
    })
}
