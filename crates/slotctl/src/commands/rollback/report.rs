//! The plan and the result of a rollback, as text and as JSON.

use std::time::Duration;

use anyhow::Result;
use notice::{Notice, printable};
use reconcile::plan::Write;
use reconcile::rollback::Rollback;
use serde_json::{Value, json};

use crate::args::RollbackArgs;
use crate::exit::Exit;
use crate::output::{Output, count};
use crate::source::Provenance;

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
        let finish = self.finish();
        if !finish.is_empty() {
            output.say(
                "The versions are served and on hold, the tags are not on the remote. To finish:",
            );
            finish.iter().for_each(|command| output.say(format_args!("  {command}")));
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

    /// Returns the commands that make Git agree with KV.
    fn finish(&self) -> Vec<String> {
        if self.unpushed.is_empty() {
            return Vec::new();
        }
        let repo = self.args.common.repo.as_os_str();
        let repo = match repo == "." {
            true => String::new(),
            false => format!(" --repo {}", quoted(&repo.to_string_lossy())),
        };
        let set = |rollback: &Rollback| {
            let Rollback { name, slot, to, .. } = rollback;
            format!("slotctl tag set {name} {slot} {}{repo}", to.snapshot.version)
        };
        let sets = self.rollbacks.iter().map(set);
        sets.chain([format!("slotctl push --tags --force{repo}")]).collect()
    }

    fn value(&self, finish: &[String]) -> Value {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let rollback = |rollback: &Rollback| {
            let slots = rollback.writes.iter().filter(|write| matches!(write, Write::Slot { .. }));
            json!({
                "component": rollback.name, "slot": rollback.slot,
                "from": rollback.from, "to": rollback.to.snapshot.version,
                "records": slots.map(|write| write.key().to_string()).collect::<Value>(),
            })
        };
        let done = self.took.slots.is_some();
        json!({
            "source": self.source.as_ref().map(Provenance::value),
            "dryRun": self.args.dry_run,
            "rollbacks": self.rollbacks.iter().map(rollback).collect::<Value>(),
            "refused": self.refused,
            "pushed": done && self.unpushed.is_empty(),
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

/// Quotes a word for a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => printable(format!("'{}'", text.replace('\'', r"'\''")).as_bytes()),
    }
}
