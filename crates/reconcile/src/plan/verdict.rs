//! The comparison of a record in KV with the record that Git asks for.

use super::actual::StoredVersion;
use super::stored::{Blocked, Known, Stored};
use catalog::digest::Digest;
use catalog::record::{SlotRecord, VersionRecord};

/// The result of comparing a version record.
pub(super) enum VersionVerdict<'a> {
    /// KV has the same record.
    Same,
    /// The record must be written in place of the known value.
    Write(Known<'a, VersionRecord>),
    /// KV has another content: its record, if it can be read, and its digest.
    Conflict(Option<&'a VersionRecord>, Digest),
}

/// Compares the version `record`, whose hash is `hash`, with KV.
pub(super) fn of_version<'a>(
    record: &VersionRecord,
    hash: Digest,
    stored: Option<&'a StoredVersion>,
) -> Result<VersionVerdict<'a>, Blocked> {
    let Some(stored) = stored else { return Ok(VersionVerdict::Write(Known::Absent)) };
    let metadata = stored.metadata.as_ref();
    let is_damaged = matches!(stored.value, Stored::Unreadable(_));
    if !is_damaged && metadata.is_some_and(|metadata| metadata.hash == hash) {
        return Ok(VersionVerdict::Same);
    }
    let known = stored.value.known()?;
    let (held, digest) = match known {
        Known::Absent => (None, None),
        Known::Record(held) => (Some(held), Some(held.snapshot.digest)),
        // The metadata also has the digest of the version.
        Known::Unreadable(_) => (None, metadata.map(|metadata| metadata.digest)),
    };
    Ok(match digest {
        Some(digest) if digest != record.snapshot.digest => VersionVerdict::Conflict(held, digest),
        _ => VersionVerdict::Write(known),
    })
}

/// The result of comparing a slot record.
pub(super) enum SlotVerdict<'a> {
    /// KV has the same record.
    Same,
    /// The record must be written in place of the known value.
    Write(Known<'a, SlotRecord>),
}

/// Compares the slot `record` with KV.
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
