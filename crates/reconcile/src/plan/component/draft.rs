//! The plan of one component while it is made.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::desired::{Desired, DesiredComponent};
use crate::plan::actual::ActualComponent;
use crate::plan::options::Options;
use crate::plan::stored::{Blocked, Known, Stored};
use crate::plan::value::Held;
use crate::plan::write::Write;
use crate::tag::TagTarget;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{CatalogRecord, Gone, Hold, SlotRecord, Snapshot, VersionRecord};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, printable};

/// The plan of one component.
#[derive(Debug, Default)]
pub(in crate::plan) struct ComponentPlan {
    /// The contents that must exist, by digest, with their sizes.
    pub(in crate::plan) contents: BTreeMap<Digest, u64>,
    pub(in crate::plan) writes: Vec<Write>,
    pub(in crate::plan) deletions: Vec<Key>,
    pub(in crate::plan) kept: Vec<Key>,
    pub(in crate::plan) held: Vec<Held>,
    pub(in crate::plan) refused: Vec<Notice>,
    pub(in crate::plan) warnings: Vec<Notice>,
    pub(in crate::plan) unchanged: usize,
    /// A record of a later format leaves the component unchanged.
    pub(in crate::plan) frozen: bool,
}

/// The options and the desired state that apply to every component of a plan.
#[derive(Clone, Copy)]
pub(in crate::plan) struct Rules<'a> {
    pub(in crate::plan) options: &'a Options,
    pub(in crate::plan) all: &'a Desired,
}

impl ComponentPlan {
    /// Tells if the plan writes the component's catalog record.
    pub(in crate::plan) fn writes_catalog(&self) -> bool {
        self.writes.iter().any(|write| matches!(write, Write::Catalog { .. }))
    }

    /// Tells if the plan deletes the component's catalog record.
    pub(in crate::plan) fn deletes_catalog(&self) -> bool {
        self.deletions.iter().any(|key| matches!(key, Key::Catalog(_)))
    }
}

/// A version as KV has it after the sync: its hash, and its record if it was read or compiled.
pub(super) struct After<'a> {
    pub(super) hash: Digest,
    pub(super) record: Option<Cow<'a, VersionRecord>>,
}

/// The version that a slot gives to the records that name it.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// A version, with the hold that keeps the slot on it if it is not the version in Git.
    On(Snapshot, Option<Box<Hold>>),
    /// The slot has no good version.
    Gone(Gone),
}

pub(super) struct ComponentDraft<'a> {
    pub(super) name: &'a ComponentName,
    pub(super) desired: &'a DesiredComponent,
    pub(super) actual: &'a ActualComponent,
    pub(super) rules: Rules<'a>,
    /// The keys that must be read before the plan can be finished.
    pub(super) needs: Vec<Key>,
    /// A record of a later format, which ends the planning of the component.
    pub(super) newer: Option<(Key, u32)>,
    /// The versions whose content in Git is refused.
    pub(super) refused: BTreeSet<Version>,
    pub(super) versions: BTreeMap<Version, After<'a>>,
    /// The version that each slot's tag names; a refused slot is left out.
    pub(super) git: BTreeMap<&'a Slot, Snapshot>,
    /// The version that each slot with a tag gives out.
    pub(super) standings: BTreeMap<&'a Slot, Standing>,
    pub(super) slots: BTreeMap<&'a Slot, Cow<'a, SlotRecord>>,
    pub(super) part: ComponentPlan,
}

impl<'a> ComponentDraft<'a> {
    pub(super) fn new(
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
            git: BTreeMap::new(),
            standings: BTreeMap::new(),
            slots: BTreeMap::new(),
            part: ComponentPlan::default(),
        }
    }

    /// Tells if planning can continue: no value is missing and no record has a later format.
    pub(super) fn is_open(&self) -> bool {
        self.needs.is_empty() && self.newer.is_none()
    }

    /// Returns the value, or notes why it can't be used.
    pub(super) fn take<T>(&mut self, key: &Key, value: Result<T, Blocked>) -> Option<T> {
        match value {
            Ok(value) => return Some(value),
            Err(Blocked::Unread) => self.needs.push(key.clone()),
            Err(Blocked::Newer(format)) => self.newer = Some((key.clone(), format)),
        }
        None
    }

    /// Returns the record that a write replaces, with a warning if the value in KV is invalid.
    pub(super) fn replaced<T: Clone>(&mut self, key: &Key, known: Known<'_, T>) -> Option<Box<T>> {
        match known {
            Known::Absent => None,
            Known::Record(record) => Some(Box::new(record.clone())),
            Known::Unreadable(why) => {
                let why = printable(why.as_bytes());
                self.warn(key, format!("the record in KV is invalid and is rewritten ({why})"));
                None
            }
        }
    }

    /// Returns a record that is kept unchanged. An invalid value is left out of the catalog,
    /// with a warning.
    pub(super) fn legible<'b, T>(&mut self, key: &Key, known: Known<'b, T>) -> Option<&'b T> {
        match known {
            Known::Absent => None,
            Known::Record(record) => Some(record),
            Known::Unreadable(why) => {
                let why = printable(why.as_bytes());
                self.warn(key, format!("the record in KV is invalid, and Git has none ({why})"));
                None
            }
        }
    }

    /// Returns the record that KV has for a slot, if it can be read.
    pub(super) fn present(&mut self, slot: &Slot) -> Option<&'a SlotRecord> {
        let stored = self.actual.slots.get(slot)?;
        match self.take(&self.slot_key(slot), stored.known())? {
            Known::Record(record) => Some(record),
            Known::Absent | Known::Unreadable(_) => None,
        }
    }

    /// Returns the catalog record in KV, if it can be read.
    pub(super) fn present_catalog(&mut self) -> Option<&'a CatalogRecord> {
        let stored = self.actual.catalog.as_ref()?;
        match self.take(&Key::Catalog(self.name.clone()), stored.value.known())? {
            Known::Record(record) => Some(record),
            Known::Absent | Known::Unreadable(_) => None,
        }
    }

    /// Tells if a mistake in `rollouts.toml` leaves a slot unchanged.
    pub(super) fn is_frozen(&mut self, slot: &Slot) -> bool {
        let traffic = &self.desired.traffic;
        if traffic.frozen.contains(slot) {
            return true;
        }
        if !traffic.keep_splits || traffic.routes.contains_key(slot) {
            return false;
        }
        let is_unread = self.actual.slots.get(slot).is_some_and(Stored::is_unread);
        // A slot that lost its last good version shows no split any more.
        let is_untagged = !self.desired.slots.contains_key(slot);
        self.present(slot).map_or(is_unread, |record| {
            record.is_routed() || (is_untagged && record.gone.is_some())
        })
    }

    pub(super) fn refuse(&mut self, key: &Key, what: String, help: &str) {
        let (subject, help) = (key.to_string(), Some(help.to_owned()));
        self.part.refused.push(Notice { subject, what, help });
    }

    pub(super) fn warn(&mut self, key: &Key, what: String) {
        self.part.warnings.push(Notice { subject: key.to_string(), what, help: None });
    }

    /// Tells if pruning may delete a slot or version because no tag names it.
    pub(super) fn is_untagged(&self, target: TagTarget) -> bool {
        self.rules.options.prune && !self.rules.all.is_unserved(self.name, &target)
    }

    pub(super) fn version_key(&self, version: &Version) -> Key {
        Key::Version(self.name.clone(), version.clone())
    }

    pub(super) fn slot_key(&self, slot: &Slot) -> Key {
        Key::Slot(self.name.clone(), slot.clone())
    }
}
