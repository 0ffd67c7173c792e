//! How the Worker is released.

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

/// How to release.
pub(crate) struct Setting<'a> {
    pub(crate) args: &'a ReleaseArgs,
    /// What the new version is called.
    pub(crate) tag: String,
    pub(crate) subject: String,
    pub(crate) steps: Steps,
    pub(crate) bake: Duration,
    pub(crate) pause: Pause,
    pub(crate) limits: Thresholds,
    /// How long a deployment may take to be everywhere.
    pub(crate) spread: Duration,
}

/// What the command line and the checkout of the configuration say.
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
    /// What the command line leaves open is as the run before set it.
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

/// Where to stop, as the command line says it.
fn pause(pause: Option<Option<Percent>>) -> Pause {
    match pause {
        None => Pause::Never,
        Some(None) => Pause::Next,
        Some(Some(at)) => Pause::At(at),
    }
}
