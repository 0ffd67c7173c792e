//! The progress of a release and the next action. Pure: an interrupted run continues from the
//! state that Cloudflare has deployed.

use std::fmt;

use crate::model::Id;
use crate::percent::{Percent, Steps};

/// The progress of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseProgress {
    /// The version that had all of the traffic.
    pub old: Id,
    stage: ReleaseStage,
}

/// The state of the new version.
#[derive(Clone, Debug, PartialEq)]
enum ReleaseStage {
    /// It is not uploaded yet.
    Start,
    /// It is in no deployment.
    Uploaded { new: Id },
    /// It has a share, which has not been checked.
    Deployed { new: Id, share: Percent, by: Run },
    /// It has a share, and passed the checks at it.
    Checked { new: Id, share: Percent, by: Run },
    /// It is the only version of the deployment.
    Alone { new: Id },
}

/// The run that gave the new version its share.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Run {
    Earlier,
    This,
}

/// The next action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Upload the new version.
    Upload,
    /// Give it this share.
    Deploy(Percent),
    /// Check the new version at this share.
    Check(Percent),
    /// Leave it with this share.
    Pause(Percent),
    /// Take the old version out of the deployment.
    Finish,
    /// The release is finished.
    Done,
}

/// The point at which a run pauses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pause {
    /// It does not pause.
    Never,
    /// It pauses after the next step.
    Next,
    /// It pauses before a share above this one.
    At(Percent),
}

impl ReleaseProgress {
    /// Creates a release that has done nothing yet.
    pub fn start(old: Id) -> Self {
        Self { old, stage: ReleaseStage::Start }
    }

    /// Creates a release whose new version is uploaded and in no deployment.
    pub fn uploaded(old: Id, new: Id) -> Self {
        Self { old, stage: ReleaseStage::Uploaded { new } }
    }

    /// Creates a release that continues an earlier run, which gave the new version a share.
    /// That share has to be checked again.
    pub fn deployed(old: Id, new: Id, share: Percent) -> Self {
        Self { old, stage: ReleaseStage::Deployed { new, share, by: Run::Earlier } }
    }

    /// Returns the new version, once it is uploaded.
    pub fn new_version(&self) -> Option<&Id> {
        match &self.stage {
            ReleaseStage::Start => None,
            ReleaseStage::Uploaded { new }
            | ReleaseStage::Deployed { new, .. }
            | ReleaseStage::Checked { new, .. }
            | ReleaseStage::Alone { new } => Some(new),
        }
    }

    /// Tells if the new version is in the deployment together with the old one.
    pub fn is_split(&self) -> bool {
        matches!(self.stage, ReleaseStage::Deployed { .. } | ReleaseStage::Checked { .. })
    }

    /// Returns the share of the new version, or `None` if it is in no deployment.
    pub fn share(&self) -> Option<Percent> {
        match self.stage {
            ReleaseStage::Start | ReleaseStage::Uploaded { .. } => None,
            ReleaseStage::Deployed { share, .. } | ReleaseStage::Checked { share, .. } => {
                Some(share)
            }
            ReleaseStage::Alone { .. } => Some(Percent::ALL),
        }
    }

    /// Decides on the next action.
    pub fn next(&self, steps: &Steps, pause: Pause) -> Action {
        match self.stage {
            ReleaseStage::Start => Action::Upload,
            ReleaseStage::Uploaded { .. } => Action::Deploy(Percent::NONE),
            ReleaseStage::Deployed { share, .. } => Action::Check(share),
            ReleaseStage::Checked { share, by, .. } => match steps.after(share) {
                None => Action::Finish,
                Some(next) if stops(pause, next, by) => Action::Pause(share),
                Some(next) => Action::Deploy(next),
            },
            ReleaseStage::Alone { .. } => Action::Done,
        }
    }

    /// Records the upload of the new version.
    pub fn set_uploaded(&mut self, new: Id) {
        self.stage = ReleaseStage::Uploaded { new };
    }

    /// Records that this run gave the new version a share.
    pub fn set_deployed(&mut self, new: Id, share: Percent) {
        self.stage = ReleaseStage::Deployed { new, share, by: Run::This };
    }

    /// Records that the new version passed the checks at its share.
    pub fn set_checked(&mut self) {
        if let ReleaseStage::Deployed { new, share, by } = &self.stage {
            self.stage = ReleaseStage::Checked { new: new.clone(), share: *share, by: *by };
        }
    }

    /// Records that the old version is out of the deployment.
    pub fn set_alone(&mut self, new: Id) {
        self.stage = ReleaseStage::Alone { new };
    }
}

fn stops(pause: Pause, next: Percent, by: Run) -> bool {
    match pause {
        Pause::Never => false,
        Pause::Next => by == Run::This,
        Pause::At(last) => next > last,
    }
}

impl fmt::Display for ReleaseProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.old.short(), self.new_version().map_or("none", Id::short))?;
        self.share().map_or(Ok(()), |at| write!(f, " at {at} %"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;

    use super::*;
    use crate::message::DeploymentMessage;
    use crate::model::{Deployment, WorkerVersion};
    use crate::state::{Begin, Intent, begin};

    const OLD: &str = "db7cd8d3-4425-4fe7-8c81-01bf963b6067";
    const NEW: &str = "dc8dcd28-271b-4367-9840-6c244f84cb40";
    const BAKE: Duration = Duration::from_mins(1);

    fn id(text: &str) -> Id {
        text.parse().unwrap()
    }

    /// The state that Cloudflare keeps.
    struct Cloudflare {
        active: Deployment,
        versions: Vec<WorkerVersion>,
        seen: Vec<String>,
        clock: u64,
    }

    impl Cloudflare {
        fn new() -> Self {
            let active = Deployment {
                id: id(OLD),
                created: SystemTime::UNIX_EPOCH,
                author: String::new(),
                message: "by hand".to_owned(),
                versions: vec![(id(OLD), Percent::ALL)],
            };
            let versions = vec![WorkerVersion {
                id: id(OLD),
                number: 1,
                created: SystemTime::UNIX_EPOCH,
                tag: "v1".to_owned(),
            }];
            Self { active, versions, seen: vec![], clock: 0 }
        }

        fn tick(&mut self) -> SystemTime {
            self.clock += 1;
            SystemTime::UNIX_EPOCH + Duration::from_secs(self.clock)
        }

        fn deploy(&mut self, versions: Vec<(Id, Percent)>, message: &DeploymentMessage) {
            assert!(versions.len() <= 2);
            let shown = versions.iter().map(|(id, share)| format!("{}@{share}", id.short()));
            self.seen.push(shown.collect::<Vec<_>>().join(" "));
            self.active = Deployment {
                created: self.tick(),
                message: message.to_string(),
                versions,
                ..self.active.clone()
            };
        }
    }

    /// Performs one run that is killed after `calls` calls. Returns its last action if it ended
    /// before.
    fn run(cloud: &mut Cloudflare, ask: Intent, pause: Pause, mut calls: usize) -> Option<Action> {
        let (mut progress, ramp) = match begin(ask, &cloud.active, &cloud.versions, "v2").unwrap() {
            Begin::Go(progress, ramp) => (progress, ramp),
            Begin::Nothing(_) => return Some(Action::Done),
            Begin::Back(_) => unreachable!(),
        };
        let steps = ramp.map_or(Steps::default(), |ramp| ramp.steps);
        loop {
            let action = progress.next(&steps, pause);
            match action {
                Action::Pause(_) | Action::Done => return Some(action),
                Action::Check(_) => progress.set_checked(),
                _ => {
                    calls = calls.checked_sub(1)?;
                    call(cloud, &mut progress, &steps, action);
                }
            }
        }
    }

    /// Performs the call of wrangler for an action.
    fn call(cloud: &mut Cloudflare, progress: &mut ReleaseProgress, steps: &Steps, action: Action) {
        let (new, old) = (progress.new_version().cloned().unwrap_or(id(NEW)), progress.old.clone());
        match action {
            Action::Upload => {
                let (created, number) = (cloud.tick(), cloud.versions.len() as u64 + 1);
                let tag = "v2".to_owned();
                cloud.versions.push(WorkerVersion { id: new.clone(), number, created, tag });
                progress.set_uploaded(new);
            }
            Action::Deploy(at) => {
                let steps = steps.clone();
                let message = DeploymentMessage::Step { new: new.clone(), at, steps, bake: BAKE };
                cloud.deploy(vec![(new.clone(), at), (old, at.rest())], &message);
                progress.set_deployed(new, at);
            }
            Action::Finish => {
                cloud.deploy(
                    vec![(new.clone(), Percent::ALL)],
                    &DeploymentMessage::Released { new: new.clone() },
                );
                progress.set_alone(new);
            }
            Action::Check(_) | Action::Pause(_) | Action::Done => unreachable!(),
        }
    }

    const WHOLE: [&str; 6] = [
        "dc8dcd28@0 db7cd8d3@100",
        "dc8dcd28@1 db7cd8d3@99",
        "dc8dcd28@10 db7cd8d3@90",
        "dc8dcd28@50 db7cd8d3@50",
        "dc8dcd28@100 db7cd8d3@0",
        "dc8dcd28@100",
    ];

    #[test]
    fn a_release_increases_its_share_step_by_step() {
        let mut cloud = Cloudflare::new();
        assert_eq!(run(&mut cloud, Intent::Start, Pause::Never, 99), Some(Action::Done));
        assert_eq!(cloud.seen, WHOLE);
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::Never, 99), Some(Action::Done));
        assert_eq!(cloud.seen, WHOLE, "a resume of what is done does nothing");
    }

    #[test]
    fn resume_finishes_a_killed_release() {
        // Before the upload there is nothing to continue.
        for calls in 1..=WHOLE.len() {
            let mut cloud = Cloudflare::new();
            assert_eq!(run(&mut cloud, Intent::Start, Pause::Never, calls), None);
            assert_eq!(run(&mut cloud, Intent::Resume, Pause::Never, 99), Some(Action::Done));
            assert_eq!(cloud.seen, WHOLE, "killed after {calls} calls");
        }
    }

    #[test]
    fn a_release_pauses_at_the_requested_share() {
        let percent = |text: &str| text.parse::<Percent>().unwrap();
        let (mut cloud, pause) = (Cloudflare::new(), |at| Some(Action::Pause(percent(at))));
        assert_eq!(run(&mut cloud, Intent::Start, Pause::Next, 99), pause("0"));
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::At(percent("0")), 99), pause("0"));
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::Next, 99), pause("1"));
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::At(percent("10")), 99), pause("10"));
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::At(percent("10")), 99), pause("10"));
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::At(percent("49")), 99), pause("10"));
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::Next, 99), pause("50"));
        // With all of the traffic there is nothing to wait for.
        assert_eq!(run(&mut cloud, Intent::Resume, Pause::Next, 99), Some(Action::Done));
        assert_eq!(cloud.seen, WHOLE);
    }

    proptest! {
        #[test]
        fn killed_and_paused_releases_make_the_same_calls(runs in prop::collection::vec((0usize..4, 0u8..3), 1..20)) {
            let mut cloud = Cloudflare::new();
            run(&mut cloud, Intent::Start, Pause::Never, 1);
            for (calls, pause) in runs {
                let pause = [Pause::Never, Pause::Next, Pause::At(Percent::NONE)][usize::from(pause)];
                run(&mut cloud, Intent::Resume, pause, calls);
                prop_assert_eq!(&cloud.seen[..], &WHOLE[..cloud.seen.len()]);
            }
            prop_assert_eq!(run(&mut cloud, Intent::Resume, Pause::Never, 99), Some(Action::Done));
            prop_assert_eq!(&cloud.seen[..], &WHOLE[..]);
        }
    }
}
