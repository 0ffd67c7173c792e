//! The resolution of a question to a version, without I/O: a resolution names the next key to
//! read and receives the result of the read.
//!
//! Out of scope: reading a key, caching and timing (the Worker's task), and the content itself,
//! which the selected version names by its digest.

use std::rc::Rc;

use crate::assign::{self, Caller};
use crate::digest::Digest;
use crate::existing::Existing;
use crate::key::Key;
use crate::name::ComponentName;
use crate::parsed::ParsedRecords;
use crate::record::{self, CatalogRecord, Gone, RecordError, SlotRecord, VersionRecord};
use crate::reference::{Address, Reference};
use crate::refusal::Refusal;
use crate::version::Version;

pub use crate::basis::{Basis, Found, Selected, SelectedSlot};

/// The error of a namespace that did not answer, or that answered with something that
/// cannot be a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable(pub String);

/// The result of a read: a value, its absence, or an error.
pub type Read<T> = Result<Option<T>, Unavailable>;

/// A reference of a component, asked for by a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The component.
    pub name: ComponentName,
    /// The reference.
    pub reference: Reference,
    /// The caller, as far as an assignment depends on it.
    pub caller: Rc<Caller>,
}

impl Question {
    /// Returns the component and the reference in their canonical spelling.
    pub fn address(&self) -> Address {
        Address { name: self.name.clone(), reference: Some(self.reference.clone()) }
    }

    /// Returns the key of the record that answers the question, if there is an answer.
    pub fn key(&self) -> Key {
        match &self.reference {
            Reference::Version(version) => Key::Version(self.name.clone(), version.clone()),
            Reference::Slot(slot) => Key::Slot(self.name.clone(), slot.clone()),
            Reference::Range(_) => Key::Ranges(self.name.clone()),
            Reference::Digest(_) => Key::Catalog(self.name.clone()),
        }
    }
}

/// A question in the course of its resolution: it waits for the value of one key.
#[derive(Debug)]
pub struct Resolution {
    question: Question,
    key: Key,
    denied: bool,
    /// The version that a ranges record named, whose own record is read next.
    chosen: Option<Chosen>,
    /// That version, if its own record says that it was revoked.
    revoked: Option<Version>,
}

/// A version that a ranges record names.
#[derive(Debug)]
struct Chosen {
    ranges: Rc<[u8]>,
    digest: Digest,
}

impl Resolution {
    /// Begins to resolve a question.
    pub fn begin(question: Question) -> Self {
        let key = question.key();
        Self { question, key, denied: false, chosen: None, revoked: None }
    }

    /// Begins to resolve a question whose reference the caller may not use. It is answered
    /// like a reference that does not exist.
    pub fn denied(question: Question) -> Self {
        let key = Key::Catalog(question.name.clone());
        Self { question, key, denied: true, chosen: None, revoked: None }
    }

    /// Returns the question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Returns the question after the resolution has ended.
    pub fn into_question(self) -> Question {
        self.question
    }

    /// Tells if the caller may not use the reference.
    pub fn is_denied(&self) -> bool {
        self.denied
    }

    /// Returns the key to read next.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the version that a range would have chosen, if its record says that it was revoked.
    pub fn revoked(&self) -> Option<&Version> {
        self.revoked.as_ref()
    }

    /// Receives the result of reading [`Resolution::key`] and returns the basis of the answer,
    /// or `None` if another key has to be read. `random` returns 32 random bits; it is called
    /// if a slot is split and no property of the caller decides. `parsed` keeps the last records.
    ///
    /// # Errors
    ///
    /// The refusal that answers the question.
    pub fn supply(
        &mut self,
        read: Read<Rc<[u8]>>,
        random: &dyn Fn() -> u32,
        parsed: &ParsedRecords,
    ) -> Result<Option<Basis>, Refusal> {
        let read = read.map_err(|_| Refusal::StoreUnavailable(self.key.namespace()))?;
        let Some(record) = read else { return self.ask_catalog().map(|()| None) };
        let (selected, slot) = match (&self.key, &self.chosen) {
            (Key::Slot(..), _) => self.select(&record, random)?,
            (Key::Ranges(_), _) => return self.choose(record, parsed).map(|()| None),
            (Key::Version(..), Some(_)) => return self.confirm(record),
            (Key::Version(..), None) => (self.exact(&record)?, None),
            _ => (self.search(&record, parsed)?, None),
        };
        Ok(Some(Basis { key: self.key.clone(), record, slot, version: None, selected }))
    }

    /// Finds the highest version of a range in the ranges record, and requests the record of that
    /// version. Requests the catalog record if the ranges record has no version in the range, or
    /// cannot be used.
    fn choose(&mut self, ranges: Rc<[u8]>, parsed: &ParsedRecords) -> Result<(), Refusal> {
        let Reference::Range(range) = &self.question.reference else { return self.ask_catalog() };
        let found = parsed.ranges.parse(&ranges).and_then(|record| record.highest_in(range));
        let Ok(Some((version, digest))) = found else { return self.ask_catalog() };
        self.key = Key::Version(self.question.name.clone(), version);
        self.chosen = Some(Chosen { ranges, digest });
        Ok(())
    }

    /// Answers with the version that the ranges record chose, if the version's own record agrees.
    /// Otherwise one of the two is older than the other, and the catalog record decides.
    fn confirm(&mut self, version: Rc<[u8]>) -> Result<Option<Basis>, Refusal> {
        let Some(Chosen { ranges, digest }) = self.chosen.take() else {
            return self.ask_catalog().map(|()| None);
        };
        let name = self.question.name.clone();
        match record::parse::<VersionRecord>(&version) {
            Ok(VersionRecord { snapshot, revoked: Some(_), .. }) => {
                self.revoked = Some(snapshot.version);
            }
            Ok(VersionRecord { snapshot, revoked: None, .. }) if snapshot.digest == digest => {
                let key = Key::Ranges(name.clone());
                let selected = Selected { name, snapshot, found: Found::Range };
                let (record, version) = (ranges, Some(version));
                return Ok(Some(Basis { key, record, slot: None, version, selected }));
            }
            _ => {}
        }
        self.ask_catalog().map(|()| None)
    }

    fn unreadable(&self, error: RecordError) -> Refusal {
        Refusal::RecordUnreadable(self.key.clone(), error)
    }

    fn select(
        &self,
        bytes: &[u8],
        random: &dyn Fn() -> u32,
    ) -> Result<(Selected, Option<SlotRecord>), Refusal> {
        let record: SlotRecord = record::parse(bytes).map_err(|error| self.unreadable(error))?;
        let Question { name, caller, .. } = &self.question;
        if let Some(Gone { version, reason }) = record.gone {
            return Err(Refusal::VersionRevoked { name: name.clone(), version, reason });
        }
        caller.check_for(&record).map_err(Refusal::CallerInvalid)?;
        let decision = assign::decide(&record, name, caller, random).ok_or_else(|| {
            self.unreadable(RecordError::Malformed("the slot has no target".to_owned()))
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
        let selected = Selected { name: name.clone(), snapshot, found: Found::Slot(slot) };
        Ok((selected, Some(record)))
    }

    fn exact(&self, bytes: &[u8]) -> Result<Selected, Refusal> {
        let record = record::parse(bytes).map_err(|error| self.unreadable(error))?;
        self.unless_revoked(record)
    }

    fn unless_revoked(&self, record: VersionRecord) -> Result<Selected, Refusal> {
        let (name, snapshot) = (self.question.name.clone(), record.snapshot);
        match record.revoked {
            Some(reason) => {
                Err(Refusal::VersionRevoked { name, version: snapshot.version, reason })
            }
            None => Ok(Selected { name, snapshot, found: Found::Exact }),
        }
    }

    /// Requests the catalog record after another record did not give the answer. It distinguishes
    /// an unknown component from an unknown reference and lists the existing references.
    fn ask_catalog(&mut self) -> Result<(), Refusal> {
        let name = self.question.name.clone();
        match self.key {
            Key::Slot(..) | Key::Version(..) | Key::Ranges(_) => {
                self.key = Key::Catalog(name);
                Ok(())
            }
            _ => Err(Refusal::ComponentUnknown(name, None)),
        }
    }

    /// Finds a range or a digest in the catalog record. For a slot or a version that does not
    /// exist, lists the existing ones.
    // Not inlined: V8 compiles a function when it is first called, and a slot needs none of this.
    #[inline(never)]
    fn search(&self, text: &Rc<[u8]>, parsed: &ParsedRecords) -> Result<Selected, Refusal> {
        let catalog = parsed.catalog.parse(text).map_err(|error| self.unreadable(error))?;
        let name = self.question.name.clone();
        let existing = || Existing::of(&catalog);
        match &self.question.reference {
            Reference::Range(range) => match catalog.highest_in(range, self.revoked.as_ref()) {
                Some(snapshot) if !self.denied => {
                    Ok(Selected { name, snapshot: snapshot.clone(), found: Found::Range })
                }
                _ => Err(Refusal::RangeUnsatisfied(name, range.clone(), existing())),
            },
            Reference::Digest(digest) if self.denied => {
                Err(Refusal::DigestUnknown(name, *digest, existing()))
            }
            Reference::Digest(digest) => self.by_digest(&catalog, *digest),
            Reference::Version(version) => match catalog.version(version) {
                // A location may see the catalog before the record of a new version.
                Some(record) if !self.denied => self.unless_revoked(record.clone()),
                _ => Err(Refusal::VersionUnknown(name, version.clone(), existing())),
            },
            Reference::Slot(slot) => Err(Refusal::SlotUnknown(name, slot.clone(), existing())),
        }
    }

    /// Finds the highest version with this content. It counts as revoked only if every
    /// version with this content is.
    fn by_digest(&self, catalog: &CatalogRecord, digest: Digest) -> Result<Selected, Refusal> {
        let name = self.question.name.clone();
        let same = catalog.versions.iter().filter(|record| record.snapshot.digest == digest);
        let highest =
            same.max_by_key(|record| (record.revoked.is_none(), &record.snapshot.version));
        let Some(record) = highest else {
            return Err(Refusal::DigestUnknown(name, digest, Existing::of(catalog)));
        };
        self.unless_revoked(record.clone())
    }
}
