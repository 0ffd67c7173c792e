//! Records of contents that are no longer named by any record.

use serde::{Deserialize, Serialize};

use super::bytes::{FORMAT, Record};
use crate::timestamp::Timestamp;

/// The time for which a content is kept after the last record that named it, in seconds: a
/// day. Other locations may keep that record for a while, and the run of an ensemble may
/// have resolved it just before.
pub const GRACE: u64 = 24 * 60 * 60;

/// The seconds by which a time may lie in the future: clocks differ a little.
const TOLERANCE: u64 = 60;

/// `COMPONENTS` `sha256/<hex>@unreferenced`: no record has named the content since a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreferencedRecord {
    /// The record's format.
    pub format: u32,
    /// The time since which no record names the content.
    pub since: Timestamp,
}

impl Record for UnreferencedRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

/// The metadata of the key, so that a listing is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreferencedMetadata {
    /// The time since which no record names the content.
    pub since: Timestamp,
}

impl UnreferencedRecord {
    /// Creates the record of a content that is unreferenced since `since`.
    pub fn new(since: Timestamp) -> Self {
        Self { format: FORMAT, since }
    }

    /// Returns the metadata of the key.
    pub fn metadata(&self) -> UnreferencedMetadata {
        UnreferencedMetadata { since: self.since }
    }
}

/// Tells if a content that no record has named since `since` may be deleted.
pub fn is_due(since: Timestamp, now: Timestamp) -> bool {
    since.unix().saturating_add(GRACE) <= now.unix()
}

/// Tells if `since` lies in the future, so that it says nothing about a content: the clock of the
/// computer that wrote it was wrong.
pub fn is_future(since: Timestamp, now: Timestamp) -> bool {
    since.unix() > now.unix().saturating_add(TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{parse, write};

    #[test]
    fn records_round_trip() {
        let text = r#"{"format":1,"since":"2026-11-20T23:59:27Z"}"#;
        let record: UnreferencedRecord = parse(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(write(&record)).unwrap(), text);
        assert_eq!(UnreferencedRecord::new(record.since), record);
    }

    #[test]
    fn a_content_is_due_after_a_day() {
        let at = Timestamp::from_unix;
        for (since, now, due) in
            [(0, 86_399, false), (0, 86_400, true), (86_400, 86_400, false), (86_400, 0, false)]
        {
            assert_eq!(is_due(at(since), at(now)), due, "{since} {now}");
        }
        for (since, now, future) in [(60, 0, false), (61, 0, true), (0, 61, false)] {
            assert_eq!(is_future(at(since), at(now)), future, "{since} {now}");
        }
    }
}
