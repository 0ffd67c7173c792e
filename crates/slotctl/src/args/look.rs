//! The command lines that look at what there is: `status`, `history`, `verify`.

use catalog::name::ComponentName;
use catalog::slot::Slot;

use super::repo::RepoArgs;
use super::target::{PartArgs, TargetArgs};

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,

    #[command(flatten)]
    pub(crate) part: PartArgs,

    /// What Git says, without a look at KV
    #[arg(long, conflicts_with_all = ["local", "env", "check"])]
    pub(crate) offline: bool,

    /// Show only slots with this name (can be repeated); --check still judges all slots
    #[arg(long, value_name = "SLOT")]
    pub(crate) slot: Vec<Slot>,

    /// Show only slots that differ from Git
    #[arg(long, conflicts_with = "offline")]
    pub(crate) drift: bool,

    /// End with exit code 3 if KV is not what Git says
    #[arg(long)]
    pub(crate) check: bool,
}

/// Whose moves to show.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME")]
    pub(crate) component: ComponentName,

    /// One of its slots
    pub(crate) slot: Option<Slot>,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to read back.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,

    #[command(flatten)]
    pub(crate) part: PartArgs,
}

pub(super) const STATUS_HELP: &str = "\
Examples:
  slotctl status --env production
      every slot in KV: its version, its split, its hold, and what a sync would change
  slotctl status --env production --check
      end with 3 if KV is not what Git says: a sync would write, or a slot is on hold
  slotctl status --env production --drift
      only what differs from Git
  slotctl status --env production --slot production
      the production slot of every component
  slotctl status --local --only prompts/extraction --json
  slotctl status --offline
      what Git says, without a network

What differs is worked out by the plan that `slotctl sync` carries out.

Exit codes: 0 as it should be, 1 failed or something was refused, 2 usage, 3 drift (--check)";

pub(super) const HISTORY_HELP: &str = "\
Examples:
  slotctl history prompts/extraction --env production
      every move of every slot, the newest first
  slotctl history prompts/extraction production --local --json

The last 50 moves of each slot, as the catalog in Workers KV has them: what callers got,
also where a tag was moved twice since or a rollback went before Git.

Exit codes: 0 done, 1 failed, 2 usage";

pub(super) const VERIFY_HELP: &str = "\
Examples:
  slotctl verify --env production
      read everything back and compare it with its digest and with Git
  slotctl verify --local --only prompts/extraction --json

Slots lead to versions that are there, versions to contents that are there, contents are
what their digests say, catalogs and the index list what there is, and no version is
another than in Git. What a sync would write, and slots on hold, are drift.

Exit codes: 0 all is well, 1 failed or something is wrong, 2 usage, 3 drift";
