//! The plan and the result as JSON: the object that `--json` prints.
//!
//! Members are added, never renamed or removed.

use std::time::Duration;

use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::SlotRecord;
use catalog::timestamp::Timestamp;
use notice::Notice;
use reconcile::plan::{Held, Plan, Stage, Write, changes, way_out};
use reconcile::tag::TagTarget;
use serde_json::{Value, json};

use super::outcome::SyncOutcome;
use crate::args::SyncArgs;
use crate::commands::hold::lift_command;
use crate::context::Session;
use crate::read::{LogicTag, Reading, Rollouts};
use crate::traffic::{change, traffic};

/// The session, the reading of Git and the plan of a sync.
pub(super) struct SyncReport<'a> {
    pub(super) session: &'a Session<'a, SyncArgs>,
    pub(super) reading: &'a Reading,
    pub(super) plan: &'a Plan,
}

impl SyncReport<'_> {
    /// Returns the object.
    pub(super) fn value(&self, outcome: &SyncOutcome, took: Duration) -> Value {
        json!({
            "dryRun": self.session.args.dry_run,
            "head": self.reading.head,
            "source": self.reading.source.provenance.value(),
            "rollouts": rollouts(&self.reading.rollouts),
            "target": {
                "kv": self.session.target.whose,
                "env": self.session.target.environment,
                "slots": self.session.target.ids.slots,
                "components": self.session.target.ids.components,
            },
            "plan": self.plan(),
            "result": {
                "written": by_stage(|stage| json!(outcome.written.get(&stage).unwrap_or(&0))),
                "deleted": outcome.deleted,
                "spared": keys(&outcome.spared),
                "bytes": outcome.bytes,
                "checked": keys(&outcome.checked),
                "calls": self.session.target.api.calls(),
                "seconds": took.as_secs_f64(),
            },
        })
    }

    fn plan(&self) -> Value {
        let Self { plan, reading, .. } = self;
        let writes = |stage| plan.stage(stage).map(write).collect::<Value>();
        let foreign = plan.foreign.iter();
        json!({
            "empty": plan.is_empty(),
            "writes": by_stage(writes),
            "deletions": keys(&plan.deletions),
            "kept": keys(&plan.kept),
            "unreferenced": plan.unreferenced.iter().map(unreferenced).collect::<Value>(),
            "blocked": plan.blocked.as_ref().map(|notice| notice.what.clone()),
            "held": plan.held.iter().map(held).collect::<Value>(),
            "refused": notices(&reading.refused, &plan.refused),
            "warnings": notices(&reading.warnings, &plan.warnings),
            "logic": reading.logic.iter().map(logic).collect::<Value>(),
            "foreign": foreign
                .map(|(namespace, key)| json!({ "namespace": namespace.binding(), "key": key }))
                .collect::<Value>(),
            "unchanged": plan.unchanged,
        })
    }
}

/// Returns the branch and commit that `rollouts.toml` was read from, and if it was found.
fn rollouts(rollouts: &Rollouts) -> Value {
    let branch = rollouts.branch.as_ref();
    json!({
        "branch": branch.map(|branch| &branch.name),
        "commit": branch.map(|branch| branch.commit.to_string()),
        "found": rollouts.text.is_some(),
    })
}

fn by_stage(value: impl Fn(Stage) -> Value) -> Value {
    Stage::ALL.into_iter().map(|stage| (stage.plural().to_owned(), value(stage))).collect()
}

fn keys(keys: &[Key]) -> Value {
    keys.iter().map(Key::to_string).collect()
}

fn write(write: &Write) -> Value {
    let key = write.key().to_string();
    match write {
        Write::Content { size, .. } => json!({ "key": key, "size": size }),
        Write::Version { record, before, .. } => json!({
            "key": key,
            "digest": record.snapshot.digest,
            "sha": record.snapshot.sha,
            "path": record.path,
            "new": before.is_none(),
        }),
        Write::Slot { record, before, .. } => json!({
            "key": key,
            "from": before.as_deref().and_then(SlotRecord::own_version),
            "to": record.own_version(),
            "changes": changes(before.as_deref(), record).iter().map(change).collect::<Value>(),
        }),
        Write::Unreferenced { since, .. } => json!({ "key": key, "since": since }),
        Write::Ranges { .. } | Write::Catalog { .. } | Write::Index { .. } => json!({ "key": key }),
    }
}

fn unreferenced((digest, since): (&Digest, &Timestamp)) -> Value {
    json!({ "key": Key::Content(*digest).to_string(), "since": since })
}

fn held(held: &Held) -> Value {
    json!({
        "key": Key::Slot(held.name.clone(), held.record.slot.clone()).to_string(),
        "version": held.record.own_version(),
        "wanted": held.wanted.as_ref().and_then(SlotRecord::own_version),
        "traffic": traffic(&held.record),
        "wantedTraffic": held.wanted.as_ref().map(traffic),
        "hold": held.record.hold,
        "end": way_out(held),
        "lift": lift_command(held),
    })
}

fn notices<'a>(first: &'a [Notice], second: &'a [Notice]) -> Vec<&'a Notice> {
    first.iter().chain(second).collect()
}

fn logic(tag: &LogicTag) -> Value {
    let (version, slot) = match &tag.target {
        TagTarget::Version(_) => (&tag.version, None),
        TagTarget::Slot(slot) => (&tag.version, Some(slot)),
    };
    json!({ "name": tag.name, "version": version, "slot": slot, "commit": tag.commit })
}
