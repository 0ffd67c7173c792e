//! The body of `/catalog/<type>/<name>`: what a caller may see of a component.

use catalog::access::Grant;
use catalog::name::ComponentName;
use catalog::record::{
    Arm, CatalogRecord, Gone, Hold, Move, SlotEntry, SlotRecord, Snapshot, Target, VersionRecord,
};
use catalog::slot::Slot;
use serde::Serialize;
use vecmap::VecMap;

/// The versions of a component, highest first, and its slots, if the caller may see them.
#[derive(Serialize)]
pub(super) struct ComponentDetails<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    versions: Vec<VersionDetails<'a>>,
    slots: Vec<SlotDetails<'a>>,
}

/// A version. The author is part of the history.
#[derive(Serialize)]
#[serde(untagged)]
enum VersionDetails<'a> {
    WithAuthor(&'a VersionRecord),
    WithoutAuthor {
        format: u32,
        #[serde(flatten)]
        snapshot: &'a Snapshot,
        path: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        revoked: &'a Option<String>,
    },
}

#[derive(Serialize)]
struct SlotDetails<'a> {
    slot: &'a Slot,
    targets: &'a [Target],
    segments: &'a VecMap<String, Arm>,
    #[serde(flatten)]
    history: Option<SlotHistory<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: &'a Option<Gone>,
}

/// Who changed a slot, when and why.
#[derive(Serialize)]
struct SlotHistory<'a> {
    hold: &'a Option<Hold>,
    moves: &'a [Move],
}

impl<'a> ComponentDetails<'a> {
    /// Selects what the caller may see.
    pub(super) fn of(name: &'a ComponentName, record: &'a CatalogRecord, grant: &'a Grant) -> Self {
        let slots = record.slots.iter().filter(|(slot, _)| grant.sees_slot(name, slot));
        let slots: Vec<&SlotEntry> = slots.map(|(_, entry)| entry).collect();
        let all = grant.sees_versions(name);
        // The record lists versions from the lowest.
        let versions = record.versions.iter().rev();
        let versions = versions
            .filter(|version| all || slots.iter().any(|entry| serves(&entry.record, version)));
        let authors = grant.sees_authors(name);
        let shown = |slot: &Slot| grant.sees_history(name, slot);
        let signed = |version: &VersionRecord| {
            let in_history = |entry: &&&SlotEntry| shown(&entry.record.slot);
            authors || slots.iter().filter(in_history).any(|entry| serves(&entry.record, version))
        };
        Self {
            name: name.as_str(),
            kind: name.type_name(),
            versions: versions
                .map(|version| VersionDetails::of(version, signed(version)))
                .collect(),
            slots: slots
                .iter()
                .map(|entry| SlotDetails::of(entry, shown(&entry.record.slot)))
                .collect(),
        }
    }
}

/// Tells if a slot gives some callers this version.
fn serves(slot: &SlotRecord, version: &VersionRecord) -> bool {
    slot.arms().any(|arm| arm.snapshot.version == version.snapshot.version)
}

impl<'a> VersionDetails<'a> {
    fn of(record: &'a VersionRecord, signed: bool) -> Self {
        if signed {
            return Self::WithAuthor(record);
        }
        let VersionRecord { format, snapshot, path, revoked, .. } = record;
        Self::WithoutAuthor { format: *format, snapshot, path, revoked }
    }
}

impl<'a> SlotDetails<'a> {
    fn of(entry: &'a SlotEntry, shown: bool) -> Self {
        let SlotEntry { record, moves } = entry;
        let SlotRecord { slot, targets, segments, hold, gone, .. } = record;
        let history = shown.then_some(SlotHistory { hold, moves });
        Self { slot, targets, segments, history, gone }
    }
}
