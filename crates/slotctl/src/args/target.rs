//! The options that select Workers KV and components.

use std::path::PathBuf;

use catalog::name::ComponentName;
use clap_complete::ArgValueCandidates;

use crate::completion::{components, environments};

/// The options that select the namespaces.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// The KV of a running `wrangler dev`, not Cloudflare's; an address or a port
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = LOCAL_URL,
          value_parser = local_url)]
    pub(crate) local: Option<String>,

    /// The configuration of wrangler that binds SLOTS and COMPONENTS; by default the one that wrangler takes
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The environment of the configuration; by default CLOUDFLARE_ENV, "" is the top level
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(environments))]
    pub(crate) env: Option<String>,

    /// The id of the namespace SLOTS, if no configuration says it
    #[arg(long, value_name = "ID", env = "SLOTCTL_SLOTS_ID", hide_env_values = true)]
    pub(crate) slots_id: Option<String>,

    /// The id of the namespace COMPONENTS, if no configuration says it
    #[arg(long, value_name = "ID", env = "SLOTCTL_COMPONENTS_ID", hide_env_values = true)]
    pub(crate) components_id: Option<String>,

    /// The wrangler whose login is used; `None` for `SLOTCTL_WRANGLER`, else an installed one. No
    /// option: `setup` sets it to the wrangler that it calls itself.
    #[arg(skip)]
    pub(crate) wrangler: Option<String>,
}

impl TargetArgs {
    /// Tells if an option, or a variable in its place, names a target.
    pub(crate) fn is_given(&self) -> bool {
        let Self { local, config, env, slots_id, components_id, wrangler: _ } = self;
        config.is_some() || [local, env, slots_id, components_id].iter().any(|one| one.is_some())
    }
}

/// The options that select components.
#[derive(Debug, clap::Args)]
pub(crate) struct PartArgs {
    /// Only this component (can be repeated)
    #[arg(long, value_name = "TYPE/NAME", add = ArgValueCandidates::new(components))]
    pub(crate) only: Vec<ComponentName>,
}

pub(super) const LOCAL_URL: &str = "http://127.0.0.1:8787";

/// The address of a `wrangler dev`; a number is a port of this machine.
fn local_url(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(format!("http://127.0.0.1:{port}")),
        _ => Err("a port is a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_a_local_port() {
        assert_eq!(local_url("9300"), Ok("http://127.0.0.1:9300".to_owned()));
        assert_eq!(local_url("localhost:9300"), Ok("localhost:9300".to_owned()));
        for text in ["0", "65536", "99999999999"] {
            assert!(local_url(text).is_err(), "{text}");
        }
    }
}
