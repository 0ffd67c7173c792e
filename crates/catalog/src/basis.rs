//! The answer to a question: the version, and the records that it was derived from.

use std::rc::Rc;

use crate::assign::Assignment;
use crate::key::Key;
use crate::name::ComponentName;
use crate::parsed::ParsedRecords;
use crate::record::{SlotRecord, Snapshot};
use crate::slot::Slot;
use crate::version::Version;

/// The answer to a question, with everything that it was derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The key of the record.
    pub key: Key,
    /// The record as KV returned it.
    pub record: Rc<[u8]>,
    /// The same record parsed, if it is the record of a slot.
    pub slot: Option<SlotRecord>,
    /// The record of the version that answers, if `record` is a ranges record.
    pub version: Option<Rc<[u8]>>,
    /// The version that answers.
    pub selected: Selected,
}

impl Basis {
    /// Tells if the record withdraws a version: it lists the versions of the component, and this
    /// one is revoked or missing.
    pub fn withdraws(&self, version: &Version, parsed: &ParsedRecords) -> bool {
        match self.key {
            Key::Catalog(_) => {
                let catalog = parsed.catalog.parse(&self.record);
                catalog.is_ok_and(|catalog| !catalog.is_live(version))
            }
            Key::Ranges(_) => {
                let ranges = parsed.ranges.parse(&self.record);
                ranges.and_then(|ranges| ranges.has(version)) == Ok(false)
            }
            _ => false,
        }
    }
}

/// The version that answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The component.
    pub name: ComponentName,
    /// The version.
    pub snapshot: Snapshot,
    /// The kind of reference that selected it.
    pub found: Found,
}

impl Selected {
    /// Returns the key of the record of the version.
    pub fn key(&self) -> Key {
        Key::Version(self.name.clone(), self.snapshot.version.clone())
    }
}

/// The kind of reference that selected a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// By its own name or its digest: the answer never changes.
    Exact,
    /// By a range: the answer changes when a version is added or revoked.
    Range,
    /// By a slot: the answer changes when the slot moves.
    Slot(SelectedSlot),
}

/// The decision of a slot that selected a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedSlot {
    /// The slot whose version it is.
    pub slot: Slot,
    /// The rule that chose it.
    pub assignment: Assignment,
    /// The point of the caller (0 to 99,999), if it decided.
    pub point: Option<u32>,
    /// Other callers may get another version.
    pub split: bool,
    /// The slot routes some groups of callers separately.
    pub segmented: bool,
    /// The caller asked for a version that is not one of the slot's arms.
    pub override_ignored: bool,
}
