//! The command lines of `rollout`, `explain` and `status`.

use std::path::PathBuf;

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::Version;

use super::repo::RepoArgs;

/// What to replay.
#[derive(Debug, clap::Args)]
#[group(id = "callers", required = true, args = ["key", "keys"])]
pub(crate) struct ExplainArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME")]
    pub(crate) component: ComponentName,

    /// The slot that is asked for
    pub(crate) slot: Slot,

    /// The caller's version key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,

    /// A file with one version key a line; "-" is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) keys: Option<PathBuf>,

    /// A segment that the caller declares; may be given again
    #[arg(long = "segment", value_name = "NAME")]
    pub(crate) segments: Vec<String>,

    /// A version that the caller asks for by an override
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<Version>,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

/// What to change, or `plan`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct RolloutArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RolloutCommand>,

    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// What `slotctl rollout` does beside a change.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RolloutCommand {
    /// Show who would move between the rollouts.toml that counts and the work tree's
    #[command(after_help = PLAN_HELP)]
    Plan(RolloutPlanArgs),
}

/// Whose moves to show.
#[derive(Debug, clap::Args)]
pub(crate) struct RolloutPlanArgs {
    /// One component; without it, every one whose traffic changes
    #[arg(value_name = "TYPE/NAME")]
    pub(crate) component: Option<ComponentName>,

    /// Version keys, one a line, in place of 10,000 generated ones; "-" is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

/// A change of `rollouts.toml`.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME", required = true)]
    pub(crate) component: Option<ComponentName>,

    /// The slot whose traffic is shared out
    #[arg(required = true)]
    pub(crate) slot: Option<Slot>,

    /// The slot that callers are sent to; with --percent, --segment or --stop
    #[arg(long, value_name = "SLOT")]
    pub(crate) to: Option<Slot>,

    /// The share of the callers, with at most three decimals; 0 leaves an override
    #[arg(long, value_name = "N", requires = "to", value_parser = percent)]
    pub(crate) percent: Option<f64>,

    /// Send the callers of this segment there, in place of a share
    #[arg(long, value_name = "NAME", conflicts_with = "percent")]
    pub(crate) segment: Option<String>,

    /// Send all callers to this slot
    #[arg(long, value_name = "SLOT", conflicts_with_all = ["to", "percent", "segment"])]
    pub(crate) alias: Option<Slot>,

    /// Take the slot's table out; with --to one arm, with --segment one segment
    #[arg(long, conflicts_with_all = ["percent", "alias"])]
    pub(crate) stop: bool,

    /// Show the change and who would move, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// With --dry-run, version keys in place of 10,000 generated ones; "-" is stdin
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub(crate) keys: Option<PathBuf>,

    /// Commit the file
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) commit: bool,

    /// The commit's message, in place of one that says what changes
    #[arg(long, short, value_name = "TEXT", requires = "commit")]
    pub(crate) message: Option<String>,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

/// Parses a share; whether it is in range is decided where `rollouts.toml` is read.
fn percent(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or("expected a percentage: a number from 0 to 100, such as 10 or 0.5")
}

const PLAN_HELP: &str = "\
Examples:
  slotctl rollout plan
      of 10,000 generated callers, how many would move where
  slotctl rollout plan prompts/extraction --keys users.txt
      which of these callers would";

/// Examples for `rollout`.
pub(crate) const ROLLOUT_HELP: &str = "\
Examples:
  slotctl rollout prompts/extraction production --to canary --percent 10 --commit
      10 % of production's callers get what canary points to
  slotctl rollout prompts/extraction production --to ring-1 --segment beta
      the callers of segment beta get what ring-1 points to
  slotctl rollout prompts/extraction live --alias green
      all callers of live get what green points to
  slotctl rollout prompts/extraction production --stop --commit
      all callers get production's own version again, after `slotctl sync --allow-policy-removal`
  slotctl rollout prompts/extraction production --to canary --percent 25 --dry-run
      who would move, of 10,000 callers; nothing is written
  slotctl rollout plan
      the same for a rollouts.toml that was edited by hand

It counts once it is committed on the default branch and `slotctl sync` ran.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";

/// Examples for `explain`.
pub(crate) const EXPLAIN_HELP: &str = "\
Examples:
  slotctl explain prompts/extraction production --key user-42
  slotctl explain prompts/extraction production --key user-42 --segment beta --json
  slotctl explain prompts/extraction production --keys users.txt > arms.tsv

What the tags and the rollouts.toml of the remote's default branch say is replayed;
nothing is asked of Workers KV.

Exit codes: 0 done, 1 failed, 2 usage";
