//! A slot's traffic as JSON, the same in every command's `--json`.

use catalog::record::{PastArm, PastTarget, PastTraffic, SlotRecord};
use reconcile::plan::{ArmChange, ArmShare};
use serde_json::{Value, json};

/// Returns everything that a slot's callers get.
pub(crate) fn traffic(record: &SlotRecord) -> Value {
    past_traffic(&record.into())
}

/// Returns everything that a slot's callers got at some time.
pub(crate) fn past_traffic(traffic: &PastTraffic) -> Value {
    let target = |PastTarget { slot, version, weight }: &PastTarget| json!({ "slot": slot, "version": version, "percent": percent(*weight) });
    let segment = |(group, PastArm { slot, version }): (&String, &PastArm)| {
        (group.clone(), json!({ "slot": slot, "version": version }))
    };
    json!({
        "targets": traffic.targets.iter().map(target).collect::<Value>(),
        "segments": traffic.segments.iter().map(segment).collect::<Value>(),
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
