//! The result of carrying out a plan.

use std::collections::BTreeMap;

use catalog::key::Key;
use reconcile::plan::Stage;

/// What came of carrying out a plan.
#[derive(Debug, Default)]
pub(super) struct SyncOutcome {
    /// How many keys were written, by stage.
    pub(super) written: BTreeMap<Stage, usize>,
    /// How many keys were deleted.
    pub(super) deleted: usize,
    /// How many bytes the values that were written have.
    pub(super) bytes: u64,
    /// The keys that were read back and are as they were written.
    pub(super) checked: Vec<Key>,
    /// Contents that were to go, and that others need since.
    pub(super) spared: Vec<Key>,
    /// What stopped it.
    pub(super) error: Option<anyhow::Error>,
}
