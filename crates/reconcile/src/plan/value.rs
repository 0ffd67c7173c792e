//! The plan, as a value.

use std::collections::BTreeMap;

use super::write::{Stage, Write};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::SlotRecord;
use catalog::timestamp::Timestamp;
use notice::Notice;

/// What a sync does, and what it leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to write, in the safe order: by [`Stage`], then by component.
    pub writes: Vec<Write>,
    /// What to delete after all writes, in the opposite order; only pruning, which
    /// is asked for, fills it.
    pub deletions: Vec<Key>,
    /// What KV has and Git has not: it stays.
    pub kept: Vec<Key>,
    /// Contents that no record names, and since when; they go a day later.
    pub unreferenced: BTreeMap<Digest, Timestamp>,
    /// Why the plan must not be carried out, if it must not.
    pub blocked: Option<Notice>,
    /// Slots that a hold keeps where they are.
    pub held: Vec<Held>,
    /// What can't be done.
    pub refused: Vec<Notice>,
    /// What is done, but should be looked at.
    pub warnings: Vec<Notice>,
    /// Keys of the namespaces that nothing of this software wrote: left alone.
    pub foreign: Vec<(Namespace, String)>,
    /// How many keys are as they should be.
    pub unchanged: usize,
}

/// A slot that a hold keeps where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The component.
    pub name: ComponentName,
    /// The slot's record, hold included.
    pub record: SlotRecord,
    /// The record that Git would have.
    pub wanted: SlotRecord,
}

impl Plan {
    /// Whether there is nothing to write and nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.deletions.is_empty()
    }

    /// Whether what callers get is not what Git says: something is to be written, or a
    /// hold keeps a slot elsewhere.
    pub fn has_drift(&self) -> bool {
        !self.is_empty() || !self.held.is_empty()
    }

    /// The writes of one stage.
    pub fn stage(&self, stage: Stage) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter(move |write| write.stage() == stage)
    }
}
