//! The command line.

mod dev;
mod endpoint;
mod hold;
mod lint;
mod look;
mod push;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by a panic")]
mod reference;
mod release;
mod repo;
mod rollback;
mod rollout;
mod setup;
mod shell;
mod sync;
mod tag;
mod target;

use catalog::access::{Scope, ScopeError};
use clap::{Parser, Subcommand};

pub(crate) use dev::DevArgs;
pub(crate) use hold::{HoldArgs, HoldCommand, HoldLiftArgs, HoldListArgs};
pub(crate) use lint::LintArgs;
pub(crate) use look::{HistoryArgs, StatusArgs, VerifyArgs};
pub(crate) use push::PushArgs;
pub(crate) use release::ReleaseArgs;
pub(crate) use repo::RepoArgs;
pub(crate) use rollback::RollbackArgs;
pub(crate) use rollout::{ChangeArgs, ExplainArgs, RolloutArgs, RolloutCommand, RolloutPlanArgs};
pub(crate) use setup::SetupArgs;
pub(crate) use shell::{CompletionsArgs, ManArgs};
pub(crate) use sync::{LayoutArg, SyncArgs};
pub(crate) use tag::{BumpArgs, CreateArgs, DeleteArgs, ListArgs, SetArgs, ShowArgs};
pub(crate) use tag::{CommonArgs, FileArgs, TagArgs, TagCommand};
pub(crate) use target::TargetArgs;

/// Syncs the Git tags of components to the Workers KV that component-resolver reads
#[derive(Debug, Parser)]
#[command(name = "slotctl", version, after_help = HELP)]
pub(crate) struct Args {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands of `slotctl`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make Workers KV equal to the tags of a Git repository
    #[command(after_help = sync::HELP)]
    Sync(SyncArgs),
    /// Set up the resolver in a Cloudflare account: namespaces, token, deployment, sync
    #[command(after_help = setup::HELP)]
    Setup(SetupArgs),
    /// Serve the components of a repository on this machine, and sync after each change
    #[command(after_help = dev::HELP)]
    Dev(DevArgs),
    /// Show which version of a slot a caller gets
    #[command(after_help = rollout::EXPLAIN_HELP)]
    Explain(ExplainArgs),
    /// Find references in a Conductor project that will not resolve
    #[command(after_help = lint::HELP)]
    Lint(LintArgs),
    /// Change the traffic split of a slot in rollouts.toml
    #[command(after_help = rollout::ROLLOUT_HELP)]
    Rollout(RolloutArgs),
    /// Show the version, split and hold of every slot, and the drift from Git
    #[command(after_help = look::STATUS_HELP)]
    Status(StatusArgs),
    /// Roll a slot back: first in Workers KV, then its tag
    #[command(after_help = rollback::HELP)]
    Rollback(RollbackArgs),
    /// List and lift the holds that keep slots from following Git
    #[command(after_help = hold::HELP)]
    Hold(HoldArgs),
    /// Release the Worker itself in steps; roll back if a check fails
    #[command(after_help = release::HELP)]
    Release(ReleaseArgs),
    /// Show the changes of a component's slots: time, author, traffic, reason
    #[command(after_help = look::HISTORY_HELP)]
    History(HistoryArgs),
    /// Read everything back from Workers KV and check it
    #[command(after_help = look::VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Create, move, list and delete the tags of components
    #[command(after_help = tag::HELP)]
    Tag(TagArgs),
    /// Create a read token and its entry for READ_TOKENS
    #[command(after_help = TOKEN_HELP)]
    Token(TokenArgs),
    /// Push commits and tags; move a slot only if nobody else moved it
    #[command(after_help = push::HELP)]
    Push(PushArgs),
    /// Print a shell completion script
    #[command(after_help = shell::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all commands
    #[command(after_help = shell::MAN_HELP)]
    Man(ManArgs),
}

impl Command {
    /// Returns the command as it is typed: `sync`, `tag create`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sync(_) => "sync",
            Self::Dev(_) => "dev",
            Self::Setup(_) => "setup",
            Self::Explain(_) => "explain",
            Self::Lint(_) => "lint",
            Self::Rollout(args) => match args.command {
                Some(RolloutCommand::Plan(_)) => "rollout plan",
                None => "rollout",
            },
            Self::Status(_) => "status",
            Self::Rollback(_) => "rollback",
            Self::Hold(args) => match args.command {
                HoldCommand::List(_) => "hold list",
                HoldCommand::Lift(_) => "hold lift",
            },
            Self::Release(_) => "release",
            Self::History(_) => "history",
            Self::Verify(_) => "verify",
            Self::Tag(args) => args.command.common().0,
            Self::Token(_) => "token",
            Self::Push(_) => "push",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }

    /// Returns true if the result goes to stdout as JSON.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Sync(args) => args.common.json,
            Self::Explain(args) => args.common.json,
            Self::Lint(args) => args.common.json,
            Self::Rollout(args) => match &args.command {
                Some(RolloutCommand::Plan(args)) => args.common.json,
                None => args.change.common.json,
            },
            Self::Status(args) => args.common.json,
            Self::Rollback(args) => args.common.json,
            Self::Hold(args) => match &args.command {
                HoldCommand::List(args) => args.common.json,
                HoldCommand::Lift(args) => args.common.json,
            },
            Self::Release(args) => args.json,
            Self::History(args) => args.json,
            Self::Verify(args) => args.common.json,
            Self::Tag(args) => args.command.common().1.json,
            Self::Token(args) => args.json,
            Self::Push(args) => args.json,
            Self::Completions(_) | Self::Dev(_) | Self::Man(_) | Self::Setup(_) => false,
        }
    }
}

/// The options of `token`.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    /// Components that the token can read: '*', '<type>/*' or '<type>/<name>', then '@<slot>' for
    /// one slot, then '+history' for who changed it and why (can be repeated)
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

const HELP: &str = "\
Examples:
  slotctl tag create prompts/extraction v1.1.0 && slotctl push --tags
      create a version and push it
  slotctl tag set prompts/extraction staging v1.1.0 && slotctl push --tags --force
      move a slot and push it
  slotctl sync --env production
      sync Workers KV with the tags

Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::target::LOCAL_URL;
    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        Args::command().debug_assert();
    }

    /// Examples explain a command faster than its options do.
    #[test]
    fn every_command_shows_examples() {
        let (mut open, mut seen) = (vec![Args::command()], 0);
        while let Some(command) = open.pop() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = help.split_once("Examples:\n").map(|(_, examples)| examples);
            let name = command.get_name().to_owned();
            assert!(example.is_some_and(|text| text.starts_with("  slotctl ")), "{name}: {help}");
            seen += 1;
            open.extend(command.get_subcommands().cloned());
        }
        assert!(seen > 15, "{seen}");
    }

    /// Returns the names of the commands below `command` that have the option `--json`.
    fn with_json(command: &clap::Command, above: &str) -> Vec<String> {
        let below = command.get_subcommands().flat_map(|command| {
            let name = format!("{above}{}", command.get_name());
            let own = command.get_arguments().any(|arg| arg.get_long() == Some("json"));
            let below = with_json(command, &format!("{name}-"));
            own.then_some(name).into_iter().chain(below)
        });
        below.collect()
    }

    /// The tests in tests/cli compare the output of each command with its schema.
    #[test]
    fn every_command_with_json_has_a_schema_in_the_documentation() {
        let mut commands = with_json(&Args::command(), "");
        commands.extend(["common".to_owned(), "envelope".to_owned()]);
        commands.sort();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemas");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut schemas: Vec<String> =
            files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        schemas.sort();
        assert_eq!(commands, schemas);
    }

    #[test]
    fn local_defaults_to_the_address_of_wrangler_dev() {
        for (line, expected) in [
            ("slotctl sync", None),
            ("slotctl sync --local --json", Some(LOCAL_URL)),
            ("slotctl sync --local localhost:9", Some("localhost:9")),
        ] {
            let Command::Sync(sync) = Args::parse_from(line.split(' ')).command else {
                panic!("{line}");
            };
            assert_eq!(sync.target.local.as_deref(), expected);
        }
        assert!(Args::try_parse_from(["slotctl", "sync", "--check"]).is_err());
    }
}
