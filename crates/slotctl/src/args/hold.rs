//! The command line of `hold`.

use catalog::name::ComponentName;
use catalog::slot::Slot;
use clap_complete::ArgValueCandidates;

use super::repo::RepoArgs;
use super::target::{PartArgs, TargetArgs};
use crate::completion::{components, slots};

/// The options of `hold`.
#[derive(Debug, clap::Args)]
pub(crate) struct HoldArgs {
    #[command(subcommand)]
    pub(crate) command: HoldCommand,
}

/// The subcommands of `hold`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum HoldCommand {
    /// List the slots on hold, with what Git says and what ends the hold
    #[command(after_help = LIST_HELP)]
    List(HoldListArgs),
    /// Lift the hold of a slot: callers get what Git says
    #[command(after_help = LIFT_HELP)]
    Lift(HoldLiftArgs),
}

/// The options of `hold list`.
#[derive(Debug, clap::Args)]
pub(crate) struct HoldListArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,

    #[command(flatten)]
    pub(crate) part: PartArgs,
}

/// The options of `hold lift`.
#[derive(Debug, clap::Args)]
pub(crate) struct HoldLiftArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME", add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,

    /// The slot on hold
    #[arg(add = ArgValueCandidates::new(slots))]
    pub(crate) slot: Slot,

    /// Reason; recorded in the history
    #[arg(long, value_name = "TEXT", default_value = "Lift the hold")]
    pub(crate) reason: String,

    /// Show what would be served and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

pub(super) const HELP: &str = "\
Examples:
  slotctl hold list --env production
      show which slots are on hold, why, and what ends each hold
  slotctl hold lift prompts/extraction production --env production
      serve what Git says again

A rollback puts a slot on hold, and so does the sync that revokes its version. A
hold ends by itself when Git agrees with it, or has moved the slot since.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";

const LIST_HELP: &str = "\
Examples:
  slotctl hold list --env production
  slotctl hold list --local --only prompts/extraction --json

Exit codes: 0 done, whether or not there are holds, 1 failed, 2 usage";

const LIFT_HELP: &str = "\
Examples:
  slotctl hold lift prompts/extraction production --env production --dry-run
      show what callers would get
  slotctl hold lift prompts/extraction production --env production --reason fixed

Only Workers KV is written. The hold of a revoked version cannot be lifted: set the
slot to another version.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";
