//! The routes that the file makes of the existing slots.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{ComponentPolicy, MistakeScope, Policy, PolicyError, SlotPolicy};
use crate::desired::{Desired, DesiredComponent, Route};
use catalog::name::ComponentName;
use catalog::nearest::{BUDGET, nearest};
use catalog::record::FULL_WEIGHT;
use catalog::slot::Slot;

/// The routes of every slot that the file names.
pub type Routes = BTreeMap<ComponentName, BTreeMap<Slot, Route>>;

/// Finds the routes. A mistake affects only the slot that it concerns.
pub fn routes(policy: &Policy, desired: &Desired) -> (Routes, Vec<PolicyError>) {
    let (mut routes, mut errors) = (Routes::new(), Vec::new());
    for (name, component) in &policy.components {
        let Some(known) = desired.components.get(name) else {
            let line = component.slots.values().map(|slot| slot.line).min().unwrap_or(1);
            let what = format!("there is no component {name}");
            let known = desired.components.keys().map(ComponentName::as_str);
            let help = match nearest(name.as_str(), known, &mut BUDGET.clone()) {
                Some(near) => format!("Did you mean {near}?"),
                None => "Tag a version of it, or take the table out".to_owned(),
            };
            errors.push(PolicyError { line, scope: MistakeScope::Nothing, what, help });
            continue;
        };
        for (slot, policy) in &component.slots {
            match route(name, slot, policy, component, known) {
                Ok(route) => {
                    routes.entry(name.clone()).or_default().insert(slot.clone(), route);
                }
                Err(error) => errors.push(error),
            }
        }
    }
    (routes, errors)
}

fn route(
    name: &ComponentName,
    slot: &Slot,
    policy: &SlotPolicy,
    component: &ComponentPolicy,
    known: &DesiredComponent,
) -> Result<Route, PolicyError> {
    let line = policy.line;
    let scope = || MistakeScope::Slot(name.clone(), slot.clone());
    let fail = |what: String, help: String| Err(PolicyError { line, scope: scope(), what, help });
    let named = policy.split.iter().map(|(target, _)| target).chain(policy.segments.values());
    for target in named.collect::<BTreeSet<_>>() {
        if component.slots.contains_key(target) {
            let what = format!("{name}@{slot} leads to {target}, which leads on");
            return fail(what, format!("Name the slots behind {target} here instead"));
        }
        if !known.slots.contains_key(target) {
            let what = format!("{name} has no slot {target}");
            let there = known.slots.keys().map(Slot::as_str);
            let help = match nearest(target.as_str(), there, &mut BUDGET.clone()) {
                Some(near) => format!("Did you mean {near}?"),
                None => format!("Set it: slotctl tag set {name} {target} <version>"),
            };
            return fail(what, help);
        }
    }
    // The shares of a table with a mistake may add up to more than 100 %; its route is dropped
    // later.
    let shared = policy.split.iter().fold(0, |sum: u32, (_, weight)| sum.saturating_add(*weight));
    let mut targets = policy.split.clone();
    if policy.alias {
        return Ok(Route { targets, segments: policy.segments.clone() });
    }
    if known.slots.contains_key(slot) {
        // The own slot is a target even with a share of 0, so that an override can reach it.
        targets.push((slot.clone(), FULL_WEIGHT.saturating_sub(shared)));
    } else if shared != FULL_WEIGHT {
        let what = format!("{name}@{slot} has no version of its own for what is left");
        return fail(
            what,
            format!(
                "Let the shares add up to 100, or set the slot: slotctl tag set {name} {slot} <version>"
            ),
        );
    }
    Ok(Route { targets, segments: policy.segments.clone() })
}
