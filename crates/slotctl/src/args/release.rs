//! The command line of `release`.

use std::path::PathBuf;
use std::time::Duration;

use super::target::TargetArgs;
use release::percent::{Percent, Steps};

/// How to release the Worker.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// Where the Worker is asked; a read token comes from RESOLVER_TOKEN
    #[arg(long, value_name = "URL", required_unless_present = "abort")]
    pub(crate) check_url: Option<String>,

    /// References to compare, one a line; by default up to 20 of the slots in KV
    #[arg(long, value_name = "FILE")]
    pub(crate) refs: Option<PathBuf>,

    /// The new version's shares in percent, growing; 100 comes last, named or not
    /// [default: 1,10,50,100]
    #[arg(long, value_name = "PERCENT,...")]
    pub(crate) steps: Option<Steps>,

    /// How long each step is watched: 30s, 5m, 1h [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = bake)]
    pub(crate) bake: Option<Duration>,

    /// Stop after the next step (the first is 0 %), or after that of PERCENT, and leave the split
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, conflicts_with = "abort")]
    pub(crate) pause: Option<Option<Percent>>,

    /// Go on with a release that was paused or cut off
    #[arg(long)]
    pub(crate) resume: bool,

    /// Go back to the old version
    #[arg(long, conflicts_with_all = ["resume", "steps", "bake", "refs"])]
    pub(crate) abort: bool,

    /// Failed answers that are no reason to go back, in percent
    #[arg(long, value_name = "PERCENT", default_value = "0.1")]
    pub(crate) max_error_rate: Percent,

    /// Times the old version's latency that is no reason to go back
    #[arg(long, value_name = "RATIO", default_value = "1.5", value_parser = ratio)]
    pub(crate) max_slowdown: f64,

    /// How long a deployment may take to be everywhere
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    pub(crate) max_spread: Duration,

    /// Start also while slots send their callers to several versions
    #[arg(long)]
    pub(crate) allow_split_slots: bool,

    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do not ask; without a terminal nothing is asked
    #[arg(long, short)]
    pub(crate) yes: bool,

    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,

    /// The Worker's name, in place of that in the configuration
    #[arg(long, value_name = "WORKER")]
    pub(crate) name: Option<String>,

    /// How to call wrangler; by default that in node_modules beside the configuration or above it, else npx
    #[arg(long, value_name = "COMMAND", env = "SLOTCTL_WRANGLER")]
    pub(crate) wrangler: Option<String>,

    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// More than a month at one step is a slip of the pen.
fn bake(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);
    let bake = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if bake <= LONGEST { Ok(bake) } else { Err("a step takes a month at most".to_owned()) }
}

fn ratio(text: &str) -> Result<f64, &'static str> {
    let ratio = text.parse().ok().filter(|ratio: &f64| ratio.is_finite() && *ratio >= 1.0);
    ratio.ok_or("a ratio is a number from 1 on, such as 1.5")
}

pub(super) const HELP: &str = "\
Examples:
  slotctl release --env production --check-url https://components.example.com
      upload, check at 0 %, then 1, 10, 50 and 100 % of the traffic, 5 minutes each
  slotctl release --env staging --check-url https://staging.example.com --steps 50 --bake 30s
      more quickly
  slotctl release --env production --check-url https://components.example.com --pause
      upload, check at 0 % and leave it there
  slotctl release --env production --check-url https://components.example.com --resume --pause 10
      go on up to 10 % and leave it there; said twice, it goes no further
  slotctl release --env production --abort
      back to the old version
  slotctl release --env production --check-url https://components.example.com --dry-run

At 0 % the new version is asked through Cloudflare-Workers-Version-Overrides, and so is the
old one: its version, /healthz, and every reference's status, bytes, ETag and Component-*
headers. Then each step is watched: errors, latency, bytes, and who answers how often.
If any check fails, all traffic goes back to the old version.

Nothing is kept on this machine: after a crash, --resume and --abort take what they need
from the deployment at Cloudflare. A split that somebody else made is left alone.

CLOUDFLARE_API_TOKEN needs the permissions \"Workers Scripts: Edit\" and \"Workers KV
Storage: Read\".

Exit codes: 0 released, paused or aborted, 1 went back, failed or refused, 2 usage";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ratios() {
        assert_eq!(bake("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(bake("0s"), Ok(Duration::ZERO));
        for text in ["", "5", "-1s", "32days", "1000000years"] {
            assert!(bake(text).is_err(), "{text}");
        }
        assert_eq!(ratio("1.5"), Ok(1.5));
        for text in ["", "0.9", "NaN", "inf", "-2"] {
            assert!(ratio(text).is_err(), "{text}");
        }
    }
}
