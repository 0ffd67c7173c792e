//! The command line of `sync`.

use std::path::PathBuf;

use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::version::Version;

use super::repo::RepoArgs;
use super::target::{PartArgs, TargetArgs};

/// How to sync.
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

    /// Delete slots and versions without a tag; contents a day after the last of them
    #[arg(long)]
    pub(crate) prune: bool,

    /// Let this version's content change; may be given again
    #[arg(long, value_name = "TYPE/NAME@VERSION", value_parser = version)]
    pub(crate) allow_changed_version: Vec<(ComponentName, Version)>,

    /// Go on where there is nothing to serve, or over half of KV's slots and versions would go
    #[arg(long)]
    pub(crate) allow_mass_delete: bool,

    /// Remove revocations and tables that rollouts.toml no longer contains
    #[arg(long)]
    pub(crate) allow_policy_removal: bool,

    /// Also keep the copies that Conductor reads by itself, in the namespace bound as CONDUCTOR
    #[arg(long, value_name = "LAYOUT", value_enum)]
    pub(crate) layout: Option<LayoutArg>,

    /// The id of the namespace CONDUCTOR, if no configuration says it
    #[arg(long, value_name = "ID", env = "SLOTCTL_CONDUCTOR_ID", hide_env_values = true)]
    pub(crate) conductor_id: Option<String>,

    /// Write also where KV was synced from a newer state of the repository
    #[arg(long)]
    pub(crate) allow_older: bool,

    /// Show the plan and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// End with exit code 3 if there is anything to write
    #[arg(long, requires = "dry_run")]
    pub(crate) check: bool,

    /// Add tables of what was planned and done to the end of this file, as Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
}

/// Whose keys are written beside the resolver's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LayoutArg {
    /// The Conductor runtime's, for Workers that have not moved to the resolver yet.
    Conductor,
}

fn version(text: &str) -> Result<(ComponentName, Version), &'static str> {
    match Key::parse(Namespace::Components, text) {
        Some(Key::Version(name, version)) => Ok((name, version)),
        _ => Err("a version is named as in prompts/extraction@v1.0.0"),
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
  slotctl sync --env production --only prompts/extraction
      one component, quickly: nothing of the others is read or written
  slotctl sync --env production --layout conductor
      also write what Workers read that have not moved to the resolver yet
  slotctl sync --env production --json > sync.json
      write, and keep the plan and the result for machines
  slotctl sync --env production --summary \"$GITHUB_STEP_SUMMARY\"
      write, and show what changed on the page of a GitHub job
  slotctl sync --env production --dry-run --check
      end with 3 if KV is not what the tags say

Without --local, CLOUDFLARE_API_TOKEN (permission \"Workers KV Storage: Edit\") and
CLOUDFLARE_ACCOUNT_ID say who writes where; CLOUDFLARE_API_BASE_URL names another
address of the API, as for wrangler. SLOTCTL_TIMEOUT (seconds without a byte of an
answer, 120) and SLOTCTL_RETRIES (how often a failed call is made again: 6, local 4)
say how patient it is.

What counts is the remote: its tags and the rollouts.toml of its default branch, as they
are now. No tag or branch of the clone is changed, whatever kind of clone it is; what it
lacks is fetched beside it. A repository without a remote goes by its own refs, and so
does any with --local-refs.

--prune with --only deletes no contents: whether another component has the same is not
looked at. They go with a later sync of everything.

Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_with_its_component() {
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
