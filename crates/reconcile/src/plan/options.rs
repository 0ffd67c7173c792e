//! The options of a plan: what it may do beyond updating KV.

use std::collections::BTreeSet;

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use catalog::version::Version;

/// The current time, and the deletions and changes that a plan may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The current time. It decides how long a content has been unreferenced.
    pub now: Timestamp,
    /// Deletes slots and versions without a tag, and contents that no record has named for
    /// [`GRACE`](catalog::record::GRACE).
    pub prune: bool,
    /// The versions whose content may change.
    pub allow_changed: BTreeSet<(ComponentName, Version)>,
    /// Allows a plan that deletes more than half of the slots and versions in KV.
    pub allow_mass_delete: bool,
    /// Allows the removal of revocations and tables that `rollouts.toml` no longer has.
    pub allow_policy_removal: bool,
    /// The slot whose holds are ignored, so that it follows Git again.
    pub lift: Option<(ComponentName, Slot)>,
}

impl Options {
    /// Returns the options of a plan that deletes nothing.
    pub fn at(now: Timestamp) -> Self {
        let allow_changed = BTreeSet::new();
        let (prune, allow_mass_delete, allow_policy_removal) = (false, false, false);
        let lift = None;
        Self { now, prune, allow_changed, allow_mass_delete, allow_policy_removal, lift }
    }
}
