//! A slot's traffic as JSON, the same in every command's `--json`.

use catalog::record::{Arm, SlotRecord, Target};
use reconcile::plan::{ArmChange, ArmShare};
use serde_json::{Value, json};

/// Returns everything that a slot's callers get.
pub(crate) fn traffic(record: &SlotRecord) -> Value {
    let arm = |arm: &Arm| json!({ "slot": arm.slot, "version": arm.snapshot.version });
    let target = |target: &Target| {
        let Arm { slot, snapshot } = &target.arm;
        json!({ "slot": slot, "version": snapshot.version, "percent": percent(target.weight) })
    };
    let segment = |(group, of): (&String, &Arm)| (group.clone(), arm(of));
    json!({
        "targets": record.targets.iter().map(target).collect::<Value>(),
        "segments": record.segments.iter().map(segment).collect::<Value>(),
    })
}

/// Converts thousandths of a percent to a percentage.
pub(crate) fn percent(weight: u32) -> f64 {
    f64::from(weight) / 1_000.0
}

/// Returns the change of one arm: its callers, and its shares before and after.
pub(crate) fn change(change: &ArmChange) -> Value {
    let share = |share: &ArmShare| {
        let percent = share.weight.map(percent);
        json!({ "slot": share.slot, "version": share.version, "percent": percent })
    };
    json!({
        "segment": change.segment,
        "from": change.from.as_ref().map(share),
        "to": change.to.as_ref().map(share),
        "words": change.to_string(),
    })
}
