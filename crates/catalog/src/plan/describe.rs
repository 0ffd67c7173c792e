//! The plan in words: one line a write.

use std::fmt;

use super::{Held, Write, short};
use crate::record::{SlotRecord, VersionRecord};

/// What happens to a key, as in `prompts/extraction@production: v1.0.0 → v1.1.0`.
impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key())?;
        match self {
            Self::Content { size, .. } => write!(f, "new content, {size} bytes"),
            Self::Version { record, before, .. } => version(f, record, before.as_deref()),
            Self::Slot { record, before, .. } => slot(f, record, before.as_deref()),
            Self::Catalog { record, .. } => {
                let (versions, slots) = (record.versions.len(), record.slots.len());
                write!(f, "catalog of {versions} version(s) and {slots} slot(s)")
            }
            Self::Index { record } => write!(f, "{} component(s)", record.components.len()),
        }
    }
}

fn version(
    f: &mut fmt::Formatter<'_>,
    record: &VersionRecord,
    before: Option<&VersionRecord>,
) -> fmt::Result {
    let (now, path) = (&record.snapshot, &record.path);
    match before.map(|before| &before.snapshot) {
        None => write!(f, "new, {path}, {} bytes, {}", now.size, now.media_type.as_str()),
        Some(was) if was.sha != now.sha => {
            let commit = |sha: &crate::version::CommitId| {
                short(&crate::version::Version::Commit(sha.clone()))
            };
            write!(f, "same content, commit {} → {}", commit(&was.sha), commit(&now.sha))
        }
        Some(_) => write!(f, "same content, record updated"),
    }
}

fn slot(
    f: &mut fmt::Formatter<'_>,
    record: &SlotRecord,
    before: Option<&SlotRecord>,
) -> fmt::Result {
    let own = |record: &SlotRecord| record.own_version().map_or("no version".to_owned(), short);
    let now = own(record);
    match before {
        None => write!(f, "new, {now}"),
        Some(before) if own(before) != now => write!(f, "{} → {now}", own(before)),
        Some(before) if before.hold.is_some() => write!(f, "{now}, the hold is lifted"),
        Some(_) => write!(f, "{now}, record updated"),
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, record, wanted } = self;
        let stays = record.own_version().map_or("as it is".to_owned(), short);
        write!(f, "{name}@{}: held at {stays}, Git says {}", record.slot, short(wanted))?;
        match &record.hold {
            Some(hold) => write!(f, " ({}, by {} at {})", hold.reason, hold.by, hold.at),
            None => Ok(()),
        }
    }
}
