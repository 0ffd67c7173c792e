//! The body of `/catalog/<type>/<name>`: what a caller may see of a component.

use catalog::access::Grant;
use catalog::name::ComponentName;
use catalog::record::{
    Arm, CatalogRecord, Gone, Hold, Move, SlotEntry, SlotRecord, Snapshot, Target, VersionRecord,
};
use catalog::slot::Slot;
use catalog::version::Version;
use serde::Serialize;
use vecmap::VecMap;

/// A part of the versions of a component, highest first.
pub(super) struct VersionPage {
    /// The maximum number of versions.
    pub(super) limit: usize,
    /// The version before the first one of the page; `None` for the first page.
    pub(super) cursor: Option<Version>,
}

/// A page of the versions of a component, highest first, and all of its slots, if the caller may
/// see them.
#[derive(Serialize)]
pub(super) struct ComponentDetails<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    versions: Vec<VersionDetails<'a>>,
    slots: Vec<SlotDetails<'a>>,
    /// The last version of the page, if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// The URL of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
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
    pub(super) fn of(
        name: &'a ComponentName,
        record: &'a CatalogRecord,
        grant: &'a Grant,
        page: &VersionPage,
    ) -> Self {
        let slots = record.slots.iter().filter(|(slot, _)| grant.sees_slot(name, slot));
        let slots: Vec<&SlotEntry> = slots.map(|(_, entry)| entry).collect();
        let shown = |entry: &SlotEntry| grant.sees_history(name, &entry.record.slot);
        let (served, signed) = (served(&slots, |_| true), served(&slots, shown));
        let all = grant.sees_versions(name);
        let wanted = |version: &Version| {
            page.cursor.as_ref().is_none_or(|cursor| version < cursor)
                && (all || served.binary_search(&version).is_ok())
        };
        // The record lists versions from the lowest.
        let versions = record.versions.iter().rev();
        let mut versions = versions.filter(|record| wanted(&record.snapshot.version));
        let listed: Vec<&VersionRecord> = versions.by_ref().take(page.limit).collect();
        let last = versions.next().and(listed.last());
        let cursor = last.map(|record| record.snapshot.version.to_string());
        let authors = grant.sees_authors(name);
        let has_author = |version: &Version| authors || signed.binary_search(&version).is_ok();
        let details = |record: &&'a VersionRecord| {
            VersionDetails::of(record, has_author(&record.snapshot.version))
        };
        Self {
            name: name.as_str(),
            kind: name.type_name(),
            versions: listed.iter().map(details).collect(),
            slots: slots.iter().map(|entry| SlotDetails::of(entry, shown(entry))).collect(),
            next: cursor.as_deref().map(|cursor| next(name, page.limit, cursor)),
            cursor,
        }
    }
}

/// Returns the versions that some of the slots give to some callers, in order.
fn served<'a>(slots: &[&'a SlotEntry], which: impl Fn(&SlotEntry) -> bool) -> Vec<&'a Version> {
    let slots = slots.iter().filter(|entry| which(entry));
    let arms = slots.flat_map(|entry| entry.record.arms());
    let mut versions: Vec<&Version> = arms.map(|arm| &arm.snapshot.version).collect();
    versions.sort_unstable();
    versions
}

/// Returns the URL of the page after `cursor`. Only a `+` of a version has to be encoded.
fn next(name: &ComponentName, limit: usize, cursor: &str) -> String {
    format!("/catalog/{name}?limit={limit}&cursor={}", cursor.replace('+', "%2B"))
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
