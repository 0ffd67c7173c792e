//! The effect of a change of a slot record on callers, arm by arm.

use std::collections::BTreeMap;
use std::fmt;

use super::short::short;
use crate::policy::percent;
use catalog::record::{FULL_WEIGHT, PastArm, PastTarget, PastTraffic, SlotRecord};
use catalog::version::Version;

/// The slot and version of an arm, with its share of the callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmShare {
    /// The slot.
    pub slot: catalog::slot::Slot,
    /// The slot's version.
    pub version: Version,
    /// The share of the callers, in thousandths of a percent; `None` for a segment.
    pub weight: Option<u32>,
}

/// The change of one arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmChange {
    /// The segment, if the arm is the destination of one.
    pub segment: Option<String>,
    /// The arm before the change; `None` for a new arm.
    pub from: Option<ArmShare>,
    /// The arm after the change; `None` for a removed arm.
    pub to: Option<ArmShare>,
}

/// Returns the changes between two records of a slot: see [`traffic_changes`].
pub fn changes(before: Option<&SlotRecord>, now: &SlotRecord) -> Vec<ArmChange> {
    let before = before.map(PastTraffic::from);
    traffic_changes(before.as_ref(), &now.into())
}

/// Returns the changes between two moments of a slot: arms in the order of assignment, then
/// removed arms, then segments. Unchanged arms are left out.
pub fn traffic_changes(before: Option<&PastTraffic>, now: &PastTraffic) -> Vec<ArmChange> {
    let mut changes = targets(before, now);
    changes.extend(segments(before, now));
    changes.retain(|change| change.from != change.to);
    changes
}

fn targets(before: Option<&PastTraffic>, now: &PastTraffic) -> Vec<ArmChange> {
    let of = |PastTarget { slot, version, weight }: &PastTarget| ArmShare {
        slot: slot.clone(),
        version: version.clone(),
        weight: Some(*weight),
    };
    let was: Vec<ArmShare> = before.iter().flat_map(|traffic| &traffic.targets).map(of).collect();
    let is: Vec<ArmShare> = now.targets.iter().map(of).collect();
    if let ([from], [to]) = (was.as_slice(), is.as_slice()) {
        // Each record has one target with all of the traffic: this is one change.
        return vec![ArmChange { segment: None, from: Some(from.clone()), to: Some(to.clone()) }];
    }
    let find = |shares: &[ArmShare], of: &ArmShare| {
        shares.iter().find(|share| share.slot == of.slot).cloned()
    };
    let kept = is.iter().map(|to| (find(&was, to), Some(to.clone())));
    let gone =
        was.iter().filter(|from| find(&is, from).is_none()).map(|from| (Some(from.clone()), None));
    kept.chain(gone).map(|(from, to)| ArmChange { segment: None, from, to }).collect()
}

fn segments(before: Option<&PastTraffic>, now: &PastTraffic) -> Vec<ArmChange> {
    type Pair = (Option<ArmShare>, Option<ArmShare>);
    let of = |PastArm { slot, version }: &PastArm| ArmShare {
        slot: slot.clone(),
        version: version.clone(),
        weight: None,
    };
    let mut groups: BTreeMap<&String, Pair> = BTreeMap::new();
    for (group, arm) in before.iter().flat_map(|traffic| &traffic.segments) {
        groups.entry(group).or_default().0 = Some(of(arm));
    }
    for (group, arm) in &now.segments {
        groups.entry(group).or_default().1 = Some(of(arm));
    }
    let change =
        |(group, (from, to)): (&String, Pair)| ArmChange { segment: Some(group.clone()), from, to };
    groups.into_iter().map(change).collect()
}

impl fmt::Display for ArmShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.slot, short(&self.version))?;
        match self.weight {
            Some(weight) if weight != FULL_WEIGHT => write!(f, " {} %", percent(weight)),
            _ => Ok(()),
        }
    }
}

/// Formats a change: `canary v1.1.0 10 % → 25 %`, `canary v1.0.0 → v1.1.0 at 10 %`, `segment
/// beta: ring-0 v1.0.0 → ring-1 v1.1.0`.
impl fmt::Display for ArmChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.segment {
            write!(f, "segment {group}: ")?;
        }
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => moved(f, from, to),
            (None, Some(to)) => match to.weight {
                Some(weight) => {
                    write!(f, "{} {} 0 % → {} %", to.slot, short(&to.version), percent(weight))
                }
                None => write!(f, "{to}"),
            },
            (Some(from), None) => match from.weight {
                Some(weight) => {
                    write!(f, "{} {} {} % → none", from.slot, short(&from.version), percent(weight))
                }
                None => write!(f, "{from} → none"),
            },
            (None, None) => Ok(()),
        }
    }
}

fn moved(f: &mut fmt::Formatter<'_>, from: &ArmShare, to: &ArmShare) -> fmt::Result {
    let (was, is) = (short(&from.version), short(&to.version));
    let (Some(before), Some(now)) = (from.weight, to.weight) else {
        return write!(f, "{from} → {to}");
    };
    let (before, now) = (percent(before), percent(now));
    match (from.slot == to.slot, from.version == to.version, before == now) {
        (false, _, _) => write!(f, "{} {was} → {} {is}", from.slot, to.slot),
        (true, true, _) => write!(f, "{} {is} {before} % → {now} %", to.slot),
        (true, false, true) if to.weight == Some(FULL_WEIGHT) => {
            write!(f, "{} {was} → {is}", to.slot)
        }
        (true, false, true) => write!(f, "{} {was} → {is} at {now} %", to.slot),
        (true, false, false) => write!(f, "{} {was} {before} % → {is} {now} %", to.slot),
    }
}
