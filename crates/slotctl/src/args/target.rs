//! Which Workers KV.

use std::path::PathBuf;

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

pub(super) const LOCAL_URL: &str = "http://127.0.0.1:8787";
