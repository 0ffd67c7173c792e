//! The command line.

mod lint;
mod look;
mod push;
mod release;
mod repo;
mod rollback;
mod rollout;
mod shell;
mod sync;
mod tag;
mod target;

use catalog::access::{Scope, ScopeError};
use clap::{Parser, Subcommand};

pub(crate) use lint::LintArgs;
pub(crate) use look::{HistoryArgs, StatusArgs, VerifyArgs};
pub(crate) use push::PushArgs;
pub(crate) use release::ReleaseArgs;
pub(crate) use repo::RepoArgs;
pub(crate) use rollback::RollbackArgs;
pub(crate) use rollout::{ChangeArgs, ExplainArgs, RolloutArgs, RolloutCommand, RolloutPlanArgs};
pub(crate) use shell::{CompletionsArgs, ManArgs};
pub(crate) use sync::{LayoutArg, SyncArgs};
pub(crate) use tag::{BumpArgs, CreateArgs, DeleteArgs, ListArgs, SetArgs, ShowArgs};
pub(crate) use tag::{CommonArgs, FileArgs, TagArgs, TagCommand};
pub(crate) use target::TargetArgs;

/// Turns Git tags into what component-resolver reads.
#[derive(Debug, Parser)]
#[command(name = "slotctl", version, after_help = HELP)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What `slotctl` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make Workers KV equal to the tags of a Git repository
    #[command(after_help = sync::HELP)]
    Sync(SyncArgs),
    /// Replay who gets which version of a slot
    #[command(after_help = rollout::EXPLAIN_HELP)]
    Explain(ExplainArgs),
    /// Find references in a Conductor project that will not resolve
    #[command(after_help = lint::HELP)]
    Lint(LintArgs),
    /// Change how a slot's traffic is shared out, in rollouts.toml
    #[command(after_help = rollout::ROLLOUT_HELP)]
    Rollout(RolloutArgs),
    /// Show every slot: its version, split and hold, and what differs from Git
    #[command(after_help = look::STATUS_HELP)]
    Status(StatusArgs),
    /// Roll a slot back at once: Workers KV first, then the tag
    #[command(after_help = rollback::HELP)]
    Rollback(RollbackArgs),
    /// Release the Worker itself in steps, and go back if a check fails
    #[command(after_help = release::HELP)]
    Release(ReleaseArgs),
    /// Show every move of a component's slots: when, who, from, to, why
    #[command(after_help = look::HISTORY_HELP)]
    History(HistoryArgs),
    /// Read everything back from KV: digests, targets, what Git says
    #[command(after_help = look::VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Make, move, list and delete the tags of components
    #[command(after_help = tag::HELP)]
    Tag(TagArgs),
    /// Make a read token, and the entry of READ_TOKENS for it
    #[command(after_help = TOKEN_HELP)]
    Token(TokenArgs),
    /// Push commits and tags; move slots only if nobody else moved them meanwhile
    #[command(after_help = push::HELP)]
    Push(PushArgs),
    /// Print what completes slotctl's commands and options in a shell
    #[command(after_help = shell::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands
    #[command(after_help = shell::MAN_HELP)]
    Man(ManArgs),
}

impl Command {
    /// The command as it is typed: `sync`, `tag create`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sync(_) => "sync",
            Self::Explain(_) => "explain",
            Self::Lint(_) => "lint",
            Self::Rollout(args) => match args.command {
                Some(RolloutCommand::Plan(_)) => "rollout plan",
                None => "rollout",
            },
            Self::Status(_) => "status",
            Self::Rollback(_) => "rollback",
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

    /// Whether the result goes to stdout as JSON.
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
            Self::Release(args) => args.json,
            Self::History(args) => args.json,
            Self::Verify(args) => args.common.json,
            Self::Tag(args) => args.command.common().1.json,
            Self::Token(args) => args.json,
            Self::Push(args) => args.json,
            Self::Completions(_) | Self::Man(_) => false,
        }
    }
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

const HELP: &str = "\
Examples:
  slotctl tag create prompts/extraction v1.1.0 && slotctl push --tags
      a version, for everybody
  slotctl tag set prompts/extraction production v1.1.0 && slotctl push --tags --force
      a slot, moved
  slotctl sync --env production
      and served

Exit codes: 0 done, 1 failed or something was refused, 2 usage, 3 drift";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::target::LOCAL_URL;
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    /// An example says sooner what a command is for than its options do.
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
            assert_eq!(sync.target.local.as_deref(), expected);
        }
        assert!(Args::try_parse_from(["slotctl", "sync", "--check"]).is_err());
    }
}
