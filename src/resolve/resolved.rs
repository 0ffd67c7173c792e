//! The end of a resolution.

use std::rc::Rc;

use catalog::record::Snapshot;
use catalog::refusal::Refusal;
use catalog::resolution::{Basis, Found, Question, Selected};

/// A question that is resolved to a version.
pub(crate) struct Resolved {
    pub(crate) basis: Basis,
    /// The age of the record in seconds, if the last good record was used.
    pub(crate) stale: Option<u64>,
    /// The record was read for this question, and becomes the last good one of its key.
    pub(crate) kept: bool,
}

/// A question and its resolution to a version.
pub(crate) type Settled = Result<(Question, Resolved), Refusal>;

/// Resolves an exact version by a record of another key that names it.
pub(super) fn named_elsewhere(question: &Question, snapshot: Snapshot) -> Resolved {
    let selected = Selected { name: question.name.clone(), snapshot, found: Found::Exact };
    let basis =
        Basis { key: question.key(), record: Rc::default(), slot: None, version: None, selected };
    Resolved { basis, stale: None, kept: false }
}
