//! Carries out a release action by action; rolls back if a check fails.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, anyhow};

use super::check::{Checks, StepShare, summary};
use super::deploy::{Deployments, is_interfered};
use super::probe::{Probe, Versions};
use super::refs::CheckedReference;
use super::report::{ReleaseOutcome, ReleaseReport};
use super::setting::Setting;
use crate::args::ReleaseArgs;
use crate::interrupt;
use crate::output::Output;
use crate::output::leftover::Leftover;
use crate::quote::quoted;
use notice::{Notice, printable};
use release::judge::Finding;
use release::message::DeploymentMessage;
use release::model::Id;
use release::percent::Percent;
use release::progress::{Action, ReleaseProgress};
use release::state::Ramp;

/// A release in progress.
pub(crate) struct Drive<'a> {
    pub(crate) setting: &'a Setting<'a>,
    pub(crate) deployments: Deployments<'a>,
    pub(crate) probe: &'a Probe,
    pub(crate) refs: &'a [CheckedReference],
    /// The highest format of the records in KV.
    pub(crate) format: u64,
    pub(crate) progress: ReleaseProgress,
    /// The split that an earlier run left, until this run makes its first deployment.
    pub(crate) ramp: Option<Ramp>,
    pub(crate) output: &'a Output,
}

/// The result of an action that did not fail.
enum ActionResult {
    On,
    End(ReleaseOutcome),
    Wrong(Vec<Finding>),
}

impl Drive<'_> {
    /// Carries out actions until the release is done, paused or rolled back.
    ///
    /// # Errors
    ///
    /// If an action fails before the new version is in a deployment, if somebody else deployed
    /// meanwhile, or if the rollback fails.
    pub(crate) fn run(&mut self, report: &mut ReleaseReport) -> Result<ReleaseOutcome> {
        if let (true, Some(at)) = (self.progress.is_split(), self.progress.share()) {
            let what = format!("the split stays, {at} % for the new version");
            self.output.note_leftover(Some(self.leftover(what)));
        }
        loop {
            let action = self.progress.next(&self.setting.steps, self.setting.pause);
            match self.act(action, report) {
                Ok(ActionResult::On) => {}
                Ok(ActionResult::End(outcome)) => return Ok(outcome),
                Ok(ActionResult::Wrong(findings)) => return self.back(findings, report),
                Err(error) if self.progress.is_split() && !is_interfered(&error) => {
                    return self.back(vec![Finding::new("release", format!("{error:#}"))], report);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn act(&mut self, action: Action, report: &mut ReleaseReport) -> Result<ActionResult> {
        let began = Instant::now();
        match action {
            Action::Upload => {
                let Setting { tag, subject, .. } = self.setting;
                let new = self.deployments.wrangler.upload(tag, subject)?;
                self.output.step("upload", format_args!("{new} {tag}"), began);
                report.uploaded(&new, began);
                self.progress.set_uploaded(new);
            }
            Action::Deploy(at) => self.deploy(at, report)?,
            Action::Check(at) => {
                let findings = self.check(at, report)?;
                if !findings.is_empty() {
                    return Ok(ActionResult::Wrong(findings));
                }
                self.progress.set_checked();
            }
            Action::Finish => {
                let new = self.released()?;
                let message = DeploymentMessage::Released { new: new.clone() };
                self.deployments.make(&[(new.clone(), Percent::ALL)], &message)?;
                self.output.step("deploy", format_args!("{new} alone"), began);
                self.output.note_leftover(None);
                self.progress.set_alone(new);
            }
            Action::Pause(at) => return Ok(ActionResult::End(ReleaseOutcome::Paused(at))),
            Action::Done => return Ok(ActionResult::End(ReleaseOutcome::Released)),
        }
        Ok(ActionResult::On)
    }

    fn released(&self) -> Result<Id> {
        self.progress.new_version().cloned().ok_or_else(|| anyhow!("there is no new version"))
    }

    fn deploy(&mut self, at: Percent, report: &mut ReleaseReport) -> Result<()> {
        let (began, new, old) = (Instant::now(), self.released()?, self.progress.old.clone());
        let Setting { steps, bake, .. } = self.setting;
        let message =
            DeploymentMessage::Step { new: new.clone(), at, steps: steps.clone(), bake: *bake };
        let versions = [(new.clone(), at), (old.clone(), at.rest())];
        let what = format!("{at} % for {} were being deployed and may be", new.short());
        self.output.note_leftover(Some(self.leftover(what)));
        self.deployments.make(&versions, &message)?;
        let text = format!("{at} % {}, {} % {}", new.short(), at.rest(), old.short());
        self.output.note_leftover(Some(self.leftover(format!("the split stays, {text}"))));
        self.output.step("deploy", &text, began);
        report.deployed(at, began);
        self.progress.set_deployed(new, at);
        self.ramp = None;
        Ok(())
    }

    /// Describes the state after an interruption, with the commands that resume and abort the
    /// release.
    fn leftover(&self, what: String) -> Leftover {
        let args = self.setting.args;
        let resume = interrupt::this_command(&["--resume"]);
        Leftover { what, hints: vec![resume, abort_command(args)] }
    }

    fn check(&mut self, at: Percent, report: &mut ReleaseReport) -> Result<Vec<Finding>> {
        let (began, new) = (Instant::now(), self.released()?);
        let checks = Checks {
            probe: self.probe,
            versions: Versions { new: &new, old: &self.progress.old },
            refs: self.refs,
            limits: self.setting.limits,
            spread: self.setting.spread,
            format: self.format,
            allow_looser: self.setting.args.allow_looser,
            output: self.output,
        };
        let before = self.setting.steps.before(at);
        let (observed, findings) = checks.run(StepShare { at, before, bake: self.bake(at) });
        if findings.is_empty() {
            self.output.step("check", summary(at, self.refs.len(), &observed), began);
        }
        report.checked(at, &observed, &findings, began);
        Ok(findings)
    }

    /// Returns the time that a share must still be watched. It is zero at 0 %, because no
    /// callers are routed to the new version. The age of a split that an earlier run left
    /// counts as watched.
    fn bake(&self, at: Percent) -> Duration {
        let bake = self.setting.bake;
        match &self.ramp {
            _ if at == Percent::NONE => Duration::ZERO,
            Some(ramp) => {
                let past = SystemTime::now().duration_since(ramp.since).unwrap_or_default();
                bake.saturating_sub(past)
            }
            None => bake,
        }
    }

    fn back(
        &mut self,
        findings: Vec<Finding>,
        report: &mut ReleaseReport,
    ) -> Result<ReleaseOutcome> {
        for Finding { check, what } in &findings {
            self.output.finding(&notice(check, what));
        }
        let whys: Vec<String> = findings.iter().map(Finding::to_string).collect();
        let (new, why) = (self.released()?, whys.join("; "));
        go_back(&mut self.deployments, &self.progress.old, &new, &why, self.output)
            .with_context(|| format!("the rollback failed (reason for the rollback: {why})"))?;
        report.reason = Some(why);
        Ok(ReleaseOutcome::Back)
    }
}

/// Returns the command that gives all traffic to the old version again.
fn abort_command(args: &ReleaseArgs) -> String {
    let config = args.target.config.as_ref().map(|file| file.display().to_string());
    let options = [
        ("--env", args.target.env.clone()),
        ("--config", config),
        ("--name", args.name.clone()),
        ("--wrangler", args.wrangler.clone()),
    ];
    let own = std::env::args().next().unwrap_or_default();
    let given = options.into_iter().filter_map(|(option, value)| Some((option, value?)));
    let given = given.map(|(option, value)| format!(" {option} {}", quoted(&value)));
    format!("{} release --abort{}", quoted(&own), given.collect::<String>())
}

/// Gives all traffic to the old version. If that fails, it prints the command to do it
/// manually.
///
/// # Errors
///
/// The same as of [`Deployments::back`].
pub(crate) fn go_back(
    deployments: &mut Deployments<'_>,
    old: &Id,
    new: &Id,
    why: &str,
    output: &Output,
) -> Result<()> {
    let began = Instant::now();
    let gone = deployments.back(old, new, why);
    match &gone {
        Ok(()) => output.step("back", format_args!("100 % {old}"), began),
        Err(error) if is_interfered(error) => {}
        Err(_) => {
            output.say(format_args!("The new version still has traffic. To roll back manually:"));
            let words = format!("versions deploy {old}@100% --yes");
            output.say(format_args!("  {}", deployments.wrangler.by_hand(&words)));
        }
    }
    gone
}

/// Formats a finding for people.
fn notice(subject: &str, what: &str) -> Notice {
    let what = printable(what.as_bytes());
    Notice { subject: subject.to_owned(), what, help: None }
}
