//! The plan of a sync: from what Git says should be in Workers KV and what is
//! there to the writes that make the two agree, as a value.
//!
//! In scope: what is written, in which order, what is refused, left or reported.
//! Not here: reading Git and KV, printing, carrying out (`crates/slotctl`), and the
//! clock: the time is a value like any other.
//!
//! Planning has no I/O: it begins with a listing, asks for the values that it
//! needs beyond the listing's metadata, and ends with the plan. What it promises:
//!
//! * Only what changed is written. A second plan, after the first was applied,
//!   is empty.
//! * The writes stand in the safe order: contents, version records, slot
//!   records, catalogs, the index. After any number of them every slot record that was
//!   written names a content that is there.
//! * A version is immutable in its content. Where Git's differs from KV's, KV's
//!   stays, the version is refused, and a slot that stands on it is pinned to
//!   its own commit. What else a version's record says (commit, date, author,
//!   path, media type) follows Git: a tag made again on another commit with the
//!   same content changes nothing that is served under that version but headers.
//! * What a later `slotctl` wrote is never overwritten: the component is left as
//!   it is. What can't be read at all is written anew.
//! * A slot with a hold is left until Git would serve every caller the same version,
//!   then the hold is lifted.
//! * A slot that shares out its traffic names the versions that the slots of its
//!   arms stand on, after refusals: it is written again when one of them moves, and
//!   left where one is refused or revoked.
//! * What a mistake in `rollouts.toml` concerns stays as it is.
//! * What KV has and no tag has is kept and reported, or, with
//!   [`Options::prune`], deleted: catalogs, then slots, then versions that no slot
//!   names any more, contents a day after the last record that named them.
//! * What would delete over half of what is there is [`Plan::blocked`].

mod actual;
mod component;
mod contents;
mod describe;
mod guard;
mod index;
mod options;
mod traffic;
mod verdict;
mod write;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

pub use actual::Actual;
pub use options::Options;
pub use traffic::{ArmChange, Share, changes};
pub use write::{Stage, Write};

use crate::desired::{Desired, DesiredComponent};
use actual::ActualComponent;
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::SlotRecord;
use catalog::timestamp::Timestamp;
use catalog::version::Version;
use component::{ComponentPlan, Outcome, Rules};
use notice::Notice;
use verdict::Blocked;

/// What a sync does, and what it leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to write, in the safe order: by [`Stage`], then by component.
    pub writes: Vec<Write>,
    /// What to delete after all writes, in the opposite order; only pruning, which
    /// is asked for, fills it.
    pub deletions: Vec<Key>,
    /// What KV has and Git has not: it stays.
    pub kept: Vec<Key>,
    /// Contents that no record names, and since when; they go a day later.
    pub unreferenced: BTreeMap<Digest, Timestamp>,
    /// Why the plan must not be carried out, if it must not.
    pub blocked: Option<Notice>,
    /// Slots that a hold keeps where they are.
    pub held: Vec<Held>,
    /// What can't be done.
    pub refused: Vec<Notice>,
    /// What is done, but should be looked at.
    pub warnings: Vec<Notice>,
    /// Keys of the namespaces that nothing of this software wrote: left alone.
    pub foreign: Vec<(Namespace, String)>,
    /// How many keys are as they should be.
    pub unchanged: usize,
}

/// A slot that a hold keeps where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The component.
    pub name: ComponentName,
    /// The slot's record, hold included.
    pub record: SlotRecord,
    /// The record that Git would have.
    pub wanted: SlotRecord,
}

impl Plan {
    /// Whether KV is as Git says, as far as it can be.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.deletions.is_empty()
    }

    /// The writes of one stage.
    pub fn stage(&self, stage: Stage) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter(move |write| write.stage() == stage)
    }

    fn add(&mut self, part: ComponentPlan) {
        self.writes.extend(part.writes);
        self.deletions.extend(part.deletions);
        self.kept.extend(part.kept);
        self.held.extend(part.held);
        self.refused.extend(part.refused);
        self.warnings.extend(part.warnings);
        self.unchanged += part.unchanged;
    }
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step<'a> {
    /// Read the keys that [`Planning::keys`] names, supply them, advance.
    Read(Planning<'a>),
    /// The planning is over.
    Done(Plan),
}

/// A planning that waits for values of KV.
#[derive(Debug)]
pub struct Planning<'a> {
    desired: &'a Desired,
    actual: Actual,
    options: &'a Options,
    pending: BTreeSet<ComponentName>,
    planned: BTreeMap<ComponentName, ComponentPlan>,
    keys: Vec<Key>,
}

impl<'a> Planning<'a> {
    /// Begins with what Git says and what listings of KV brought. Slot records
    /// that were read already are taken into account.
    pub fn begin(desired: &'a Desired, actual: Actual, options: &'a Options) -> Step<'a> {
        let pending = desired.components.keys().chain(actual.components.keys()).cloned().collect();
        let planned = BTreeMap::new();
        Self { desired, actual, options, pending, planned, keys: Vec::new() }.advance()
    }

    /// The keys whose values are needed.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Takes the value of a key; `None` if it is gone.
    pub fn supply(&mut self, key: &Key, value: Option<&[u8]>) {
        self.actual.read(key, value);
    }

    /// Goes on with what was supplied.
    pub fn advance(mut self) -> Step<'a> {
        self.keys.clear();
        for name in std::mem::take(&mut self.pending) {
            let (none, nothing) = (DesiredComponent::default(), ActualComponent::default());
            let desired = self.desired.components.get(&name).unwrap_or(&none);
            let actual = self.actual.components.get(&name).unwrap_or(&nothing);
            let rules = Rules { options: self.options, all: self.desired };
            match component::plan(&name, desired, actual, rules) {
                Outcome::Needs(keys) => {
                    self.keys.extend(keys);
                    self.pending.insert(name);
                }
                Outcome::Planned(part) => {
                    self.planned.insert(name, *part);
                }
            }
        }
        if !self.pending.is_empty() {
            // One call more or less, where little is read.
            let index = self.actual.index.as_ref().is_some_and(|index| index.value.is_unread());
            self.keys.extend((index && self.actual.scope.is_some()).then_some(Key::Index));
            return Step::Read(self);
        }
        let index = match self.index() {
            Ok(index) => index,
            Err(Blocked::Unread) => {
                self.keys.push(Key::Index);
                ComponentPlan::default()
            }
            Err(Blocked::Newer(format)) => component::frozen(&Key::Index, format),
        };
        self.ask_unreferenced();
        match self.keys.is_empty() {
            true => Step::Done(self.finish(index)),
            false => Step::Read(self),
        }
    }

    /// Of a part of KV contents are not listed: whether one that is new to it was
    /// unreferenced is asked.
    fn ask_unreferenced(&mut self) {
        if self.actual.scope.is_none() {
            return;
        }
        let named = self.actual.named(|_| true);
        let wanted = self.planned.values().flat_map(|part| part.contents.keys());
        let new =
            |digest: &&Digest| !named.contains(*digest) && !self.actual.asked.contains(*digest);
        let new: BTreeSet<Digest> = wanted.filter(new).copied().collect();
        self.keys.extend(new.into_iter().map(Key::Unreferenced));
    }

    fn finish(self, index: ComponentPlan) -> Plan {
        let mut plan = Plan { foreign: self.actual.foreign().to_vec(), ..Plan::default() };
        let mut wanted = BTreeMap::new();
        let mut complete = true;
        for part in self.planned.into_values() {
            // `append` would merge the whole map anew for each component.
            wanted.extend(&part.contents);
            complete &= !part.frozen;
            plan.add(part);
        }
        contents::add(&mut plan, &self.actual, &wanted, self.options, complete);
        plan.add(index);
        // Stable: within a stage the order of the components stays.
        plan.writes.sort_by_key(Write::stage);
        plan.deletions.sort_by_key(|key| Reverse(Stage::of(key)));
        if !self.options.allow_mass_delete {
            plan.blocked = guard::blocked(self.desired, &self.actual, &plan);
        }
        plan
    }
}

/// A version as people read it: a commit id is abbreviated as Git does.
fn short(version: &Version) -> String {
    match version {
        Version::Release(_) => version.to_string(),
        Version::Commit(commit) => commit.as_str().get(..12).unwrap_or_default().to_owned(),
    }
}
