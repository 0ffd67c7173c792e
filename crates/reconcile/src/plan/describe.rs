//! The plan as text: one line per write.

use std::fmt;

use super::short::short;
use super::traffic::changes;
use super::value::Held;
use super::write::Write;
use crate::policy::percent;
use catalog::record::{Arm, FULL_WEIGHT, Gone, Hold, SlotRecord, Target, VersionRecord};
use catalog::version::Version;

/// Describes the change of a key, as in `prompts/extraction@production: v1.0.0 → v1.1.0`.
impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key())?;
        match self {
            Self::Unreferenced { since, .. } => {
                write!(f, "no record names the content since {since}")
            }
            Self::Content { size, .. } => write!(f, "new content, {size} bytes"),
            Self::Version { record, before, .. } => version(f, record, before.as_deref()),
            Self::Slot { record, before, .. } => slot(f, record, before.as_deref()),
            Self::Ranges { .. } => f.write_str("versions for ranges"),
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
    let was_revoked = before.and_then(|before| before.revoked.as_ref());
    match before.map(|before| &before.snapshot) {
        Some(_) if was_revoked != record.revoked.as_ref() => match &record.revoked {
            Some(reason) => write!(f, "revoked ({reason})"),
            None => write!(f, "not revoked any more"),
        },
        None => write!(f, "new, {path}, {} bytes, {}", now.size, now.media_type.as_str()),
        Some(was) if was.sha != now.sha => {
            let commit = |sha: &catalog::version::CommitId| {
                short(&catalog::version::Version::Commit(sha.clone()))
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
    let now = traffic(record);
    let Some(before) = before else { return write!(f, "new, {now}") };
    let changes = changes(Some(before), record);
    if record.gone.is_some() || before.gone.is_some() {
        return write!(f, "{} → {now}", traffic(before));
    }
    match (own_sole(before), own_sole(record)) {
        (Some(was), Some(is)) if was != is => write!(f, "{} → {}", short(was), short(is)),
        _ if !changes.is_empty() => f.write_str(&joined(&changes)),
        _ if before.hold.is_some() => write!(f, "{now}, the hold is lifted"),
        _ => write!(f, "{now}, record updated"),
    }
}

fn joined<T: fmt::Display>(parts: &[T]) -> String {
    parts.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// Describes all of a slot's traffic: `v1.0.0`, `green v1.1.0`, `canary v1.1.0 10 %, production
/// v1.0.0 90 %, segment beta: ring-1 v1.2.0`.
pub fn traffic(record: &SlotRecord) -> String {
    if let Some(Gone { version, reason }) = &record.gone {
        return format!("gone ({} is revoked: {reason})", short(version));
    }
    if let Some(own) = own_sole(record) {
        return short(own);
    }
    let arm = |arm: &Arm| format!("{} {}", arm.slot, short(&arm.snapshot.version));
    let target = |Target { arm: of, weight }: &Target| match *weight {
        FULL_WEIGHT => arm(of),
        weight => format!("{} {} %", arm(of), percent(weight)),
    };
    let segment = |(group, of): (&String, &Arm)| format!("segment {group}: {}", arm(of));
    let parts: Vec<String> =
        record.targets.iter().map(target).chain(record.segments.iter().map(segment)).collect();
    joined(&parts)
}

/// Returns the version that every caller gets, if it is the slot's own version.
fn own_sole(record: &SlotRecord) -> Option<&Version> {
    match record.targets.len() == 1 && record.segments.is_empty() {
        true => record.own_version(),
        false => None,
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, record, wanted } = self;
        write!(f, "{name}@{}: held at {}, ", record.slot, traffic(record))?;
        match wanted {
            Some(wanted) => write!(f, "Git says {}", traffic(wanted))?,
            None => f.write_str("no tag has the slot")?,
        }
        for Hold { reason, by, at, .. } in record.holds() {
            write!(f, " ({reason}, by {by} at {at})")?;
        }
        Ok(())
    }
}
