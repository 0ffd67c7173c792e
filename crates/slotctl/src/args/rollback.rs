//! The command line of `rollback`.

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::Version;
use clap_complete::ArgValueCandidates;
use endpoint::Endpoint;

use super::endpoint::EndpointParser;
use super::repo::RepoArgs;
use super::target::TargetArgs;
use crate::completion::{components, slots, versions};

/// The options of `rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The component
    #[arg(
        value_name = "TYPE/NAME", required_unless_present = "all",
        add = ArgValueCandidates::new(components)
    )]
    pub(crate) component: Option<ComponentName>,

    /// The slot, e.g. production
    #[arg(required_unless_present = "all", add = ArgValueCandidates::new(slots))]
    pub(crate) slot: Option<Slot>,

    /// Version to roll back to [default: the previous version of the slot]
    #[arg(long, value_name = "VERSION", add = ArgValueCandidates::new(versions))]
    pub(crate) to: Option<Version>,

    /// Slot whose version is bad: take its share and its segments from SLOT; SLOT itself is
    /// its own version
    #[arg(long, value_name = "SLOT", conflicts_with = "to", add = ArgValueCandidates::new(slots))]
    pub(crate) arm: Option<Slot>,

    /// Roll this slot of every component back to its previous version
    #[arg(
        long, value_name = "SLOT", conflicts_with_all = ["component", "slot", "to"],
        add = ArgValueCandidates::new(slots)
    )]
    pub(crate) all: Option<Slot>,

    /// With --all, only components of this type, e.g. prompts
    #[arg(long = "type", value_name = "TYPE", requires = "all")]
    pub(crate) of_type: Option<String>,

    /// Reason; recorded in the hold, the tag and the history
    #[arg(long, value_name = "TEXT", default_value = "Roll back")]
    pub(crate) reason: String,

    /// Address of a resolver; wait up to two minutes until it serves the version;
    /// RESOLVER_TOKEN is sent as read token, over https or to this machine only
    #[arg(long, value_name = "URL", value_parser = EndpointParser)]
    pub(crate) resolver: Option<Endpoint>,

    /// Show the changes and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

impl RollbackArgs {
    /// Returns the slot, of one component or of all.
    pub(crate) fn slot(&self) -> Option<&Slot> {
        self.slot.as_ref().or(self.all.as_ref())
    }
}

pub(super) const HELP: &str = "\
Examples:
  slotctl rollback prompts/extraction production --env production --reason leaks
      roll back to the previous version of production
  slotctl rollback prompts/extraction production --to v1.0.0 --env production \\
      --resolver https://components.example.com
      roll back to v1.0.0 and report after how many seconds it was served
  slotctl rollback prompts/extraction production --arm canary --env production
      take from canary the callers that production sends to it
  slotctl rollback --all production --type prompts --env production
      roll back production of every prompt
  slotctl rollback prompts/extraction production --local --dry-run

The slot's record in Workers KV is written first, with a hold that a sync respects.
Then the tag is moved and pushed. If the slot's own version goes back, so does that
of slots that route to it; shares and segments stay. If the version of an arm is
bad, the slot's own version gets the share of that arm, and rollouts.toml has to
follow: the commands are printed. Without --arm and --to, a rollback that could mean
both is refused. The first sync after Git agrees removes the hold. If the push
fails, the hold stays, and the commands that finish the rollback are printed.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";
