//! A finding that a sync mends.

use catalog::key::Key;
use notice::Notice;

const SYNC: &str = "`slotctl sync --repair` repairs it";

/// Returns the finding that a record disagrees with other records.
pub(super) fn disagrees(key: &Key, what: String) -> Notice {
    Notice { subject: key.to_string(), what, help: Some(SYNC.to_owned()) }
}
