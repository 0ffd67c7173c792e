//! From an address to a version, without I/O: a resolution hands out the next
//! key to read and takes what was there.
//!
//! Not here: how a key is read, kept in memory or timed (the Worker), and the
//! content itself, which the answer names by its digest.

use crate::assign::{self, Assignment, Caller};
use crate::digest::Digest;
use crate::key::Key;
use crate::name::ComponentName;
use crate::range::Range;
use crate::record::{self, CatalogRecord, RecordError, SlotRecord, Snapshot, VersionRecord};
use crate::reference::Reference;
use crate::refusal::{Existing, Refusal};
use crate::slot::Slot;

/// What a read of a key brought.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// The key's value.
    Value(&'a [u8]),
    /// The key is not there.
    Absent,
    /// The namespace did not answer.
    Unavailable,
}

/// What is to be done next.
#[derive(Debug)]
// Moved once a read and never stored; how large it is depends on the target.
#[allow(clippy::large_enum_variant)]
pub enum Step {
    /// Read the key that [`Resolution::key`] names, then supply the outcome.
    Read(Resolution),
    /// The resolution is over: this version answers.
    Serve(Box<Selected>),
    /// The resolution is over: nothing can be served.
    Refuse(Box<Refusal>),
}

/// The version that answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Of which component.
    pub name: ComponentName,
    /// The version.
    pub snapshot: Snapshot,
    /// By what it was found.
    pub found: Found,
}

/// By what a version was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its own name or its digest: the answer never changes.
    Exact,
    /// A range: the answer changes when a version is added or revoked.
    Range,
    /// A slot: the answer changes when the slot moves.
    Slot(SelectedSlot),
}

/// How a slot led to a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedSlot {
    /// The slot whose version it is.
    pub slot: Slot,
    /// The rule that chose it.
    pub assignment: Assignment,
    /// Where the caller stands, of 100,000, where that decided.
    pub point: Option<u32>,
    /// Other callers may get another version.
    pub split: bool,
    /// The slot routes some groups of callers apart.
    pub segmented: bool,
    /// The caller asked for a version that is none of the slot's targets.
    pub override_ignored: bool,
}

/// A resolution that waits for the value of a key.
#[derive(Debug)]
pub struct Resolution {
    name: ComponentName,
    reference: Reference,
    key: Key,
    caller: Caller,
    denied: bool,
}

impl Resolution {
    /// Begins to resolve `reference` of the component `name` for a caller.
    pub fn begin(name: ComponentName, reference: Reference, caller: Caller) -> Self {
        let key = match &reference {
            Reference::Version(version) => Key::Version(name.clone(), version.clone()),
            Reference::Slot(slot) => Key::Slot(name.clone(), slot.clone()),
            Reference::Range(_) | Reference::Digest(_) => Key::Catalog(name.clone()),
        };
        Self { name, reference, key, caller, denied: false }
    }

    /// Begins to resolve a reference that the caller may not use: it is answered
    /// as one that is not there.
    pub fn denied(name: ComponentName, reference: Reference) -> Self {
        let key = Key::Catalog(name.clone());
        Self { name, reference, key, caller: Caller::default(), denied: true }
    }

    /// The key to read next.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Takes what a read of [`Resolution::key`] brought. `draw` gives 32 random
    /// bits; it is asked where a slot is split and nothing about the caller decides.
    pub fn supply(self, outcome: Outcome<'_>, draw: &dyn Fn() -> u32) -> Step {
        let decided = match (&self.key, outcome) {
            (key, Outcome::Unavailable) => Err(Refusal::StoreUnavailable(key.namespace())),
            (Key::Slot(..), Outcome::Value(bytes)) => self.select(bytes, draw),
            (Key::Version(..), Outcome::Value(bytes)) => self.exact(bytes),
            (Key::Slot(..) | Key::Version(..), Outcome::Absent) => return self.ask_catalog(),
            (_, Outcome::Absent) => Err(Refusal::ComponentUnknown(self.name.clone())),
            (_, Outcome::Value(bytes)) => self.search(bytes),
        };
        match decided {
            Ok(selected) => Step::Serve(Box::new(selected)),
            Err(refusal) => Step::Refuse(Box::new(refusal)),
        }
    }

    fn unreadable(&self, error: RecordError) -> Refusal {
        Refusal::RecordUnreadable(self.key.clone(), error)
    }

    fn select(&self, bytes: &[u8], draw: &dyn Fn() -> u32) -> Result<Selected, Refusal> {
        let record: SlotRecord = record::parse(bytes).map_err(|error| self.unreadable(error))?;
        let decision = assign::decide(&record, &self.name, &self.caller, draw);
        let decision = decision.ok_or_else(|| {
            self.unreadable(RecordError::Malformed("there is no target".to_owned()))
        })?;
        let slot = SelectedSlot {
            slot: decision.arm.slot.clone(),
            assignment: decision.assignment,
            point: decision.point,
            split: record.is_split(),
            segmented: !record.segments.is_empty(),
            override_ignored: decision.override_ignored,
        };
        let snapshot = decision.arm.snapshot.clone();
        Ok(Selected { name: self.name.clone(), snapshot, found: Found::Slot(slot) })
    }

    fn exact(&self, bytes: &[u8]) -> Result<Selected, Refusal> {
        let record: VersionRecord = record::parse(bytes).map_err(|error| self.unreadable(error))?;
        let (name, snapshot) = (self.name.clone(), record.snapshot);
        match record.revoked {
            Some(reason) => {
                Err(Refusal::VersionRevoked { name, version: snapshot.version, reason })
            }
            None => Ok(Selected { name, snapshot, found: Found::Exact }),
        }
    }

    /// The reference leads nowhere: the catalog record tells an unknown component
    /// from an unknown version, and what the component does have.
    fn ask_catalog(self) -> Step {
        let key = Key::Catalog(self.name.clone());
        Step::Read(Self { key, ..self })
    }

    /// Looks in the catalog record for what a range or a digest names, and says
    /// what there is where a slot or a version was not found.
    // Apart from what a slot needs: V8 compiles a function when it is called first.
    #[inline(never)]
    fn search(&self, bytes: &[u8]) -> Result<Selected, Refusal> {
        let catalog: CatalogRecord =
            record::parse(bytes).map_err(|error| self.unreadable(error))?;
        let name = self.name.clone();
        let existing = existing(&catalog);
        match &self.reference {
            Reference::Range(range) => match highest_in(&catalog, range) {
                Some(snapshot) if !self.denied => {
                    Ok(Selected { name, snapshot, found: Found::Range })
                }
                _ => Err(Refusal::RangeUnsatisfied(name, range.clone(), existing)),
            },
            Reference::Digest(digest) if self.denied => {
                Err(Refusal::DigestUnknown(name, *digest, existing))
            }
            Reference::Digest(digest) => self.by_digest(&catalog, *digest),
            Reference::Version(version) => {
                Err(Refusal::VersionUnknown(name, version.clone(), existing))
            }
            Reference::Slot(slot) => Err(Refusal::SlotUnknown(name, slot.clone(), existing)),
        }
    }

    /// The highest version with this content. It is gone only when every version
    /// that has it is.
    fn by_digest(&self, catalog: &CatalogRecord, digest: Digest) -> Result<Selected, Refusal> {
        let name = self.name.clone();
        let same = catalog.versions.iter().filter(|record| record.snapshot.digest == digest);
        let highest =
            same.max_by_key(|record| (record.revoked.is_none(), &record.snapshot.version));
        let Some(record) = highest else {
            return Err(Refusal::DigestUnknown(name, digest, existing(catalog)));
        };
        let snapshot = record.snapshot.clone();
        match record.revoked.clone() {
            None => Ok(Selected { name, snapshot, found: Found::Exact }),
            Some(reason) => {
                Err(Refusal::VersionRevoked { name, version: snapshot.version, reason })
            }
        }
    }
}

/// The highest version in the range that is not revoked.
fn highest_in(catalog: &CatalogRecord, range: &Range) -> Option<Snapshot> {
    let live = catalog.versions.iter().filter(|record| record.revoked.is_none());
    let inside =
        live.filter(|record| record.snapshot.version.semver().is_some_and(|v| range.matches(v)));
    inside.max_by_key(|record| &record.snapshot.version).map(|record| record.snapshot.clone())
}

fn existing(catalog: &CatalogRecord) -> Existing {
    let live = catalog.versions.iter().filter(|record| record.revoked.is_none());
    // The record has them lowest first.
    let versions = live.rev().map(|record| record.snapshot.version.clone()).collect();
    Existing { versions, slots: catalog.slots.keys().cloned().collect() }
}
