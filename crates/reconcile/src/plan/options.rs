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
}

impl Options {
    /// A plan that deletes nothing.
    pub fn at(now: Timestamp) -> Self {
        Self { now, prune: false, allow_changed: BTreeSet::new(), allow_mass_delete: false }
    }
}
