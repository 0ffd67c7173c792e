//! The transfer of the policy into the desired state.

use std::collections::BTreeSet;

use super::file::{MistakeScope, PolicyError, PolicyReading};
use super::routes::routes;
use crate::desired::{Desired, DesiredComponent, TrafficChange};
use catalog::name::ComponentName;
use catalog::slot::Slot;

/// Sets, for every component, the splits of its slots, the revoked versions, and what a mistake
/// leaves unchanged. `change` is the commit that changed the file last.
///
/// Returns all mistakes in the order of the lines, including those that show only in comparison
/// with the existing slots. A mistake affects only the slot that it concerns.
pub fn apply(
    reading: &PolicyReading,
    change: Option<&TrafficChange>,
    desired: &mut Desired,
) -> Vec<PolicyError> {
    let (routes, unroutable) = routes(&reading.policy, desired);
    for (name, component) in &mut desired.components {
        if let Some(policy) = reading.policy.components.get(name) {
            component.traffic.revoked = policy.revoked.clone();
            let gone = policy.slots.iter().filter(|(_, policy)| policy.gone_if_revoked);
            component.traffic.gone_if_revoked = gone.map(|(slot, _)| slot.clone()).collect();
        }
        component.traffic.routes = routes.get(name).cloned().unwrap_or_default();
        component.traffic.change = change.cloned();
    }
    let mut errors = reading.errors.clone();
    let broken: BTreeSet<(ComponentName, Slot)> = errors.iter().filter_map(slot_of).collect();
    // A slot whose table could not be read is reported once.
    let new = |error: &PolicyError| slot_of(error).is_none_or(|slot| !broken.contains(&slot));
    errors.extend(unroutable.into_iter().filter(new));
    errors.iter().for_each(|error| freeze(&error.scope, desired));
    errors.sort_by_key(|error| error.line);
    errors
}

fn slot_of(error: &PolicyError) -> Option<(ComponentName, Slot)> {
    match &error.scope {
        MistakeScope::Slot(name, slot) => Some((name.clone(), slot.clone())),
        _ => None,
    }
}

/// Leaves unchanged what a mistake concerns.
fn freeze(scope: &MistakeScope, desired: &mut Desired) {
    let concerned = |component: &mut DesiredComponent| match scope {
        MistakeScope::File | MistakeScope::Component(_) => {
            component.traffic.keep_splits = true;
            component.traffic.keep_revocations = true;
        }
        MistakeScope::Revoked(_) => component.traffic.keep_revocations = true,
        MistakeScope::Slot(_, slot) => {
            component.traffic.routes.remove(slot);
            component.traffic.frozen.insert(slot.clone());
        }
        MistakeScope::Nothing => {}
    };
    match scope {
        MistakeScope::File => desired.components.values_mut().for_each(concerned),
        MistakeScope::Component(name)
        | MistakeScope::Revoked(name)
        | MistakeScope::Slot(name, _) => {
            desired.components.get_mut(name).into_iter().for_each(concerned);
        }
        MistakeScope::Nothing => {}
    }
}
