//! The command lines that only read: `status`, `history`, `verify`.

use catalog::name::ComponentName;
use catalog::slot::Slot;
use clap_complete::ArgValueCandidates;

use super::repo::RepoArgs;
use super::target::{PartArgs, TargetArgs};
use crate::completion::{components, slots};

/// The options of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,

    #[command(flatten)]
    pub(crate) part: PartArgs,

    /// Show the state in Git; do not read Workers KV
    #[arg(long, conflicts_with_all = ["local", "env", "check"])]
    pub(crate) offline: bool,

    /// Show only slots with this name (can be repeated); --check still judges all slots
    #[arg(long, value_name = "SLOT", add = ArgValueCandidates::new(slots))]
    pub(crate) slot: Vec<Slot>,

    /// Show only slots that differ from Git
    #[arg(long, conflicts_with = "offline")]
    pub(crate) drift: bool,

    /// Exit with code 3 if KV is not what Git says: something to write, refused or on hold
    #[arg(long)]
    pub(crate) check: bool,
}

/// The options of `history`.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME", add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,

    /// Only this slot
    #[arg(add = ArgValueCandidates::new(slots))]
    pub(crate) slot: Option<Slot>,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// The options of `verify`.
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
      show the version, split and hold of every slot, and what a sync would change
  slotctl status --env production --check
      end with 3 if KV is not what Git says, or a slot is on hold
  slotctl status --env production --drift
      only what differs from Git
  slotctl status --env production --slot production
      the production slot of every component
  slotctl status --local --only prompts/extraction --json
  slotctl status --offline
      show the state in Git, without network access

The drift is the plan that `slotctl sync` would carry out.

Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift (--check)";

pub(super) const HISTORY_HELP: &str = "\
Examples:
  slotctl history prompts/extraction --env production
      show every change of every slot, newest first
  slotctl history prompts/extraction production --local --json

The moves are read from the catalog record in Workers KV, which keeps the last 50 of
each slot. They include moves that Git does not show, for example by a rollback.

Exit codes: 0 done, 1 failed, 2 usage";

pub(super) const VERIFY_HELP: &str = "\
Examples:
  slotctl verify --env production
      read everything and compare it with its digests and with Git
  slotctl verify --local --only prompts/extraction --json

Slots lead to versions that are there, versions to contents that are there, contents
are what their digests say, catalogs and the index list what there is, and no
version is another than in Git. What a sync would write, and slots on hold, are
drift.

Exit codes: 0 no findings, 1 failed or findings, 2 usage, 3 drift";
