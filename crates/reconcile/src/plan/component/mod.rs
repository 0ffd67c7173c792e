//! The plan of one component: its versions, then its slots, then its catalog.
//!
//! Everything is worked out anew whenever values were read; a component of which
//! a value is missing says which, and is planned again.

mod catalog_record;
mod slots;
mod versions;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::actual::ActualComponent;
use super::verdict::{Blocked, Known};
use super::{Held, Options, Write};
use crate::desired::{Desired, DesiredComponent};
use crate::tag::TagTarget;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{FORMAT, SlotRecord, VersionRecord};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, printable};

/// What came of planning a component.
pub(super) enum Outcome {
    /// The values of these keys are needed first.
    Needs(Vec<Key>),
    /// The plan.
    Planned(Box<ComponentPlan>),
}

/// One component's part of the plan.
#[derive(Debug, Default)]
pub(super) struct ComponentPlan {
    /// By digest, with their sizes, the contents that must be there.
    pub(super) contents: BTreeMap<Digest, u64>,
    pub(super) writes: Vec<Write>,
    pub(super) deletions: Vec<Key>,
    pub(super) kept: Vec<Key>,
    pub(super) held: Vec<Held>,
    pub(super) refused: Vec<Notice>,
    pub(super) warnings: Vec<Notice>,
    pub(super) unchanged: usize,
    /// Whether a record of a later format keeps it as it is.
    pub(super) frozen: bool,
}

/// What holds for every component of a plan.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) options: &'a Options,
    pub(super) all: &'a Desired,
}

impl ComponentPlan {
    /// Whether it writes the component's catalog record.
    pub(super) fn writes_catalog(&self) -> bool {
        self.writes.iter().any(|write| matches!(write, Write::Catalog { .. }))
    }

    /// Whether it deletes it.
    pub(super) fn deletes_catalog(&self) -> bool {
        self.deletions.iter().any(|key| matches!(key, Key::Catalog(_)))
    }
}

/// Plans the component.
pub(super) fn plan(
    name: &ComponentName,
    desired: &DesiredComponent,
    actual: &ActualComponent,
    rules: Rules<'_>,
) -> Outcome {
    let mut draft = Draft::new(name, desired, actual, rules);
    draft.versions();
    draft.slots();
    draft.kept_versions();
    draft.unknown_revocations();
    if draft.is_open() {
        draft.catalog();
    }
    if let Some((key, format)) = draft.newer {
        return Outcome::Planned(Box::new(frozen(&key, format)));
    }
    if !draft.needs.is_empty() {
        // Two slots on one refused version ask for the same commit's record.
        draft.needs.sort();
        draft.needs.dedup();
        return Outcome::Needs(draft.needs);
    }
    Outcome::Planned(Box::new(draft.part))
}

/// What a record of a later format leaves to plan: nothing.
pub(super) fn frozen(key: &Key, format: u32) -> ComponentPlan {
    ComponentPlan { refused: vec![newer(key, format)], frozen: true, ..Default::default() }
}

fn newer(key: &Key, format: u32) -> Notice {
    let what = format!(
        "KV has a record of format {format}, this slotctl writes format {FORMAT}: \
         nothing of the component is written"
    );
    Notice { subject: key.to_string(), what, help: Some("update slotctl".to_owned()) }
}

/// A version as KV will hold it: its hash, and its record where it is at hand.
struct After<'a> {
    hash: Digest,
    record: Option<Cow<'a, VersionRecord>>,
}

struct Draft<'a> {
    name: &'a ComponentName,
    desired: &'a DesiredComponent,
    actual: &'a ActualComponent,
    rules: Rules<'a>,
    /// What must be read before the plan can be finished.
    needs: Vec<Key>,
    /// A record of a later format: it ends the planning of the component.
    newer: Option<(Key, u32)>,
    /// The versions whose content in Git is refused.
    refused: BTreeSet<Version>,
    versions: BTreeMap<Version, After<'a>>,
    slots: BTreeMap<&'a Slot, Cow<'a, SlotRecord>>,
    part: ComponentPlan,
}

impl<'a> Draft<'a> {
    fn new(
        name: &'a ComponentName,
        desired: &'a DesiredComponent,
        actual: &'a ActualComponent,
        rules: Rules<'a>,
    ) -> Self {
        Self {
            name,
            desired,
            actual,
            rules,
            needs: Vec::new(),
            newer: None,
            refused: BTreeSet::new(),
            versions: BTreeMap::new(),
            slots: BTreeMap::new(),
            part: ComponentPlan::default(),
        }
    }

    /// Whether nothing stands in the way of going on.
    fn is_open(&self) -> bool {
        self.needs.is_empty() && self.newer.is_none()
    }

    /// The value, or a note of what stands in its way.
    fn take<T>(&mut self, key: &Key, value: Result<T, Blocked>) -> Option<T> {
        match value {
            Ok(value) => return Some(value),
            Err(Blocked::Unread) => self.needs.push(key.clone()),
            Err(Blocked::Newer(format)) => self.newer = Some((key.clone(), format)),
        }
        None
    }

    /// The record that a write replaces, with a warning where it is garbage.
    fn replaced<T: Clone>(&mut self, key: &Key, known: Known<'_, T>) -> Option<Box<T>> {
        match known {
            Known::Absent => None,
            Known::Record(record) => Some(Box::new(record.clone())),
            Known::Unreadable(why) => {
                let why = printable(why.as_bytes());
                self.warn(key, format!("the record in KV is garbage and written anew ({why})"));
                None
            }
        }
    }

    /// A record that is kept as it is; garbage is left out of the catalog.
    fn legible<'b, T>(&mut self, key: &Key, known: Known<'b, T>) -> Option<&'b T> {
        match known {
            Known::Absent => None,
            Known::Record(record) => Some(record),
            Known::Unreadable(why) => {
                let why = printable(why.as_bytes());
                self.warn(key, format!("the record in KV is garbage, and Git has none ({why})"));
                None
            }
        }
    }

    fn refuse(&mut self, key: &Key, what: String, help: &str) {
        let (subject, help) = (key.to_string(), Some(help.to_owned()));
        self.part.refused.push(Notice { subject, what, help });
    }

    fn warn(&mut self, key: &Key, what: String) {
        self.part.warnings.push(Notice { subject: key.to_string(), what, help: None });
    }

    /// Whether what KV has of a slot or version goes, as far as tags have a say in it.
    fn is_untagged(&self, target: TagTarget) -> bool {
        self.rules.options.prune && !self.rules.all.is_unserved(self.name, &target)
    }

    fn version_key(&self, version: &Version) -> Key {
        Key::Version(self.name.clone(), version.clone())
    }

    fn slot_key(&self, slot: &Slot) -> Key {
        Key::Slot(self.name.clone(), slot.clone())
    }
}
