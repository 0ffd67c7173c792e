//! Since when no record names a content.

use serde::{Deserialize, Serialize};

use super::bytes::{FORMAT, Record};
use crate::timestamp::Timestamp;

/// How long a content stays after the last record that named it, in seconds: a day.
/// Other locations may hold that record a while, and an ensemble's run may have
/// resolved it just before.
pub const GRACE: u64 = 24 * 60 * 60;

/// `COMPONENTS` `sha256/<hex>@unreferenced`: since when no record names the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreferencedRecord {
    /// The record's format.
    pub format: u32,
    /// Since when.
    pub since: Timestamp,
}

impl Record for UnreferencedRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

/// The metadata of its key, so that a listing tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreferencedMetadata {
    /// Since when.
    pub since: Timestamp,
}

impl UnreferencedRecord {
    /// The record of a content that is unreferenced from now on.
    pub fn new(since: Timestamp) -> Self {
        Self { format: FORMAT, since }
    }

    /// What stands beside the record as its key's metadata.
    pub fn metadata(&self) -> UnreferencedMetadata {
        UnreferencedMetadata { since: self.since }
    }
}

/// Whether a content that no record names since then may go.
pub fn is_due(since: Timestamp, now: Timestamp) -> bool {
    since.unix().saturating_add(GRACE) <= now.unix()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{parse, write};

    #[test]
    fn written_and_read_back() {
        let text = r#"{"format":1,"since":"2026-11-20T23:59:27Z"}"#;
        let record: UnreferencedRecord = parse(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(write(&record)).unwrap(), text);
        assert_eq!(UnreferencedRecord::new(record.since), record);
    }

    #[test]
    fn a_content_may_go_after_a_day() {
        let at = Timestamp::from_unix;
        for (since, now, due) in
            [(0, 86_399, false), (0, 86_400, true), (86_400, 86_400, false), (86_400, 0, false)]
        {
            assert_eq!(is_due(at(since), at(now)), due, "{since} {now}");
        }
    }
}
