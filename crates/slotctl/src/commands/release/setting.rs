//! The settings of a release.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use git::Repository;
use notice::one_line;
use release::judge::Thresholds;
use release::percent::{Percent, Steps};
use release::progress::Pause;
use release::state::Ramp;

use crate::args::ReleaseArgs;

/// The longest tag and message of a version that Cloudflare keeps, in bytes.
const LONGEST_TAG: usize = 100;
const LONGEST_SUBJECT: usize = 1_000;

const BAKE: Duration = Duration::from_mins(5);

/// The settings of a release, from the command line and the checkout.
pub(crate) struct Setting<'a> {
    pub(crate) args: &'a ReleaseArgs,
    /// The tag of the new version.
    pub(crate) tag: String,
    pub(crate) subject: String,
    pub(crate) steps: Steps,
    pub(crate) bake: Duration,
    pub(crate) pause: Pause,
    pub(crate) limits: Thresholds,
    /// The longest time that a deployment may take to reach all locations.
    pub(crate) spread: Duration,
}

/// Reads the settings from the command line, and from the repository that contains the
/// configuration.
pub(super) fn setting<'a>(args: &'a ReleaseArgs, config: &Path) -> Result<Setting<'a>> {
    let (mut tag, mut subject) = (String::new(), String::new());
    if !args.abort {
        let dir = config.parent().filter(|dir| !dir.as_os_str().is_empty());
        let repository = Repository::open(dir.unwrap_or(Path::new(".")))?;
        tag =
            one_line(&git::describe::describe(&repository, &["components", "logic"])?, LONGEST_TAG);
        subject = one_line(&git::describe::subject(&repository)?, LONGEST_SUBJECT);
    }
    Ok(Setting {
        args,
        tag,
        subject,
        steps: args.steps.clone().unwrap_or_default(),
        bake: args.bake.unwrap_or(BAKE),
        pause: pause(args.pause),
        limits: Thresholds {
            error_rate: args.max_error_rate.fraction(),
            slowdown: args.max_slowdown,
        },
        spread: args.max_spread,
    })
}

impl Setting<'_> {
    /// Takes the steps and the bake time from the earlier run, unless the command line gives
    /// them.
    pub(super) fn take_over(&mut self, ramp: Option<&Ramp>) {
        let Some(ramp) = ramp else { return };
        if self.args.steps.is_none() {
            self.steps = ramp.steps.clone();
        }
        if self.args.bake.is_none() {
            self.bake = ramp.bake;
        }
    }
}

/// Converts the value of `--pause`.
fn pause(pause: Option<Option<Percent>>) -> Pause {
    match pause {
        None => Pause::Never,
        Some(None) => Pause::Next,
        Some(Some(at)) => Pause::At(at),
    }
}
