//! The command line of `rollback`.

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::Version;

use super::repo::RepoArgs;
use super::target::TargetArgs;

/// What to roll back.
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The component
    #[arg(value_name = "TYPE/NAME", required_unless_present = "all")]
    pub(crate) component: Option<ComponentName>,

    /// The slot, e.g. production
    #[arg(required_unless_present = "all")]
    pub(crate) slot: Option<Slot>,

    /// The version to go back to; by default the one that the slot was on before
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Version>,

    /// This slot of every component, each to the version that it was on before
    #[arg(long, value_name = "SLOT", conflicts_with_all = ["component", "slot", "to"])]
    pub(crate) all: Option<Slot>,

    /// With --all, of components of this type alone: prompts
    #[arg(long = "type", value_name = "TYPE", requires = "all")]
    pub(crate) of_type: Option<String>,

    /// Why; it stands in the hold, the tag and the history
    #[arg(long, value_name = "TEXT", default_value = "Roll back")]
    pub(crate) reason: String,

    /// A resolver's address, asked for up to two minutes until it serves the version; a
    /// read token comes from RESOLVER_TOKEN
    #[arg(long, value_name = "URL")]
    pub(crate) resolver: Option<String>,

    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

impl RollbackArgs {
    /// The slot, of one component or of all.
    pub(crate) fn slot(&self) -> Option<&Slot> {
        self.slot.as_ref().or(self.all.as_ref())
    }
}

pub(super) const HELP: &str = "\
Examples:
  slotctl rollback prompts/extraction production --env production --reason 'v1.1.0 leaks'
      to the version that production was on before
  slotctl rollback prompts/extraction production --to v1.0.0 --env production \\
      --resolver https://components.example.com
      to v1.0.0; says after how many seconds that was served
  slotctl rollback --all production --type prompts --env production
      every prompt's production
  slotctl rollback prompts/extraction production --local --dry-run

The slot's record in Workers KV comes first, with a hold that sync respects; then the tag
is moved and pushed. Shares and segments stay: of a split the slot's own version changes,
also where other slots send callers to it. Once Git agrees, the next sync lifts the hold.
If the push fails, the hold stays and the commands that finish the work are printed.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";
