//! The plan of one component: its versions, then its slots, then the records that list them.
//!
//! A component that needs more values from KV returns their keys. It is planned again from the
//! beginning after they were read.

mod author;
mod catalog_record;
mod draft;
mod ranges;
mod routes;
mod slots;
mod standing;
mod versions;

use super::actual::ActualComponent;
use crate::desired::DesiredComponent;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::FORMAT;
use notice::Notice;

use draft::ComponentDraft;
pub(super) use draft::{ComponentPlan, Rules};

/// The result of planning a component.
pub(super) enum ComponentOutcome {
    /// The keys whose values are needed first.
    Needs(Vec<Key>),
    /// The plan.
    Planned(Box<ComponentPlan>),
}

/// Plans one component.
pub(super) fn plan(
    name: &ComponentName,
    desired: &DesiredComponent,
    actual: &ActualComponent,
    rules: Rules<'_>,
) -> ComponentOutcome {
    let mut draft = ComponentDraft::new(name, desired, actual, rules);
    versions::plan(&mut draft);
    slots::plan(&mut draft);
    versions::plan_kept(&mut draft);
    versions::warn_of_unknown_revocations(&mut draft);
    if draft.is_open() {
        ranges::plan(&mut draft);
        catalog_record::plan(&mut draft);
    }
    if let Some((key, format)) = draft.newer {
        return ComponentOutcome::Planned(Box::new(frozen(&key, format)));
    }
    if !draft.needs.is_empty() {
        // Two slots on one refused version ask for the same commit's record.
        draft.needs.sort();
        draft.needs.dedup();
        return ComponentOutcome::Needs(draft.needs);
    }
    ComponentOutcome::Planned(Box::new(draft.part))
}

/// Returns the plan for a component with a record of a later format: it changes nothing.
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
