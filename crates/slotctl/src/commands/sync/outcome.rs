//! The result of carrying out a plan.

use std::collections::BTreeMap;

use catalog::key::Key;
use reconcile::plan::Stage;

/// The result of carrying out a plan.
#[derive(Debug, Default)]
pub(super) struct SyncOutcome {
    /// The number of keys that were written, by stage.
    pub(super) written: BTreeMap<Stage, usize>,
    /// The number of keys that were deleted.
    pub(super) deleted: usize,
    /// The size of the written values in bytes.
    pub(super) bytes: u64,
    /// The keys that were read back with the value that was written.
    pub(super) checked: Vec<Key>,
    /// Contents that the plan deletes, but that another sync needs meanwhile.
    pub(super) spared: Vec<Key>,
    /// True if the repository changed, so that it must be read again.
    pub(super) is_outdated: bool,
    /// The error that stopped the sync.
    pub(super) error: Option<anyhow::Error>,
}
