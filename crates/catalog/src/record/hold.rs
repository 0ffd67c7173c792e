//! The reasons why a slot record differs from Git: a hold, or no version that may be served.

use serde::{Deserialize, Serialize};

use crate::slot::Slot;
use crate::timestamp::Timestamp;
use crate::version::Version;

/// Keeps `sync` from changing a slot after a rollback or a revocation, until Git agrees or has
/// a newer state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The reason.
    pub reason: String,
    /// The person who asked for it.
    pub by: String,
    /// The time since which it holds.
    pub at: Timestamp,
    /// The slot whose tag ends the hold; `None` for the record's own slot. It is another
    /// slot if the record only sends callers to the slot that was rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The object id of that slot's tag when the hold was set, in hex. If the tag now has
    /// another id, it was moved since. `None` if the id was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The weight that a rollback took from that slot, in thousandths of a percent; 0 if the
    /// slot had segments only. The hold ends if `rollouts.toml` gives the slot less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// The segments that a rollback took from that slot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// The revoked version for which a sync set the hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Version>,
    /// Another hold of the same record: of an arm, beside that of the slot's own version or of
    /// another arm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub further: Option<Box<Hold>>,
}

impl Hold {
    /// Creates a hold of the record's own slot.
    pub fn new(reason: String, by: String, at: Timestamp) -> Self {
        Self {
            reason,
            by,
            at,
            slot: None,
            tag: None,
            weight: None,
            segments: Vec::new(),
            revoked: None,
            further: None,
        }
    }

    /// Joins holds of one record; the first one names the slot's own version, if one does.
    pub fn join(holds: impl DoubleEndedIterator<Item = Self>) -> Option<Self> {
        holds
            .rev()
            .fold(None, |further, hold| Some(Self { further: further.map(Box::new), ..hold }))
    }

    /// Iterates over this hold and the further ones of the record.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |hold| hold.further.as_deref())
    }

    /// Returns the arm whose share a rollback took, if that is what the hold keeps.
    pub fn arm(&self) -> Option<&Slot> {
        self.weight.and(self.slot.as_ref())
    }
}

/// The state of a slot whose versions are all revoked: it serves no caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The revoked version that Git names for the slot.
    pub version: Version,
    /// The reason of the revocation.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{SlotRecord, parse, write};

    #[test]
    fn holds_of_one_record_are_joined_in_order() {
        let at = Timestamp::from_unix(0);
        let hold = |reason: &str| Hold::new(reason.to_owned(), "Ada".to_owned(), at);
        let joined = Hold::join(["a", "b", "c"].map(hold).into_iter()).unwrap();
        let reasons: Vec<&str> = joined.all().map(|hold| hold.reason.as_str()).collect();
        assert_eq!(reasons, ["a", "b", "c"]);
        assert_eq!(Hold::join(std::iter::empty()), None);
    }

    #[test]
    fn a_hold_and_a_gone_slot_are_written_and_read_back() {
        for text in [
            r#"{"reason":"it leaks","by":"Ada","at":"2026-11-21T09:00:00Z"}"#,
            r#"{"reason":"it leaks","by":"Ada","at":"2026-11-21T09:00:00Z","slot":"canary","tag":"947e4e2247da185c97ee358273a064bc3e3e0fed","weight":10000,"revoked":"v1.1.0"}"#,
            r#"{"reason":"it leaks","by":"Ada","at":"2026-11-21T09:00:00Z","further":{"reason":"slow","by":"Ada","at":"2026-11-21T09:00:00Z","slot":"canary","weight":0,"segments":["beta"]}}"#,
        ] {
            let hold: Hold = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&hold).unwrap(), text);
        }
        let text = r#"{"format":1,"slot":"production","targets":[],"gone":{"version":"v1.1.0","reason":"leaks"}}"#;
        let record: SlotRecord = parse(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(write(&record)).unwrap(), text);
        let version = "v1.1.0".parse().unwrap();
        assert_eq!(record, SlotRecord::gone(record.slot.clone(), version, "leaks".to_owned()));
        assert_eq!((record.own(), record.lead()), (None, None));
    }
}
