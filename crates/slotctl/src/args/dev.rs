//! The command line of `dev`.

use std::path::PathBuf;

use clap_complete::ArgValueCandidates;

use crate::completion::environments;

/// The options of `dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// The port of the resolver on this machine
    #[arg(long, value_name = "PORT", default_value = "8787",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,

    /// The components repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// Registry of component paths (format of .edgit/components.json); takes precedence
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: Option<PathBuf>,

    /// The folder of the local Workers KV [default: .wrangler/state beside the configuration]
    #[arg(long, value_name = "DIR")]
    pub(crate) persist_to: Option<PathBuf>,

    /// The configuration of the Worker; by default the one that wrangler takes
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The environment of the configuration; by default CLOUDFLARE_ENV, "" is the top level
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(environments))]
    pub(crate) env: Option<String>,

    /// How to call wrangler; by default that in node_modules beside the configuration or above it, else npx
    #[arg(long, value_name = "COMMAND", env = "SLOTCTL_WRANGLER")]
    pub(crate) wrangler: Option<String>,
}

pub(super) const HELP: &str = "\
Examples:
  slotctl dev
      serve the components of this folder at http://127.0.0.1:8787
  slotctl dev --port 9000 --repo ../components
      serve another repository at another port

It runs `wrangler dev` with the Worker of the configuration, on a Workers KV on this
machine, and syncs that KV whenever a tag, a commit or a registry of paths changes.
It goes by the refs of this clone, whether they were pushed or not. The split of a
slot is the one in the committed rollouts.toml. Ctrl-C stops it; the KV is kept.";
