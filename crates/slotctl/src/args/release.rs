//! The command line of `release`.

use std::path::PathBuf;
use std::time::Duration;

use super::endpoint::EndpointParser;
use super::target::TargetArgs;
use endpoint::Endpoint;
use release::percent::{Percent, Steps};

/// The options of `release`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// Address of the Worker for the checks; RESOLVER_TOKEN is sent as read token, over https or
    /// to this machine only
    #[arg(long, value_name = "URL", value_parser = EndpointParser, required_unless_present = "abort")]
    pub(crate) check_url: Option<Endpoint>,

    /// File of references to compare, one per line [default: up to 20 slots in Workers KV]
    #[arg(long, value_name = "FILE")]
    pub(crate) refs: Option<PathBuf>,

    /// Shares of the new version in percent, increasing; 100 is added if missing
    /// [default: 1,10,50,100]
    #[arg(long, value_name = "PERCENT,...")]
    pub(crate) steps: Option<Steps>,

    /// Time to observe each step: 30s, 5m, 1h [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = bake)]
    pub(crate) bake: Option<Duration>,

    /// Stop after the next step (the first is 0 %), or after the step PERCENT, and keep the split
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, conflicts_with = "abort")]
    pub(crate) pause: Option<Option<Percent>>,

    /// Continue a release that was paused or interrupted
    #[arg(long)]
    pub(crate) resume: bool,

    /// Roll back to the old version
    #[arg(long, conflicts_with_all = ["resume", "steps", "bake", "refs"])]
    pub(crate) abort: bool,

    /// Highest error rate to tolerate before rolling back, in percent
    #[arg(long, value_name = "PERCENT", default_value = "0.1")]
    pub(crate) max_error_rate: Percent,

    /// Roll back if the new version is slower by more than this factor
    #[arg(long, value_name = "RATIO", default_value = "1.5", value_parser = ratio)]
    pub(crate) max_slowdown: f64,

    /// Longest time for a deployment to reach all locations
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    pub(crate) max_spread: Duration,

    /// Start even if slots split their traffic between versions
    #[arg(long)]
    pub(crate) allow_split_slots: bool,

    /// Continue although the new version refuses less, or sends weaker headers
    #[arg(long)]
    pub(crate) allow_looser: bool,

    /// Show the steps and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do not ask for confirmation (never asked without a terminal)
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

/// Parses the time for a step. More than a month is taken for a typing error.
fn bake(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);
    let bake = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if bake <= LONGEST { Ok(bake) } else { Err("must be at most 31 days".to_owned()) }
}

fn ratio(text: &str) -> Result<f64, &'static str> {
    let ratio = text.parse().ok().filter(|ratio: &f64| ratio.is_finite() && *ratio >= 1.0);
    ratio.ok_or("expected a number of at least 1, for example 1.5")
}

pub(super) const HELP: &str = "\
Examples:
  slotctl release --env production --check-url https://example.com
      upload, check at 0 %, then 1, 10, 50 and 100 % of the traffic, 5 minutes each
  slotctl release --env staging --check-url URL --steps 50 --bake 30s
      with fewer and shorter steps
  slotctl release --env production --check-url https://example.com --pause
      upload, check at 0 % and pause
  slotctl release --env production --check-url URL --resume --pause 10
      continue up to 10 % and pause; running it twice changes nothing
  slotctl release --env production --abort
      roll back to the old version
  slotctl release --env production --check-url https://example.com --dry-run

At 0 % the new version is asked through Cloudflare-Workers-Version-Overrides, and so
is the old one: its version, /healthz, and every reference's status, bytes, ETag and
Component-* headers. Each is also asked without a token and with a wrong one: the
new version may not refuse less, nor send weaker headers (Cache-Control, Vary,
Content-Security-Policy, X-Content-Type-Options, WWW-Authenticate, CORS). Then each
step is watched: errors, latency, bytes, and who answers how often. If any check
fails, all traffic goes back to the old version.

Nothing is kept on this machine: after a crash, --resume and --abort take what they
need from the deployment at Cloudflare. A split that somebody else made is left
alone.

CLOUDFLARE_API_TOKEN needs the permissions \"Workers Scripts: Edit\" and \"Workers KV
Storage: Read\".

Exit codes: 0 released, paused or aborted, 1 went back, failed or refused, 2 usage";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bake_times_and_ratios_are_range_checked() {
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
