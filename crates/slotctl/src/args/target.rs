//! Which Workers KV, and which part of it.

use std::path::PathBuf;

use catalog::name::ComponentName;

/// Where a command reads and writes.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// The KV of a running `wrangler dev`, not Cloudflare's
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = LOCAL_URL)]
    pub(crate) local: Option<String>,

    /// The wrangler.toml that names the namespaces SLOTS and COMPONENTS
    #[arg(long, value_name = "FILE", default_value = "wrangler.toml")]
    pub(crate) config: PathBuf,

    /// The environment of wrangler.toml
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
}

/// Which part of the repository and of KV.
#[derive(Debug, clap::Args)]
pub(crate) struct PartArgs {
    /// This component alone; nothing of others is read; may be given again
    #[arg(long, value_name = "TYPE/NAME")]
    pub(crate) only: Vec<ComponentName>,
}

pub(super) const LOCAL_URL: &str = "http://127.0.0.1:8787";
