//! Explanations of a slot's decision, for people.

use serde::Serialize;
use vecmap::VecMap;

use crate::assign::{Assignment, Decision};
use crate::name::ComponentName;
use crate::record::{Arm, SlotRecord, Target};
use crate::resolution::{Selected, SelectedSlot};

/// An explanation of how a slot decided for a caller: the output of `?explain` and `slotctl
/// explain`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The component.
    pub component: String,
    /// The requested slot.
    pub slot: String,
    /// The rule that decided.
    pub assignment: Assignment,
    /// The point of the caller (0 to 99,999), if it decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<u32>,
    /// The slot whose version the caller gets.
    pub assigned_slot: String,
    /// The version.
    pub version: String,
    /// The override names a version that is not in the slot.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub override_ignored: bool,
    /// The targets in the order of assignment.
    pub targets: Vec<Boundaries>,
    /// The segments that are routed separately, and the slot of each.
    pub segments: VecMap<String, String>,
}

/// The range of points of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Boundaries {
    /// The slot of the version.
    pub slot: String,
    /// The version.
    pub version: String,
    /// The first point of the target.
    pub from: u32,
    /// The first point after the target.
    pub to: u32,
}

impl Explanation {
    /// Explains how a slot record led to the selected version.
    pub fn of(selected: &Selected, by: &SelectedSlot, record: &SlotRecord) -> Self {
        let arm = Arm { slot: by.slot.clone(), snapshot: selected.snapshot.clone() };
        let SelectedSlot { assignment, point, override_ignored, .. } = *by;
        let decision = Decision { arm: &arm, assignment, point, override_ignored };
        Self::of_decision(&selected.name, record, &decision)
    }

    /// Explains a decision of a slot.
    pub fn of_decision(name: &ComponentName, record: &SlotRecord, decision: &Decision<'_>) -> Self {
        let route = |(group, arm): (&String, &Arm)| (group.clone(), arm.slot.to_string());
        Self {
            component: name.to_string(),
            slot: record.slot.to_string(),
            assignment: decision.assignment,
            point: decision.point,
            assigned_slot: decision.arm.slot.to_string(),
            version: decision.arm.snapshot.version.to_string(),
            override_ignored: decision.override_ignored,
            targets: boundaries(record),
            segments: record.segments.iter().map(route).collect(),
        }
    }
}

/// Returns the range of points of each target, in the order of assignment.
pub fn boundaries(record: &SlotRecord) -> Vec<Boundaries> {
    let mut upper = 0;
    let boundaries = |target: &Target| {
        let from = upper;
        upper += target.weight;
        let Arm { slot, snapshot } = &target.arm;
        let (slot, version) = (slot.to_string(), snapshot.version.to_string());
        Boundaries { slot, version, from, to: upper }
    };
    record.targets.iter().map(boundaries).collect()
}
