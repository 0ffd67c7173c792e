//! The plan and the result of a rollback, as text and as JSON.

use std::time::Duration;

use anyhow::Result;
use notice::Notice;
use reconcile::plan::{Write, take_out};
use reconcile::rollback::{Rollback, RollbackChange};
use serde_json::{Value, json};

use crate::args::RollbackArgs;
use crate::exit::Exit;
use crate::output::{Output, count};
use crate::source::Provenance;
use crate::traffic::percent;

/// The duration of each step that was completed.
#[derive(Debug, Default)]
pub(super) struct Took {
    /// The time until the slots' records were written; callers get the versions from then on.
    pub(super) slots: Option<Duration>,
    /// The time that it took to move and push the tags.
    pub(super) git: Option<Duration>,
    /// The time until the resolver served every version, counted from the write of the
    /// slots' records.
    pub(super) served: Option<Duration>,
}

/// The report of a rollback.
pub(super) struct RollbackReport<'a> {
    pub(super) args: &'a RollbackArgs,
    pub(super) rollbacks: &'a [Rollback],
    pub(super) refused: Vec<Notice>,
    /// The reasons why tags are not on the remote.
    pub(super) unpushed: Vec<Notice>,
    /// The versions that the resolver does not serve.
    pub(super) unserved: Vec<Notice>,
    pub(super) took: Took,
    /// The origin of the refs; `None` if the rollback failed before they were read.
    pub(super) source: Option<Provenance>,
}

impl<'a> RollbackReport<'a> {
    /// Creates the report of a command that has done nothing yet.
    pub(super) fn new(args: &'a RollbackArgs) -> Self {
        Self {
            args,
            rollbacks: &[],
            refused: Vec::new(),
            unpushed: Vec::new(),
            unserved: Vec::new(),
            took: Took::default(),
            source: None,
        }
    }

    /// Shows the planned change of every slot.
    pub(super) fn show(&self, output: &Output, skipped: &[Notice]) {
        for rollback in self.rollbacks {
            for write in &rollback.writes {
                if let Write::Slot { .. } = write {
                    output.say(format_args!("  ~ {write}, on hold"));
                }
            }
        }
        for Notice { subject, what, .. } in skipped {
            output.say(format_args!("  = {subject}: left, {what}"));
        }
        self.refused.iter().for_each(|notice| output.refusal(notice));
    }

    /// Reports the result and the commands that are left to run, and returns the exit.
    pub(super) fn end(&self, output: &Output) -> Result<Exit> {
        let exit = self.exit();
        if self.args.dry_run {
            let slots = count(self.rollbacks.len(), "slot");
            output.say(format_args!("{slots} to roll back, nothing done (--dry-run)"));
        }
        self.unpushed.iter().chain(&self.unserved).for_each(|notice| output.warning(notice));
        let is_pushed = self.unpushed.is_empty();
        let finish = if self.is_done() { self.finish(is_pushed) } else { Vec::new() };
        if !finish.is_empty() {
            output.say(self.left());
            let finish = finish.iter().map(|command| output.completed(command));
            finish.for_each(|command| output.say(format_args!("  {command}")));
        }
        if self.args.common.json {
            output.data(exit, &self.value(&finish))?;
        }
        Ok(exit)
    }

    fn exit(&self) -> Exit {
        let well = self.refused.is_empty() && self.unpushed.is_empty() && self.unserved.is_empty();
        if well { Exit::Done } else { Exit::Failed }
    }

    /// Tells if slots were rolled back in KV.
    fn is_done(&self) -> bool {
        self.took.slots.is_some()
    }

    /// Says what Git does not have yet.
    fn left(&self) -> &'static str {
        match self.unpushed.is_empty() {
            false => {
                "The versions are served and on hold, the tags are not on the remote. To finish:"
            }
            true => {
                "The shares are taken and on hold, rollouts.toml still has them. To finish, on the \
                 default branch:"
            }
        }
    }

    /// Returns the commands that make Git agree with KV, if the tags are pushed or not.
    pub(super) fn finish(&self, is_pushed: bool) -> Vec<String> {
        let (mut tags, mut policy) = (Vec::new(), Vec::new());
        for Rollback { name, slot, change, .. } in self.rollbacks {
            match change {
                RollbackChange::Version { to, .. } if !is_pushed => {
                    tags.push(format!("slotctl tag set {name} {slot} {}", to.snapshot.version));
                }
                RollbackChange::Version { .. } => {}
                RollbackChange::Share { hold, .. } => {
                    let arm = hold.arm().unwrap_or(slot);
                    policy.extend(take_out(name, slot, arm, hold));
                }
            }
        }
        let push = |commands: &[String], push: &str| {
            (!commands.is_empty()).then(|| push.to_owned()).into_iter().collect::<Vec<_>>()
        };
        tags.extend(push(&tags, "slotctl push --tags --force"));
        policy.extend(push(&policy, "slotctl push"));
        tags.into_iter().chain(policy).collect()
    }

    fn value(&self, finish: &[String]) -> Value {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        json!({
            "source": self.source.as_ref().map(Provenance::value),
            "dryRun": self.args.dry_run,
            "rollbacks": self.rollbacks.iter().map(value).collect::<Value>(),
            "refused": self.refused,
            "pushed": self.is_done() && self.unpushed.is_empty(),
            "unpushed": self.unpushed,
            "unserved": self.unserved,
            "finish": finish,
            "seconds": {
                "slots": seconds(self.took.slots),
                "git": seconds(self.took.git),
                "served": seconds(self.took.served),
            },
        })
    }
}

/// Returns a rollback as JSON. The members `arm`, `percent` and `segments` say what was taken
/// from an arm.
fn value(rollback: &Rollback) -> Value {
    let Rollback { name, slot, change, writes } = rollback;
    let slots = writes.iter().filter(|write| matches!(write, Write::Slot { .. }));
    let records: Value = slots.map(|write| write.key().to_string()).collect();
    match change {
        RollbackChange::Version { from, to } => json!({
            "component": name, "slot": slot, "from": from, "to": to.snapshot.version,
            "records": records,
        }),
        RollbackChange::Share { from, to, hold } => json!({
            "component": name, "slot": slot, "from": from, "to": to,
            "arm": hold.arm(), "percent": hold.weight.map(percent), "segments": hold.segments,
            "records": records,
        }),
    }
}
