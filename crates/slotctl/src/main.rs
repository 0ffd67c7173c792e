//! `slotctl`: turns Git tags into what component-resolver reads.
//!
//! `commands` are numbered steps over four parts that do not know each other:
//! `read` and `git` (what the tags say), `kv_api` and `store` (what Workers KV
//! holds), `catalog` (the plan), `output` (what the user sees).

#[allow(rustdoc::invalid_html_tags, reason = "its doc comments are the texts of --help")]
mod args;
mod commands;
mod config;
mod exit;
mod live;
mod offline;
mod output;
mod read;
mod remote;
mod resolver;
mod runs;
mod store;
mod target;
mod traffic;
mod wrangler;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use exit::Exit;
use output::Output;

/// A hundred thousand tags are millions of small pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new();
    let ended = match &args.command {
        Command::Sync(sync) => commands::sync::run(sync, &output),
        Command::Explain(explain) => commands::explain::run(explain, &output),
        Command::Lint(lint) => commands::lint::run(lint, &output),
        Command::Rollout(rollout) => commands::rollout::run(rollout, &output),
        Command::Status(status) => commands::status::run(status, &output),
        Command::Rollback(rollback) => commands::rollback::run(rollback, &output),
        Command::Release(release) => commands::release::run(release, &output),
        Command::History(history) => commands::history::run(history, &output),
        Command::Verify(verify) => commands::verify::run(verify, &output),
        Command::Tag(tag) => commands::tag::run(tag, &output),
        Command::Token(token) => commands::token::run(token, &output),
        Command::Push(push) => commands::push::run(push, &output),
        Command::Completions(args) => commands::shell::completions(args, &output),
        Command::Man(args) => commands::shell::man(args, &output),
    };
    let exit = ended.unwrap_or_else(|error| {
        output.error(&error);
        Exit::of(&error)
    });
    exit.into()
}
