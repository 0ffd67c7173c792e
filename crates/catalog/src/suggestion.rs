//! The suggestion in a refusal: the existing name that was probably meant.

use crate::nearest::{BUDGET, nearest};
use crate::refusal::Refusal;
use crate::slot::Slot;
use crate::version::Version;

/// Finds the existing name that is nearest to the unknown one: a component, a reference of it
/// with its name, or a type.
pub fn nearest_existing(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::ComponentUnknown(_, near) => near.as_ref().map(ToString::to_string),
        Refusal::TypeUnknown(_, near) => near.clone(),
        Refusal::SlotUnknown(name, slot, existing) => {
            let slots = existing.slots.iter().map(Slot::as_str);
            nearest(slot.as_str(), slots, &mut BUDGET.clone()).map(|near| format!("{name}@{near}"))
        }
        Refusal::VersionUnknown(name, version, existing) => {
            let versions: Vec<String> = existing.versions.iter().map(Version::to_string).collect();
            let versions = versions.iter().map(String::as_str);
            nearest(&version.to_string(), versions, &mut BUDGET.clone())
                .map(|near| format!("{name}@{near}"))
        }
        _ => None,
    }
}
