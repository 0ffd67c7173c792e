//! The command line of `sync`.

use std::path::PathBuf;

use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::version::Version;

use super::repo::RepoArgs;
use super::target::{PartArgs, TargetArgs};

/// The options of `sync`.
#[derive(Debug, clap::Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) common: RepoArgs,

    #[command(flatten)]
    pub(crate) part: PartArgs,

    /// No effect: every sync goes by what the remote has now
    #[arg(long, hide = true)]
    pub(crate) fetch: bool,

    /// Delete slots and versions without a tag, and contents a day after they were last used
    #[arg(long)]
    pub(crate) prune: bool,

    /// Also read every record and content in Workers KV, and rewrite those that are damaged
    #[arg(long)]
    pub(crate) repair: bool,

    /// Allow the content of this version to change (can be repeated)
    #[arg(long, value_name = "TYPE/NAME@VERSION", value_parser = version)]
    pub(crate) allow_changed_version: Vec<(ComponentName, Version)>,

    /// Allow a sync that deletes over half of the slots and versions, or has nothing to serve
    #[arg(long)]
    pub(crate) allow_mass_delete: bool,

    /// Remove revocations and tables that rollouts.toml no longer contains
    #[arg(long)]
    pub(crate) allow_policy_removal: bool,

    /// Also write copies for Conductor to the namespace bound as CONDUCTOR
    #[arg(long, value_name = "LAYOUT", value_enum)]
    pub(crate) layout: Option<LayoutArg>,

    /// The id of the namespace CONDUCTOR, if no configuration says it
    #[arg(long, value_name = "ID", env = "SLOTCTL_CONDUCTOR_ID", hide_env_values = true)]
    pub(crate) conductor_id: Option<String>,

    /// Write even if KV was synced from a newer state of the repository
    #[arg(long)]
    pub(crate) allow_older: bool,

    /// Show the plan and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Exit with code 3 if KV is not what Git says: something to write, refused or on hold
    #[arg(long, requires = "dry_run")]
    pub(crate) check: bool,

    /// Append the plan and the result to this file as Markdown tables
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
}

/// The layouts of additional copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LayoutArg {
    /// For Workers that read from Workers KV with the Conductor runtime.
    Conductor,
}

fn version(text: &str) -> Result<(ComponentName, Version), &'static str> {
    match Key::parse(Namespace::Components, text) {
        Some(Key::Version(name, version)) => Ok((name, version)),
        _ => Err("expected a version such as prompts/extraction@v1.0.0"),
    }
}

pub(super) const HELP: &str = "\
Examples:
  slotctl sync --local --repo ../components
      fill the KV of `npm run dev` from a repository
  slotctl sync --env staging --dry-run
      show what would be written to Cloudflare for [env.staging]
  slotctl sync --env production --prune
      also delete what the remote has no tag of any more
  slotctl sync --env production --repair
      also rewrite records and contents that are not as they were written
  slotctl sync --env production --only prompts/extraction
      sync only one component
  slotctl sync --env production --layout conductor
      also write copies for Workers that still read with the Conductor runtime
  slotctl sync --env production --json > sync.json
      sync, and write the plan and the result as JSON
  slotctl sync --env production --summary \"$GITHUB_STEP_SUMMARY\"
      sync, and show the changes in the summary of a GitHub job
  slotctl sync --env production --dry-run --check
      exit with code 3 if KV differs from the tags

Without --local, log in with `npx wrangler login`, or set CLOUDFLARE_API_TOKEN
(permission \"Workers KV Storage: Edit\") and CLOUDFLARE_ACCOUNT_ID. Optional
variables: CLOUDFLARE_API_BASE_URL (address of the API, as for wrangler),
SLOTCTL_TIMEOUT (longest time without data from the API, in seconds; default 120)
and SLOTCTL_RETRIES (retries of a failed call; default 6, local 4).

What counts is the remote: its tags and the rollouts.toml of its default branch, as
they are now. No tag or branch of the clone is changed, whatever kind of clone it
is; what it lacks is fetched beside it. A repository without a remote goes by its
own refs, and so does any with --local-refs.

--prune with --only deletes no contents, because other components might use them.
The next complete sync with --prune deletes them.

Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift: with
--check, or while a hold keeps KV from what Git says";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_requires_a_component_and_a_version() {
        let (name, found) = version("prompts/extraction@v1.0.0").unwrap();
        assert_eq!(
            (name.to_string(), found.to_string()),
            ("prompts/extraction".into(), "v1.0.0".into())
        );
        for text in [
            "prompts/extraction",
            "v1.0.0",
            "prompts/extraction@production",
            "prompts/extraction@1.0",
        ] {
            assert!(version(text).is_err(), "{text}");
        }
    }
}
