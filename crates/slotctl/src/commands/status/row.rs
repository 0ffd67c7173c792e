//! A slot as `slotctl status` shows it.

use catalog::name::ComponentName;
use catalog::record::SlotRecord;
use reconcile::plan::{Held, Write};

/// The state of a slot that is shown beside its traffic.
pub(super) enum SlotState<'a> {
    /// A sync would write the slot.
    Drift(&'a Write),
    /// A hold keeps the slot.
    Held(&'a Held),
    /// The slot has no tag.
    Untagged,
}

/// A slot with its state.
pub(super) struct Row<'a> {
    pub(super) name: &'a ComponentName,
    pub(super) record: &'a SlotRecord,
    pub(super) state: Option<SlotState<'a>>,
}
