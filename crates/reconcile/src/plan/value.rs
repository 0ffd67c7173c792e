//! The plan as a value.

use std::collections::BTreeMap;

use super::write::{Stage, Write};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::SlotRecord;
use catalog::timestamp::Timestamp;
use notice::Notice;

/// The result of planning: what a sync changes and what it leaves unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The writes in the safe order: by [`Stage`], then by component.
    pub writes: Vec<Write>,
    /// The keys to delete after all writes, in the opposite order; empty without
    /// [`Options::prune`](super::Options::prune).
    pub deletions: Vec<Key>,
    /// The keys that KV has and Git does not have; they are kept.
    pub kept: Vec<Key>,
    /// The contents that no record names, each with the time since when; they are deleted a day
    /// later.
    pub unreferenced: BTreeMap<Digest, Timestamp>,
    /// The reason why the plan must not be carried out, if there is one.
    pub blocked: Option<Notice>,
    /// The slots that a hold keeps on their version.
    pub held: Vec<Held>,
    /// The changes that can't be made.
    pub refused: Vec<Notice>,
    /// The changes that are made but should be checked.
    pub warnings: Vec<Notice>,
    /// The keys of the namespaces that this software did not write; they are left unchanged.
    pub foreign: Vec<(Namespace, String)>,
    /// The number of keys that are up to date.
    pub unchanged: usize,
}

/// A slot that a hold keeps on its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The component.
    pub name: ComponentName,
    /// The slot's record, with the hold.
    pub record: SlotRecord,
    /// The record that the slot would have by Git; `None` if Git does not have the slot.
    pub wanted: Option<SlotRecord>,
}

impl Plan {
    /// Tells if there is nothing to write and nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.deletions.is_empty()
    }

    /// Tells if KV differs from Git: there is something to write or delete, or a hold keeps a
    /// slot on another version.
    pub fn has_drift(&self) -> bool {
        !self.is_empty() || !self.held.is_empty()
    }

    /// Returns the writes of one stage.
    pub fn stage(&self, stage: Stage) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter(move |write| write.stage() == stage)
    }
}
