//! The slots and the drift as JSON.

use reconcile::plan::{Plan, Stage, Write, changes};
use serde_json::{Value, json};

use super::row::{Row, SlotState};
use crate::traffic::{change, traffic};

/// Returns a slot with its traffic and its state.
pub(super) fn slot(Row { name, record, state }: &Row<'_>) -> Value {
    let mut value = json!({
        "component": name,
        "slot": record.slot,
        "traffic": traffic(record),
        "hold": record.hold,
    });
    let more = match state {
        None => json!({ "state": "same" }),
        Some(SlotState::Untagged) => json!({ "state": "untagged" }),
        Some(SlotState::Held(held)) => {
            json!({ "state": "held", "wanted": held.wanted.as_ref().map(traffic) })
        }
        Some(SlotState::Drift(write)) => drifted(write),
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

/// Returns the changes that a sync would make.
pub(super) fn planned(plan: &Plan) -> Value {
    let pending = |stage: Stage| (stage.plural().to_owned(), json!(plan.stage(stage).count()));
    json!({
        "drift": plan.has_drift(),
        "pending": Stage::ALL.into_iter().map(pending).collect::<Value>(),
        "blocked": plan.blocked.as_ref().map(|notice| &notice.what),
    })
}

fn drifted(write: &Write) -> Value {
    let Write::Slot { record, before, .. } = write else { return json!({}) };
    json!({
        "state": if before.is_some() { "drift" } else { "new" },
        "wanted": traffic(record),
        "changes": changes(before.as_deref(), record).iter().map(change).collect::<Value>(),
    })
}
