//! The index record: which components exist, and which slots they have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bytes::{FORMAT, Record, write};
use crate::digest::Digest;
use crate::name::ComponentName;
use crate::slot::Slot;

/// `COMPONENTS` `index`: the names of all components and of their slots. It changes only if a
/// component or a slot is added or removed.
///
/// Most components have the same slots, so the record lists each set of slots once. Records of
/// earlier releases have no sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexRecord {
    /// The format of the record.
    pub format: u32,
    /// The names in order.
    pub components: Vec<ComponentName>,
    /// The different sets of slots, each in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slot_sets: Vec<Vec<Slot>>,
    /// For each component the position of its set; `null` if its slots are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slots: Vec<Option<usize>>,
}

/// The slots of a component; `None` if they are not known.
pub type IndexedSlots = Option<Vec<Slot>>;

impl IndexRecord {
    /// Creates the record of these components with their slots.
    pub fn new(components: impl IntoIterator<Item = (ComponentName, IndexedSlots)>) -> Self {
        let components: BTreeMap<ComponentName, IndexedSlots> = components.into_iter().collect();
        let (mut sets, mut known) = (Vec::new(), BTreeMap::<Vec<Slot>, usize>::new());
        let mut position = |slots: &Vec<Slot>| {
            *known.entry(slots.clone()).or_insert_with(|| {
                sets.push(slots.clone());
                sets.len() - 1
            })
        };
        let slots: Vec<Option<usize>> =
            components.values().map(|slots| slots.as_ref().map(&mut position)).collect();
        let slots = if sets.is_empty() { Vec::new() } else { slots };
        Self {
            format: FORMAT,
            components: components.into_keys().collect(),
            slot_sets: sets,
            slots,
        }
    }

    /// Iterates over the components in order, each with its slots if they are known.
    pub fn entries(&self) -> impl Iterator<Item = (&ComponentName, Option<&[Slot]>)> {
        let slots = self.slots.iter().copied().chain(std::iter::repeat(None));
        let slots = slots.map(|set| self.slot_sets.get(set?).map(Vec::as_slice));
        self.components.iter().zip(slots)
    }

    /// Returns the metadata of the key.
    pub fn metadata(&self) -> IndexMetadata {
        IndexMetadata { hash: Digest::of(&write(self)) }
    }
}

impl Record for IndexRecord {
    fn format(&self) -> u32 {
        self.format
    }

    /// Checks that the slots belong to the components, so that nobody sees a component through
    /// the slots of another one.
    fn check(&self) -> Result<(), String> {
        let sets = self.slot_sets.len();
        if !self.slots.is_empty() && self.slots.len() != self.components.len() {
            return Err("it has not one set of slots for each component".to_owned());
        }
        match self.slots.iter().flatten().find(|set| **set >= sets) {
            Some(set) => Err(format!("there is no set of slots {set}")),
            None => Ok(()),
        }
    }
}

/// The metadata of the index record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexMetadata {
    /// The digest of the record's bytes.
    pub hash: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordError, parse};

    const INDEX: &str = r#"{"format":1,"components":["a/a","a/b","a/c","a/d"],"slotSets":[["latest","production"],[]],"slots":[0,1,0,null]}"#;

    fn slots(names: &[&str]) -> IndexedSlots {
        Some(names.iter().map(|name| name.parse().unwrap()).collect())
    }

    fn record() -> IndexRecord {
        let of = |name: &str, slots| (name.parse().unwrap(), slots);
        IndexRecord::new([
            of("a/c", slots(&["latest", "production"])),
            of("a/b", slots(&[])),
            of("a/a", slots(&["latest", "production"])),
            of("a/d", None),
        ])
    }

    #[test]
    fn each_set_of_slots_is_written_once() {
        assert_eq!(String::from_utf8(write(&record())).unwrap(), INDEX);
        assert_eq!(parse(INDEX.as_bytes()), Ok(record()));
        let entries: Vec<_> = record()
            .entries()
            .map(|(name, slots)| (name.to_string(), slots.map(<[Slot]>::len)))
            .collect();
        let expected = [("a/a", Some(2)), ("a/b", Some(0)), ("a/c", Some(2)), ("a/d", None)];
        assert_eq!(entries, expected.map(|(name, slots)| (name.to_owned(), slots)));
    }

    #[test]
    fn a_record_without_slots_is_that_of_earlier_releases() {
        let text = r#"{"format":1,"components":["a/a"]}"#;
        let record: IndexRecord = parse(text.as_bytes()).unwrap();
        assert_eq!(record.entries().next().unwrap().1, None);
        assert_eq!(record, IndexRecord::new([("a/a".parse().unwrap(), None)]));
        assert_eq!(String::from_utf8(write(&record)).unwrap(), text);
    }

    #[test]
    fn parse_refuses_slots_that_do_not_belong_to_the_components() {
        for slots in ["[0]", "[0,0]", "[0,1,0,2]", "[0,1,0,9999999999]"] {
            let text = INDEX.replace("[0,1,0,null]", slots);
            let parsed = parse::<IndexRecord>(text.as_bytes());
            assert!(matches!(parsed, Err(RecordError::Malformed(_))), "{slots}: {parsed:?}");
        }
    }
}
