//! Checks the new version at its current share: waits until the deployment has reached all
//! locations, asks both versions for the same references, and watches for a time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::probe::{Probe, Versions, component_path};
use super::protect;
use super::refs::CheckedReference;
use crate::output::{Output, count};
use notice::{Notice, Refused};
use release::judge::{Answered, Finding, Observed, OffShare, Thresholds};
use release::model::Id;
use release::percent::Percent;

/// The interval at which the spread of a deployment is checked.
const LOOK: Duration = Duration::from_millis(250);

/// The number of successful checks in a row after which a deployment counts as spread to all
/// locations.
const IN_A_ROW: usize = 3;

/// The smallest and the largest number of rounds of requests in a watch: the one is enough
/// for [`release::bound`] to tell a tenth of the traffic from none, the other small enough
/// for a Worker with a daily limit.
const FEWEST: u32 = 60;
const MOST: u32 = 2_000;
const PER_SECOND: f64 = 2.0;

/// The inputs of every check.
pub(crate) struct Checks<'a> {
    pub(crate) probe: &'a Probe,
    pub(crate) versions: Versions<'a>,
    pub(crate) refs: &'a [CheckedReference],
    pub(crate) limits: Thresholds,
    /// The longest time that a deployment may take to reach all locations.
    pub(crate) spread: Duration,
    /// The highest format of the records in KV.
    pub(crate) format: u64,
    /// True if the new version may protect its answers less.
    pub(crate) allow_looser: bool,
    pub(crate) output: &'a Output,
}

/// The share of the traffic that the new version has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepShare {
    pub(crate) at: Percent,
    /// The share at the step before.
    pub(crate) before: Percent,
    /// The time to watch.
    pub(crate) bake: Duration,
}

impl Checks<'_> {
    /// Runs all checks; returns the observations and the findings.
    pub(crate) fn run(&self, share: StepShare) -> (Observed, Vec<Finding>) {
        let mut observed = Observed::default();
        let first = self.reached().err().or_else(|| self.healthy().err());
        if let Some(finding) = first {
            return (observed, vec![finding]);
        }
        for CheckedReference { text, .. } in self.refs {
            // The time of the first response is not counted: caches are still cold.
            self.probe.compare(text, self.versions, &mut observed);
        }
        self.protected(&mut observed);
        let mut findings = observed.at_once(self.limits);
        if findings.is_empty() {
            findings = self.watch(share, &mut observed);
        }
        if findings.is_empty() {
            findings.extend(self.healthy().err());
        }
        (observed, findings)
    }

    /// Compares how far the versions protect their answers. With `--allow-looser`, what the new
    /// version protects less is only printed.
    fn protected(&self, observed: &mut Observed) {
        for finding in protect::compare(self.probe, self.refs, self.versions, observed) {
            if self.allow_looser && finding.check == protect::CHECK {
                let (subject, what) = (finding.check.to_owned(), finding.what);
                self.output.warning(&Notice { subject, what, help: None });
            } else {
                observed.different.push(finding);
            }
        }
    }

    /// Waits until version overrides reach both versions. Checks that the new version can read
    /// the format of the records in KV.
    fn reached(&self) -> Result<(), Finding> {
        let (began, mut row) = (Instant::now(), 0);
        let Versions { new, old } = self.versions;
        loop {
            match self.answers_as(new).and_then(|format| self.answers_as(old).map(|_| format)) {
                Ok(format) => {
                    self.reads(format)?;
                    row += 1;
                }
                Err(what) if began.elapsed() >= self.spread => {
                    let spread = humantime::format_duration(self.spread);
                    return Err(Finding::new("version", format!("after {spread}, {what}")));
                }
                Err(_) => row = 0,
            }
            if row >= IN_A_ROW {
                return Ok(());
            }
            if row == 0 {
                sleep(LOOK);
            }
        }
    }

    /// Asks a version, by an override, for the highest format of records that it reads.
    fn answers_as(&self, version: &Id) -> Result<u64, String> {
        match self.probe.version(Some(version)) {
            Ok((id, format)) if id == version.as_str() => Ok(format),
            Ok((id, _)) => Err(format!("{version} was asked, {id:?} answered")),
            Err(error) => Err(format!("{version} was asked: {error:#}")),
        }
    }

    fn reads(&self, format: u64) -> Result<(), Finding> {
        if format >= self.format {
            return Ok(());
        }
        let held = self.format;
        let what = format!("the new version reads records up to format {format}, KV holds {held}");
        Err(Finding::new("format", what))
    }

    fn healthy(&self) -> Result<(), Finding> {
        let Versions { new, old } = self.versions;
        let both = healthy(self.probe, new).and_then(|()| healthy(self.probe, old));
        both.map_err(|what| Finding::new("healthz", what))
    }

    /// Repeats requests for the time of the bake. If the share of the new version is too
    /// small, the deployment may not have reached all locations yet: the watch is then
    /// extended by up to the time that this may take.
    fn watch(&self, share: StepShare, observed: &mut Observed) -> Vec<Finding> {
        let rounds = (share.bake.as_secs_f64() * PER_SECOND) as u32;
        let rounds = rounds.clamp(FEWEST, MOST);
        // There is no bake time at 0 %: the meter shows rounds instead.
        let seconds = share.bake.as_secs() as usize;
        let meter = self.output.meter(if seconds == 0 { "rounds" } else { "baking, seconds" });
        meter.begin(if seconds == 0 { rounds as usize } else { seconds });
        let (began, mut refs) = (Instant::now(), self.refs.iter().cycle());
        // No upper bound: the share is judged after the last round, then every `FEWEST` rounds.
        for round in 0.. {
            if round >= rounds && (round - rounds).is_multiple_of(FEWEST) {
                match observed.off_share(share.at, share.before) {
                    Some((OffShare::Below, _)) if began.elapsed() < share.bake + self.spread => {
                        // Responses from before the spread do not count for the share.
                        observed.answered = Answered::default();
                    }
                    found => {
                        let off = found.map(|(_, finding)| finding);
                        return off.into_iter().chain(observed.slow(self.limits)).collect();
                    }
                }
            }
            let due = share.bake.mul_f64(f64::from(round.min(rounds)) / f64::from(rounds));
            sleep(due.saturating_sub(began.elapsed()));
            let Some(reference) = refs.next() else { break };
            self.round(reference, observed);
            let findings = observed.at_once(self.limits);
            if !findings.is_empty() {
                return findings;
            }
            meter.set(match seconds {
                0 => (round + 1).min(rounds) as usize,
                _ => began.elapsed().min(share.bake).as_secs() as usize,
            });
        }
        Vec::new()
    }

    /// Asks twice as a caller, and then compares the two versions.
    fn round(&self, reference: &CheckedReference, observed: &mut Observed) {
        for _ in 0..2 {
            self.caller(reference, observed);
        }
        let times = self.probe.compare(&reference.text, self.versions, observed);
        observed.times.extend(times);
    }

    /// Asks as a caller without a version override.
    fn caller(
        &self,
        CheckedReference { text, status }: &CheckedReference,
        observed: &mut Observed,
    ) {
        let answer = match self.probe.ask(&component_path(text), None) {
            Ok(answer) => answer,
            Err(error) => return observed.callers.add(Some(format!("{error:#}"))),
        };
        let failure = (answer.status != *status)
            .then(|| format!("{text}: status {}, not {status}", answer.status));
        let failed = failure.is_some();
        observed.callers.add(failure);
        match answer.header("Script-Version") {
            Some(by) if by == self.versions.new.as_str() => observed.answered.new += 1,
            Some(by) if by == self.versions.old.as_str() => observed.answered.old += 1,
            // The error page of an exception names no version.
            _ if failed => {}
            by => {
                let by = by.unwrap_or("none").to_owned();
                let what = format!("{text}: script version {by} answered, which is neither");
                observed.different.push(Finding::new("version", what));
            }
        }
    }
}

/// Waits until the deployed version answers under its own id, and checks that it is healthy.
///
/// # Errors
///
/// If it does not answer within `spread`, or is not healthy: the address may be that of
/// another Worker.
pub(crate) fn reachable(probe: &Probe, old: &Id, spread: Duration) -> Result<()> {
    let began = Instant::now();
    let problem = loop {
        let problem = match probe.version(Some(old)) {
            Ok((id, _)) if id == old.as_str() => break None,
            Ok((id, _)) => format!("script version {id:?} answers, and {old} is deployed"),
            Err(error) => format!("{error:#}"),
        };
        if began.elapsed() >= spread {
            break Some(problem);
        }
        sleep(LOOK);
    };
    let problem = problem.or_else(|| healthy(probe, old).err());
    problem.map_or(Ok(()), |problem| {
        let help = "check the address and the health of this Worker, then start again";
        bail!(Refused::new("--check-url", problem, help))
    })
}

/// Checks that `/healthz` of a version returns status 200, with [`IN_A_ROW`] attempts.
fn healthy(probe: &Probe, version: &Id) -> Result<(), String> {
    let mut problem = String::new();
    for _ in 0..IN_A_ROW {
        problem = match probe.ask("/healthz", Some(version)) {
            Ok(answer) if answer.status == 200 => return Ok(()),
            Ok(answer) => format!("/healthz of {version} answers with status {}", answer.status),
            Err(error) => format!("/healthz of {version}: {error:#}"),
        };
        sleep(LOOK);
    }
    Err(problem)
}

/// Describes the checks in one line.
pub(crate) fn summary(at: Percent, refs: usize, observed: &Observed) -> String {
    format!("{at} %: {observed}; {} the same", count(refs, "reference"))
}
