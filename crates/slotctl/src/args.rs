//! The command line.

mod push;
mod rollout;
mod tag;

use std::path::PathBuf;

use catalog::access::{Scope, ScopeError};
use clap::{Parser, Subcommand};

pub(crate) use push::PushArgs;
pub(crate) use rollout::{
    ChangeArgs, ExplainArgs, RepoArgs, RolloutArgs, RolloutCommand, RolloutPlanArgs,
};
pub(crate) use tag::{BumpArgs, CreateArgs, DeleteArgs, ListArgs, SetArgs, ShowArgs};
pub(crate) use tag::{CommonArgs, FileArgs, TagArgs, TagCommand};

/// Turns Git tags into what component-resolver reads.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What `slotctl` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make Workers KV equal to the tags of a Git repository
    #[command(after_help = SYNC_HELP)]
    Sync(SyncArgs),
    /// Replay who gets which version of a slot
    #[command(after_help = rollout::EXPLAIN_HELP)]
    Explain(ExplainArgs),
    /// Change how a slot's traffic is shared out, in rollouts.toml
    #[command(after_help = rollout::ROLLOUT_HELP)]
    Rollout(RolloutArgs),
    /// Show every slot: its version, its split
    Status(RepoArgs),
    /// Make, move, list and delete the tags of components
    Tag(TagArgs),
    /// Make a read token, and the entry of READ_TOKENS for it
    #[command(after_help = TOKEN_HELP)]
    Token(TokenArgs),
    /// Push commits and tags; move slots only if nobody else moved them meanwhile
    #[command(after_help = push::HELP)]
    Push(PushArgs),
}

/// What a token is for.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    /// What its bearer may read: '*', '<type>/*' or '<type>/<name>', with '@<slot>' or without
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scope)]
    pub(crate) scopes: Vec<String>,

    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

fn scope(text: &str) -> Result<String, ScopeError> {
    text.parse::<Scope>().map(|_| text.to_owned())
}

const TOKEN_HELP: &str = "\
Examples:
  slotctl token --scope 'prompts/*@production'
      a token for the production slot of every prompt
  slotctl token --scope 'schemas/*' --scope 'prompts/extraction'
      a token for all schemas and one prompt, whatever the reference

The Worker stores the SHA-256 of a token, never the token.";

/// How to sync.
#[derive(Debug, clap::Args)]
pub(crate) struct SyncArgs {
    /// Write to the KV of a running `wrangler dev`, not to Cloudflare's
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = LOCAL_URL)]
    pub(crate) local: Option<String>,

    /// The components repository: a work tree, a bare repository or a mirror
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// Where components lie, in the shape of .edgit/components.json; asked first
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: Option<PathBuf>,

    /// The wrangler.toml that names the namespaces SLOTS and COMPONENTS
    #[arg(long, value_name = "FILE", default_value = "wrangler.toml")]
    pub(crate) config: PathBuf,

    /// The environment of wrangler.toml to write to
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// Write also where KV was synced from a newer state of the repository
    #[arg(long)]
    pub(crate) allow_older: bool,

    /// Show the plan and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// End with exit code 3 if there is anything to write
    #[arg(long, requires = "dry_run")]
    pub(crate) check: bool,

    /// Print the plan and the result as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

const LOCAL_URL: &str = "http://127.0.0.1:8787";

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift";

const SYNC_HELP: &str = "\
Examples:
  slotctl sync --local --repo ../components
      fill the KV of `npm run dev` from a repository
  slotctl sync --env staging --dry-run
      show what would be written to Cloudflare for [env.staging]
  slotctl sync --env production --json > sync.json
      write, and keep the plan and the result for machines
  slotctl sync --env production --dry-run --check
      end with 3 if KV is not what the tags say

Without --local, CLOUDFLARE_API_TOKEN (permission \"Workers KV Storage: Edit\") and
CLOUDFLARE_ACCOUNT_ID say who writes where; CLOUDFLARE_API_BASE_URL names another
address of the API, as for wrangler. SLOTCTL_TIMEOUT (seconds without a byte of an
answer, 120) and SLOTCTL_RETRIES (how often a failed call is made again, 6, local 4)
say how patient it is.

Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn local_has_a_default_address() {
        for (line, expected) in [
            ("slotctl sync", None),
            ("slotctl sync --local --json", Some(LOCAL_URL)),
            ("slotctl sync --local localhost:9", Some("localhost:9")),
        ] {
            let Command::Sync(sync) = Args::parse_from(line.split(' ')).command else {
                panic!("{line}");
            };
            assert_eq!(sync.local.as_deref(), expected);
        }
        assert!(Args::try_parse_from(["slotctl", "sync", "--check"]).is_err());
    }
}
