//! The steps from the desired state and a listing to the plan.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::actual::{Actual, ActualComponent};
use super::component::{self, ComponentOutcome, ComponentPlan, Rules};
use super::options::Options;
use super::stored::Blocked;
use super::value::Plan;
use super::write::{Stage, Write};
use super::{contents, guard, index};
use crate::desired::{Desired, DesiredComponent};
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;

/// The next step of a planning.
#[derive(Debug)]
pub enum PlanningStep<'a> {
    /// Read the values of [`Planning::keys`], supply them, then advance.
    Read(Planning<'a>),
    /// The planning is complete.
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
    /// Begins with the state in Git and the listings of KV. Slot records that were read already
    /// are used.
    pub fn begin(desired: &'a Desired, actual: Actual, options: &'a Options) -> PlanningStep<'a> {
        let pending = desired.components.keys().chain(actual.components.keys()).cloned().collect();
        let planned = BTreeMap::new();
        Self { desired, actual, options, pending, planned, keys: Vec::new() }.advance()
    }

    /// Returns the keys whose values are needed.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Takes in the value of a key; `None` if the key no longer exists.
    pub fn supply(&mut self, key: &Key, value: Option<&[u8]>) {
        self.actual.read(key, value);
    }

    /// Continues with the supplied values.
    pub fn advance(mut self) -> PlanningStep<'a> {
        self.keys.clear();
        for name in std::mem::take(&mut self.pending) {
            let (none, nothing) = (DesiredComponent::default(), ActualComponent::default());
            let desired = self.desired.components.get(&name).unwrap_or(&none);
            let actual = self.actual.components.get(&name).unwrap_or(&nothing);
            let rules = Rules { options: self.options, all: self.desired };
            match component::plan(&name, desired, actual, rules) {
                ComponentOutcome::Needs(keys) => {
                    self.keys.extend(keys);
                    self.pending.insert(name);
                }
                ComponentOutcome::Planned(part) => {
                    self.planned.insert(name, *part);
                }
            }
        }
        if !self.pending.is_empty() {
            // Reads the index together with the other values, which saves a round trip.
            let index = self.actual.index.as_ref().is_some_and(|index| index.value.is_unread());
            self.keys.extend((index && self.actual.scope.is_some()).then_some(Key::Index));
            return PlanningStep::Read(self);
        }
        let index = match index::plan(&self.actual, &self.planned) {
            Ok(index) => index,
            Err(Blocked::Unread) => {
                self.keys.push(Key::Index);
                ComponentPlan::default()
            }
            Err(Blocked::Newer(format)) => component::frozen(&Key::Index, format),
        };
        self.ask_unreferenced();
        match self.keys.is_empty() {
            true => PlanningStep::Done(self.finish(index)),
            false => PlanningStep::Read(self),
        }
    }

    /// Asks for the "unreferenced" record of each content that is new to KV. With a scope,
    /// contents are not listed, so these records must be read one by one.
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
            // `append` would merge the whole map again for each component.
            wanted.extend(&part.contents);
            complete &= !part.frozen;
            add(&mut plan, part);
        }
        contents::add(&mut plan, &self.actual, &wanted, self.options, complete);
        add(&mut plan, index);
        // The sort is stable: within a stage, components keep their order.
        plan.writes.sort_by_key(Write::stage);
        plan.deletions.sort_by_key(|key| Reverse(Stage::of(key)));
        if !self.options.allow_mass_delete {
            plan.blocked = guard::blocked(self.desired, &self.actual, &plan);
        }
        plan
    }
}

fn add(plan: &mut Plan, part: ComponentPlan) {
    plan.writes.extend(part.writes);
    plan.deletions.extend(part.deletions);
    plan.kept.extend(part.kept);
    plan.held.extend(part.held);
    plan.refused.extend(part.refused);
    plan.warnings.extend(part.warnings);
    plan.unchanged += part.unchanged;
}
