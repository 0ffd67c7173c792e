//! The metadata of a component's key.

use serde::Serialize;

use super::singular::singulars;
use crate::assign::Assignment;
use crate::name::ComponentName;
use crate::record::Snapshot;
use crate::resolution::{Found, Selected};
use crate::slot::Slot;

/// The largest metadata that Workers KV accepts, in bytes of JSON.
const MAX_METADATA: usize = 1024;

/// The metadata of a key: Conductor's `{ sha, date, author, type, version }`, and the arm that
/// was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// The commit that the version was made at.
    pub sha: String,
    /// The time of that commit, RFC 3339.
    pub date: String,
    /// The author of that commit, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The component's type in the singular: `prompt`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The exact version.
    pub version: String,
    /// The content's SHA-256 in hex.
    pub digest: String,
    /// The slot of the version, if a slot was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The rule that chose this version of the slot; not in a listing of a split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,
    /// The age of the record in seconds, if KV failed and the last good record answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<u64>,
}

impl Metadata {
    /// Creates the metadata of a version.
    pub fn of(name: &ComponentName, snapshot: &Snapshot, author: Option<&str>) -> Self {
        let kind = singulars(name.type_name()).into_iter().next().unwrap_or_default();
        let metadata = Self {
            sha: snapshot.sha.as_str().to_owned(),
            date: snapshot.date.to_string(),
            author: author.map(str::to_owned),
            kind,
            version: snapshot.version.to_string(),
            digest: snapshot.digest.to_string(),
            slot: None,
            assignment: None,
            stale: None,
        };
        metadata.fitted()
    }

    /// Creates the metadata of the version that a reference selected.
    pub fn of_selected(selected: &Selected, author: Option<&str>, stale: Option<u64>) -> Self {
        let metadata = Self::of(&selected.name, &selected.snapshot, author);
        let metadata = match &selected.found {
            Found::Slot(by) => metadata.by(by.slot.clone(), Some(by.assignment)),
            Found::Exact | Found::Range => metadata,
        };
        Self { stale, ..metadata }
    }

    /// Adds a slot.
    pub(super) fn by(self, slot: Slot, assignment: Option<Assignment>) -> Self {
        Self { slot: Some(slot), assignment, ..self }.fitted()
    }

    /// Removes the author if the metadata would be too large for Workers KV.
    fn fitted(self) -> Self {
        let size = serde_json::to_vec(&self).map_or(usize::MAX, |json| json.len());
        if size <= MAX_METADATA { self } else { Self { author: None, ..self } }
    }
}
