//! The state of a release in the active deployment, and the first action on it. Pure.

use std::time::{Duration, SystemTime};

use notice::{Notice, printable};

use crate::message::DeploymentMessage;
use crate::model::{Deployment, Id, WorkerVersion};
use crate::percent::{Percent, Steps};
use crate::progress::ReleaseProgress;

/// The number of latest versions that Cloudflare can deploy
/// (<https://developers.cloudflare.com/changelog/2025-09-11-increased-version-rollback-limit/>).
const DEPLOYABLE: u64 = 100;

/// The meaning of a deployment for a release.
#[derive(Clone, Debug, PartialEq)]
pub enum DeploymentState {
    /// One version has all of the traffic.
    Settled(Id),
    /// A release of this version ended and gave it all of the traffic.
    Released(Id),
    /// A release was given up; `old` has all of the traffic.
    Back {
        /// The version that has all of the traffic.
        old: Id,
        /// The version that was given up.
        new: Id,
        /// The reason, in a line.
        why: String,
    },
    /// A release is under way.
    Ramp(Ramp),
}

/// A release that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// The version before the release.
    pub old: Id,
    /// The version that is released.
    pub new: Id,
    /// Its share.
    pub at: Percent,
    /// The shares that it gets one after the other.
    pub steps: Steps,
    /// The time for which each share is watched.
    pub bake: Duration,
    /// The time since which `new` has this share.
    pub since: SystemTime,
}

/// Returns the meaning of a deployment for a release.
///
/// # Errors
///
/// If the traffic is split, but not by a release.
pub fn standing(deployment: &Deployment) -> Result<DeploymentState, Notice> {
    let message = deployment.message.parse::<DeploymentMessage>();
    match (deployment.versions.as_slice(), message) {
        ([(only, _)], Ok(DeploymentMessage::Released { new })) if new == *only => {
            Ok(DeploymentState::Released(new))
        }
        ([(only, _)], Ok(DeploymentMessage::Back { new, why })) if new != *only => {
            Ok(DeploymentState::Back { old: only.clone(), new, why })
        }
        ([(only, _)], _) => Ok(DeploymentState::Settled(only.clone())),
        ([a, b], Ok(DeploymentMessage::Step { new, at, steps, bake })) if a.0 != b.0 => {
            let (own, other) = if a.0 == new { (a, b) } else { (b, a) };
            // If somebody changed the shares since, the release does not control them.
            if own.0 != new || own.1 != at {
                return Err(foreign(deployment));
            }
            let since = deployment.created;
            Ok(DeploymentState::Ramp(Ramp { old: other.0.clone(), new, at, steps, bake, since }))
        }
        _ => Err(foreign(deployment)),
    }
}

/// The intent of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Begin a release.
    Start,
    /// Continue one.
    Resume,
    /// Give one up.
    Abort,
}

/// The first action of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Begin {
    /// Continue from here, with the settings of the earlier run, if any.
    Go(ReleaseProgress, Option<Ramp>),
    /// Give the release up.
    Back(Ramp),
    /// There is nothing to do.
    Nothing(String),
}

/// Decides on the first action from the user's intent, the active deployment and the latest
/// versions. `tag` is the tag of uploads from this checkout.
///
/// # Errors
///
/// The reason why the action is not possible.
pub fn begin(
    ask: Intent,
    active: &Deployment,
    versions: &[WorkerVersion],
    tag: &str,
) -> Result<Begin, Notice> {
    let standing = standing(active)?;
    match ask {
        Intent::Start => start(standing, versions),
        Intent::Resume => resume(standing, active, versions, tag),
        Intent::Abort => Ok(abort(standing)),
    }
}

fn start(standing: DeploymentState, versions: &[WorkerVersion]) -> Result<Begin, Notice> {
    match standing {
        DeploymentState::Settled(old)
        | DeploymentState::Released(old)
        | DeploymentState::Back { old, .. } => {
            still_deployable(&old, versions)?;
            Ok(Begin::Go(ReleaseProgress::start(old), None))
        }
        DeploymentState::Ramp(Ramp { new, at, .. }) => Err(notice(
            new.as_str(),
            format!("its release is in progress, at {at} %"),
            "run it with --resume to continue it, or with --abort to roll it back",
        )),
    }
}

/// Checks that the old version can still be deployed after the next upload.
fn still_deployable(old: &Id, versions: &[WorkerVersion]) -> Result<(), Notice> {
    let number = versions.iter().find(|version| version.id == *old).map(|version| version.number);
    let latest = versions.iter().map(|version| version.number).max();
    match (number, latest) {
        (Some(number), Some(latest)) if latest + 1 - number >= DEPLOYABLE => Err(notice(
            old.as_str(),
            format!(
                "{} versions were uploaded since: Cloudflare deploys the last 100",
                latest - number
            ),
            "a release could not go back to it; deploy a later version first: \
             npx wrangler versions deploy <id>@100% --config <FILE> --env <NAME>",
        )),
        _ => Ok(()),
    }
}

fn resume(
    standing: DeploymentState,
    active: &Deployment,
    versions: &[WorkerVersion],
    tag: &str,
) -> Result<Begin, Notice> {
    let (old, refusal) = match standing {
        DeploymentState::Ramp(ramp) => {
            let Ramp { old, new, at, .. } = ramp.clone();
            return Ok(Begin::Go(ReleaseProgress::deployed(old, new, at), Some(ramp)));
        }
        DeploymentState::Released(new) => (new, None),
        DeploymentState::Back { old, new, why } => {
            let what = format!("its release was rolled back ({why}), {old} has all traffic");
            let refusal = notice(new.as_str(), what, "start a new one: run it without --resume");
            (old, Some(refusal))
        }
        DeploymentState::Settled(old) => {
            let what = "it has all traffic and no release is in progress".to_owned();
            let refusal = notice(old.as_str(), what, "start one: run it without --resume");
            (old, Some(refusal))
        }
    };
    match (uploaded(active, versions, tag), refusal) {
        (Some(new), _) => Ok(Begin::Go(ReleaseProgress::uploaded(old, new.clone()), None)),
        (None, Some(refusal)) => Err(refusal),
        (None, None) => Ok(Begin::Nothing(format!("{old} is already released"))),
    }
}

/// Finds a version that an earlier run uploaded but did not deploy: the latest version, from
/// this checkout, and later than the deployment.
fn uploaded<'a>(active: &Deployment, versions: &'a [WorkerVersion], tag: &str) -> Option<&'a Id> {
    let latest = versions.iter().max_by_key(|version| version.number)?;
    (latest.tag == tag && latest.created > active.created).then_some(&latest.id)
}

fn abort(standing: DeploymentState) -> Begin {
    match standing {
        DeploymentState::Ramp(ramp) => Begin::Back(ramp),
        DeploymentState::Settled(old)
        | DeploymentState::Released(old)
        | DeploymentState::Back { old, .. } => {
            Begin::Nothing(format!("no release is in progress, {old} has all traffic"))
        }
    }
}

fn foreign(active: &Deployment) -> Notice {
    let shares: Vec<String> =
        active.versions.iter().map(|(id, share)| format!("{share} % {id}")).collect();
    let by = match printable(active.author.as_bytes()) {
        author if author.is_empty() => "somebody else".to_owned(),
        author => author,
    };
    notice(
        active.id.as_str(),
        format!("{by} split the traffic ({}), and no release of slotctl did", shares.join(", ")),
        "give one version 100 % first, as whoever split it thinks right: \
         npx wrangler versions deploy <id>@100% --config <FILE> --env <NAME>",
    )
}

fn notice(subject: &str, what: String, help: &str) -> Notice {
    Notice { subject: subject.to_owned(), what, help: Some(help.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "db7cd8d3-4425-4fe7-8c81-01bf963b6067";
    const NEW: &str = "dc8dcd28-271b-4367-9840-6c244f84cb40";
    const THIRD: &str = "11111111-2222-4333-8444-555555555555";
    const STEP: &str =
        "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 at 10% of 1,10,100 for 60s";
    const DONE: &str = "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 done";
    const BACK: &str = "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 back: it was slow";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn deployment(versions: &[(&str, &str)], message: &str) -> Deployment {
        let share = |(id, share): &(&str, &str)| (id.parse().unwrap(), share.parse().unwrap());
        Deployment {
            id: THIRD.parse().unwrap(),
            created: at(100),
            author: "ada@example.com".to_owned(),
            message: message.to_owned(),
            versions: versions.iter().map(share).collect(),
        }
    }

    fn version(id: &str, number: u64, created: u64, tag: &str) -> WorkerVersion {
        WorkerVersion { id: id.parse().unwrap(), number, created: at(created), tag: tag.to_owned() }
    }

    /// Returns a short description of the decision.
    fn came(ask: Intent, active: &Deployment, versions: &[WorkerVersion]) -> String {
        match begin(ask, active, versions, "v2") {
            Ok(Begin::Go(progress, ramp)) => {
                let set = ramp.map_or(String::new(), |ramp| {
                    format!(" of {} for {:?}", ramp.steps, ramp.bake)
                });
                format!("{progress}{set}")
            }
            Ok(Begin::Back(ramp)) => format!("back to {}", ramp.old.short()),
            Ok(Begin::Nothing(why)) => format!("nothing: {why}"),
            Err(notice) => format!("refused: {}: {}", notice.subject, notice.what),
        }
        .replace(OLD, "db7cd8d3")
        .replace(NEW, "dc8dcd28")
    }

    #[track_caller]
    fn comes(ask: Intent, versions: &[(&str, &str)], message: &str, expected: &str) {
        assert_eq!(came(ask, &deployment(versions, message), &[]), expected);
    }

    const SETTLED: (&[(&str, &str)], &str) = (&[(OLD, "100")], "Deploy bug fix.");
    const RAMP: (&[(&str, &str)], &str) = (&[(NEW, "10"), (OLD, "90")], STEP);
    const TURNED: (&[(&str, &str)], &str) = (&[(OLD, "90"), (NEW, "10")], STEP);
    const RELEASED: (&[(&str, &str)], &str) = (&[(NEW, "100")], DONE);
    const GIVEN_UP: (&[(&str, &str)], &str) = (&[(OLD, "100")], BACK);

    #[test]
    fn start_refuses_a_release_in_progress() {
        for ((versions, message), expected) in [
            (SETTLED, "db7cd8d3 → none"),
            (RELEASED, "dc8dcd28 → none"),
            (GIVEN_UP, "db7cd8d3 → none"),
            (RAMP, "refused: dc8dcd28: its release is in progress, at 10 %"),
        ] {
            comes(Intent::Start, versions, message, expected);
        }
    }

    #[test]
    fn resume_continues_only_a_release_in_progress() {
        let all = "db7cd8d3 has all traffic";
        let given_up =
            format!("refused: dc8dcd28: its release was rolled back (it was slow), {all}");
        for ((versions, message), expected) in [
            (RAMP, "db7cd8d3 → dc8dcd28 at 10 % of 1,10,100 for 60s"),
            (TURNED, "db7cd8d3 → dc8dcd28 at 10 % of 1,10,100 for 60s"),
            (RELEASED, "nothing: dc8dcd28 is already released"),
            (SETTLED, "refused: db7cd8d3: it has all traffic and no release is in progress"),
            (GIVEN_UP, &given_up),
        ] {
            comes(Intent::Resume, versions, message, expected);
        }
    }

    #[test]
    fn abort_reverts_only_a_release_in_progress() {
        let nothing = "nothing: no release is in progress, db7cd8d3 has all traffic";
        for ((versions, message), expected) in
            [(RAMP, "back to db7cd8d3"), (SETTLED, nothing), (GIVEN_UP, nothing)]
        {
            comes(Intent::Abort, versions, message, expected);
        }
    }

    #[test]
    fn splits_of_others_are_refused() {
        for (versions, message) in [
            (&[(NEW, "10"), (OLD, "90")][..], "by hand"),
            (&[(NEW, "0"), (OLD, "100")], ""),
            // A share other than that of the release, other versions, three versions.
            (&[(NEW, "20"), (OLD, "80")], STEP),
            (&[(THIRD, "10"), (OLD, "90")], STEP),
            (&[(NEW, "10"), (OLD, "80"), (THIRD, "10")], STEP),
            (&[(NEW, "10"), (OLD, "90")], DONE),
        ] {
            for ask in [Intent::Start, Intent::Resume, Intent::Abort] {
                let came = came(ask, &deployment(versions, message), &[]);
                assert!(came.contains("ada@example.com split the traffic ("), "{came}");
            }
        }
    }

    #[test]
    fn resume_continues_after_an_upload_without_a_deployment() {
        let settled = deployment(&[(OLD, "100")], "");
        let old = version(OLD, 7, 50, "v1");
        for (versions, goes_on) in [
            (vec![old.clone(), version(NEW, 8, 101, "v2")], true),
            // Uploaded before the deployment, from another checkout, not the latest.
            (vec![old.clone(), version(NEW, 8, 99, "v2")], false),
            (vec![old.clone(), version(NEW, 8, 101, "v1.9")], false),
            (vec![old.clone(), version(NEW, 8, 101, "v2"), version(THIRD, 9, 102, "")], false),
            (vec![], false),
        ] {
            let came = came(Intent::Resume, &settled, &versions);
            assert_eq!(came == "db7cd8d3 → dc8dcd28", goes_on, "{came}");
        }
        let done = deployment(&[(OLD, "100")], &DONE.replace(NEW, OLD));
        let versions = [old, version(NEW, 8, 101, "v2")];
        assert_eq!(came(Intent::Resume, &done, &versions), "db7cd8d3 → dc8dcd28");
    }

    #[test]
    fn start_refuses_if_the_deployed_version_is_too_old_for_a_rollback() {
        let settled = deployment(&[(OLD, "100")], "");
        for (latest, refused) in [(100, false), (101, true), (500, true)] {
            let versions = [version(OLD, 2, 50, ""), version(NEW, latest, 60, "")];
            let came = came(Intent::Start, &settled, &versions);
            assert_eq!(came.starts_with("refused"), refused, "{latest}: {came}");
        }
    }
}
