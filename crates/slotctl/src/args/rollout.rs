//! The command lines of `rollout`, `explain` and `status`.

use std::path::PathBuf;

use catalog::assign;
use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::Version;
use clap_complete::ArgValueCandidates;

use super::repo::RepoArgs;
use super::target::TargetArgs;
use crate::completion::{components, slots, versions};

/// The options of `explain`.
#[derive(Debug, clap::Args)]
#[group(id = "callers", required = true, args = ["key", "keys"])]
pub(crate) struct ExplainArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME", add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,

    /// The requested slot
    #[arg(add = ArgValueCandidates::new(slots))]
    pub(crate) slot: Slot,

    /// Version key of the caller
    #[arg(long, value_name = "KEY", value_parser = version_key)]
    pub(crate) key: Option<String>,

    /// File of version keys, one per line; "-" is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) keys: Option<PathBuf>,

    /// Segment that the caller declares (can be repeated)
    #[arg(long = "segment", value_name = "NAME")]
    pub(crate) segments: Vec<String>,

    /// Version that the caller requests with an override
    #[arg(long, value_name = "VERSION", add = ArgValueCandidates::new(versions))]
    pub(crate) version: Option<Version>,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

/// The options of `rollout`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct RolloutArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RolloutCommand>,

    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// The subcommands of `rollout`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RolloutCommand {
    /// Show the callers whose version would change with the rollouts.toml of the work tree
    #[command(after_help = PLAN_HELP)]
    Plan(RolloutPlanArgs),
}

/// The options of `rollout plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct RolloutPlanArgs {
    /// Only this component [default: every component whose traffic changes]
    #[arg(value_name = "TYPE/NAME", add = ArgValueCandidates::new(components))]
    pub(crate) component: Option<ComponentName>,

    /// File of version keys, one per line; "-" is stdin [default: 10,000 generated keys]
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

/// A change of `rollouts.toml`.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME", required = true, add = ArgValueCandidates::new(components))]
    pub(crate) component: Option<ComponentName>,

    /// The slot whose traffic is split
    #[arg(required = true, add = ArgValueCandidates::new(slots))]
    pub(crate) slot: Option<Slot>,

    /// Slot that gets the callers; with --percent, --segment or --stop
    #[arg(long, value_name = "SLOT", add = ArgValueCandidates::new(slots))]
    pub(crate) to: Option<Slot>,

    /// Share of the callers in percent, at most three decimals; 0 keeps overrides possible
    #[arg(long, value_name = "N", requires = "to", value_parser = percent)]
    pub(crate) percent: Option<f64>,

    /// Send the callers of this segment to the slot instead of a share
    #[arg(long, value_name = "NAME", conflicts_with = "percent")]
    pub(crate) segment: Option<String>,

    /// Send all callers to this slot
    #[arg(
        long, value_name = "SLOT", conflicts_with_all = ["to", "percent", "segment"],
        add = ArgValueCandidates::new(slots)
    )]
    pub(crate) alias: Option<Slot>,

    /// Empty the table of the slot: all callers get its own version; with --to one target, with
    /// --segment one segment
    #[arg(long, conflicts_with_all = ["percent", "alias"])]
    pub(crate) stop: bool,

    /// Show the change and its effect on callers; write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// With --dry-run: file of version keys, one per line; "-" is stdin [default: 10,000
    /// generated keys]
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub(crate) keys: Option<PathBuf>,

    /// Commit the file
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) commit: bool,

    /// Message of the commit [default: a description of the change]
    #[arg(long, short, value_name = "TEXT", requires = "commit")]
    pub(crate) message: Option<String>,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

fn version_key(text: &str) -> Result<String, &'static str> {
    let why = "an empty key counts as no key: a request without one gets a random target";
    assign::version_key(text).ok_or(why)
}

/// Parses a share; whether it is in range is decided where `rollouts.toml` is read.
fn percent(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or("expected a percentage: a number from 0 to 100, such as 10 or 0.5")
}

const PLAN_HELP: &str = "\
Examples:
  slotctl rollout plan
      show how many of 10,000 generated callers would get another version
  slotctl rollout plan prompts/extraction --keys users.txt
      which of these callers would";

/// Examples for `rollout`.
pub(crate) const ROLLOUT_HELP: &str = "\
Examples:
  slotctl rollout prompts/extraction production --to canary --percent 10 --commit
      send 10 % of the callers of production to the version of canary
  slotctl rollout prompts/extraction production --to ring-1 --segment beta
      send the callers of segment beta to the version of ring-1
  slotctl rollout prompts/extraction live --alias green
      send all callers of live to the version of green
  slotctl rollout prompts/extraction production --stop --commit
      all callers get production's own version again
  slotctl rollout prompts/extraction production --to canary --percent 25 --dry-run
      show how many of 10,000 callers would get another version; write nothing
  slotctl rollout plan
      the same for a rollouts.toml that was edited manually

The change takes effect after it is committed to the default branch and synced.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";

/// Examples for `explain`.
pub(crate) const EXPLAIN_HELP: &str = "\
Examples:
  slotctl explain prompts/extraction production --key user-42 --env production
  slotctl explain prompts/extraction production --key user-42 --segment beta --json
  slotctl explain prompts/extraction production --keys users.txt > arms.tsv

What the tags and the rollouts.toml of the remote's default branch say is replayed.
If Workers KV has a hold for the slot, callers get what KV has: that is replayed,
and the hold is shown. Without a configured Workers KV, the command says that holds
are not known.

Exit codes: 0 done, 1 failed, 2 usage";
