//! What a plan may do beyond bringing KV up to date.

use std::collections::BTreeSet;

use catalog::name::ComponentName;
use catalog::timestamp::Timestamp;
use catalog::version::Version;

/// What is known and allowed when a plan is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The time, by which contents that no record names grow old.
    pub now: Timestamp,
    /// Whether slots and versions without a tag go, and contents that no record
    /// has named for [`GRACE`](catalog::record::GRACE).
    pub prune: bool,
    /// Versions whose content may change.
    pub allow_changed: BTreeSet<(ComponentName, Version)>,
    /// Whether more than half of what is there may go.
    pub allow_mass_delete: bool,
    /// Whether revocations and tables that `rollouts.toml` no longer has may go.
    pub allow_policy_removal: bool,
}

impl Options {
    /// A plan that deletes nothing.
    pub fn at(now: Timestamp) -> Self {
        let allow_changed = BTreeSet::new();
        let (prune, allow_mass_delete, allow_policy_removal) = (false, false, false);
        Self { now, prune, allow_changed, allow_mass_delete, allow_policy_removal }
    }
}
