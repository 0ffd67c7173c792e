//! The result of a release, as text and as JSON.

use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use super::refs::CheckedReference;
use super::setting::Setting;
use crate::args::ReleaseArgs;
use crate::exit::Exit;
use crate::output::Output;
use release::judge::{Finding, Observed};
use release::model::Id;
use release::percent::{Percent, Steps};
use release::progress::ReleaseProgress;

/// The outcome of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReleaseOutcome {
    /// The new version has all traffic.
    Released,
    /// The new version keeps this share of the traffic.
    Paused(Percent),
    /// A check failed, and the old version has all traffic again.
    Back,
    /// The old version has all traffic again, because the user asked for it.
    Aborted,
    /// There was nothing to do.
    Nothing,
    /// The plan was shown and not carried out.
    Planned,
}

impl ReleaseOutcome {
    fn name(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Paused(_) => "paused",
            Self::Back => "back",
            Self::Aborted => "aborted",
            Self::Nothing => "nothing",
            Self::Planned => "planned",
        }
    }

    fn exit(self) -> Exit {
        if self == Self::Back { Exit::Failed } else { Exit::Done }
    }
}

/// The report of a release.
pub(crate) struct ReleaseReport {
    began: Instant,
    worker: String,
    tag: Option<String>,
    pub(super) old: Option<Id>,
    pub(super) new: Option<Id>,
    steps: Option<Steps>,
    references: Vec<String>,
    /// The reason for the rollback.
    pub(crate) reason: Option<String>,
    share: Option<Percent>,
    events: Vec<Value>,
}

impl ReleaseReport {
    /// Creates the report of a release that has done nothing yet.
    pub(crate) fn new(worker: &str) -> Self {
        Self {
            began: Instant::now(),
            worker: worker.to_owned(),
            tag: None,
            old: None,
            new: None,
            steps: None,
            references: Vec::new(),
            reason: None,
            share: None,
            events: Vec::new(),
        }
    }

    /// Records the plan of the release.
    pub(crate) fn plan(
        &mut self,
        setting: &Setting<'_>,
        progress: &ReleaseProgress,
        refs: &[CheckedReference],
    ) {
        (self.old, self.new) = (Some(progress.old.clone()), progress.new_version().cloned());
        self.steps = Some(setting.steps.clone());
        // A version that was uploaded before may have another tag.
        self.tag = progress.new_version().is_none().then(|| setting.tag.clone());
        self.references = refs.iter().map(|known| known.text.clone()).collect();
    }

    pub(crate) fn uploaded(&mut self, new: &Id, began: Instant) {
        self.new = Some(new.clone());
        self.event(json!({ "event": "upload", "version": new.as_str() }), began);
    }

    pub(crate) fn deployed(&mut self, at: Percent, began: Instant) {
        self.share = Some(at);
        self.event(json!({ "event": "deploy", "percent": at.number() }), began);
    }

    pub(crate) fn checked(
        &mut self,
        at: Percent,
        observed: &Observed,
        findings: &[Finding],
        began: Instant,
    ) {
        self.share = Some(at);
        let finding = |finding: &Finding| json!({ "check": finding.check, "what": finding.what });
        let event = json!({
            "event": "check",
            "percent": at.number(),
            "observed": observed.value(),
            "findings": findings.iter().map(finding).collect::<Value>(),
        });
        self.event(event, began);
    }

    fn event(&mut self, mut event: Value, began: Instant) {
        if let Some(members) = event.as_object_mut() {
            members.insert("seconds".to_owned(), json!(began.elapsed().as_secs_f64()));
        }
        self.events.push(event);
    }

    /// Reports the outcome and returns the exit.
    pub(crate) fn end(
        self,
        args: &ReleaseArgs,
        outcome: ReleaseOutcome,
        output: &Output,
    ) -> Result<Exit> {
        let worker = &self.worker;
        let new = self.new.as_ref().map_or("", Id::as_str);
        match outcome {
            ReleaseOutcome::Released => {
                output.step("done", format_args!("{worker}: {new} is released"), self.began);
            }
            ReleaseOutcome::Paused(at) => {
                let text = format_args!("{worker}: {new} keeps {at} % of the traffic");
                output.step("pause", text, self.began);
                output.hint("run it again with --resume to continue, or with --abort to roll back");
            }
            ReleaseOutcome::Back => output.say("The release was rolled back."),
            ReleaseOutcome::Planned => output.say("Nothing done (--dry-run)."),
            ReleaseOutcome::Aborted | ReleaseOutcome::Nothing => {}
        }
        if args.json {
            output.data(outcome.exit(), &self.value(outcome))?;
        }
        Ok(outcome.exit())
    }

    fn value(&self, outcome: ReleaseOutcome) -> Value {
        let share = match outcome {
            ReleaseOutcome::Released => Some(Percent::ALL),
            ReleaseOutcome::Back | ReleaseOutcome::Aborted => Some(Percent::NONE),
            _ => self.share,
        };
        json!({
            "worker": self.worker,
            "tag": self.tag,
            "old": self.old.as_ref().map(Id::as_str),
            "new": self.new.as_ref().map(Id::as_str),
            "steps": self.steps.iter().flat_map(Steps::iter).map(Percent::number).collect::<Value>(),
            "references": self.references,
            "outcome": outcome.name(),
            "percent": share.map(Percent::number),
            "reason": self.reason,
            "events": self.events,
            "seconds": self.began.elapsed().as_secs_f64(),
        })
    }
}
