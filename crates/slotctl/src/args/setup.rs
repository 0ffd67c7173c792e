//! The command line of `setup`.

use std::path::PathBuf;

use clap_complete::ArgValueCandidates;

use crate::completion::environments;

/// The options of `setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct SetupArgs {
    /// The environment of the configuration to set up; "" is the top level
    #[arg(long, value_name = "NAME", required = true, add = ArgValueCandidates::new(environments))]
    pub(crate) env: String,

    /// Let everybody read; without it, readers need a token, which is created
    #[arg(long)]
    pub(crate) public: bool,

    /// Show the steps and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do not ask for confirmation (never asked without a terminal)
    #[arg(long, short)]
    pub(crate) yes: bool,

    /// The components repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// Registry of component paths (format of .edgit/components.json); takes precedence
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: Option<PathBuf>,

    /// The configuration of the Worker; by default the one that wrangler takes
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// How to call wrangler; by default that in node_modules beside the configuration or above it, else npx
    #[arg(long, value_name = "COMMAND", env = "SLOTCTL_WRANGLER")]
    pub(crate) wrangler: Option<String>,
}

pub(super) const HELP: &str = "\
Examples:
  slotctl setup --env production
      create what is missing in the account, deploy the Worker, and sync its KV
  slotctl setup --env production --dry-run
      show the steps as commands of wrangler and slotctl
  slotctl setup --env staging --public
      let everybody read

The steps: the namespaces SLOTS and COMPONENTS, found by their titles or created,
and their ids in the configuration; a read token; the first deployment; a sync; a
check of what was written. A step that is done already is left out, so a second run
after an error continues.

It needs `wrangler login`, or CLOUDFLARE_API_TOKEN with the permissions \"Workers
Scripts: Edit\" and \"Workers KV Storage: Edit\". A Worker that is deployed already is
not deployed again: `slotctl release` does that in steps.

Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift";
