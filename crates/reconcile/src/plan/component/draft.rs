//! A component's part of a plan while it is made.

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

/// One component's part of the plan.
#[derive(Debug, Default)]
pub(in crate::plan) struct ComponentPlan {
    /// By digest, with their sizes, the contents that must be there.
    pub(in crate::plan) contents: BTreeMap<Digest, u64>,
    pub(in crate::plan) writes: Vec<Write>,
    pub(in crate::plan) deletions: Vec<Key>,
    pub(in crate::plan) kept: Vec<Key>,
    pub(in crate::plan) held: Vec<Held>,
    pub(in crate::plan) refused: Vec<Notice>,
    pub(in crate::plan) warnings: Vec<Notice>,
    pub(in crate::plan) unchanged: usize,
    /// Whether a record of a later format keeps it as it is.
    pub(in crate::plan) frozen: bool,
}

/// What holds for every component of a plan.
#[derive(Clone, Copy)]
pub(in crate::plan) struct Rules<'a> {
    pub(in crate::plan) options: &'a Options,
    pub(in crate::plan) all: &'a Desired,
}

impl ComponentPlan {
    /// Whether it writes the component's catalog record.
    pub(in crate::plan) fn writes_catalog(&self) -> bool {
        self.writes.iter().any(|write| matches!(write, Write::Catalog { .. }))
    }

    /// Whether it deletes it.
    pub(in crate::plan) fn deletes_catalog(&self) -> bool {
        self.deletions.iter().any(|key| matches!(key, Key::Catalog(_)))
    }
}

/// A version as KV will hold it: its hash, and its record where it is at hand.
pub(super) struct After<'a> {
    pub(super) hash: Digest,
    pub(super) record: Option<Cow<'a, VersionRecord>>,
}

/// What a slot gives to the records that name it.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// A version, with the hold that keeps the slot there if it is not Git's.
    On(Snapshot, Option<Box<Hold>>),
    /// No version that is good.
    Gone(Gone),
}

pub(super) struct ComponentDraft<'a> {
    pub(super) name: &'a ComponentName,
    pub(super) desired: &'a DesiredComponent,
    pub(super) actual: &'a ActualComponent,
    pub(super) rules: Rules<'a>,
    /// What must be read before the plan can be finished.
    pub(super) needs: Vec<Key>,
    /// A record of a later format: it ends the planning of the component.
    pub(super) newer: Option<(Key, u32)>,
    /// The versions whose content in Git is refused.
    pub(super) refused: BTreeSet<Version>,
    pub(super) versions: BTreeMap<Version, After<'a>>,
    /// By slot, the version that its tag names; none for a slot that is refused.
    pub(super) git: BTreeMap<&'a Slot, Snapshot>,
    /// By slot with a tag, what it gives out.
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

    /// Whether nothing stands in the way of going on.
    pub(super) fn is_open(&self) -> bool {
        self.needs.is_empty() && self.newer.is_none()
    }

    /// The value, or a note of what stands in its way.
    pub(super) fn take<T>(&mut self, key: &Key, value: Result<T, Blocked>) -> Option<T> {
        match value {
            Ok(value) => return Some(value),
            Err(Blocked::Unread) => self.needs.push(key.clone()),
            Err(Blocked::Newer(format)) => self.newer = Some((key.clone(), format)),
        }
        None
    }

    /// The record that a write replaces, with a warning where it is garbage.
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

    /// A record that is kept as it is; garbage is left out of the catalog.
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

    /// The record that KV has of a slot, if it has one that can be read.
    pub(super) fn present(&mut self, slot: &Slot) -> Option<&'a SlotRecord> {
        let stored = self.actual.slots.get(slot)?;
        match self.take(&self.slot_key(slot), stored.known())? {
            Known::Record(record) => Some(record),
            Known::Absent | Known::Unreadable(_) => None,
        }
    }

    /// The catalog record that KV has, if it has one that can be read.
    pub(super) fn present_catalog(&mut self) -> Option<&'a CatalogRecord> {
        let stored = self.actual.catalog.as_ref()?;
        match self.take(&Key::Catalog(self.name.clone()), stored.value.known())? {
            Known::Record(record) => Some(record),
            Known::Absent | Known::Unreadable(_) => None,
        }
    }

    /// Whether a mistake in `rollouts.toml` keeps a slot as it is.
    pub(super) fn is_frozen(&mut self, slot: &Slot) -> bool {
        let traffic = &self.desired.traffic;
        if traffic.frozen.contains(slot) {
            return true;
        }
        if !traffic.keep_splits || traffic.routes.contains_key(slot) {
            return false;
        }
        let is_unread = self.actual.slots.get(slot).is_some_and(Stored::is_unread);
        self.present(slot).map_or(is_unread, SlotRecord::is_routed)
    }

    pub(super) fn refuse(&mut self, key: &Key, what: String, help: &str) {
        let (subject, help) = (key.to_string(), Some(help.to_owned()));
        self.part.refused.push(Notice { subject, what, help });
    }

    pub(super) fn warn(&mut self, key: &Key, what: String) {
        self.part.warnings.push(Notice { subject: key.to_string(), what, help: None });
    }

    /// Whether what KV has of a slot or version goes, as far as tags have a say in it.
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
