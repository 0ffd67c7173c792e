//! `slotctl`: turns Git tags into the records that component-resolver reads.
//!
//! `commands` are numbered steps over four parts that are independent of each other:
//! `read` and `git` (the tags), `kv_api` and `store` (the contents of Workers KV),
//! `catalog` (the plan), `output` (the messages to the user).

#[allow(
    rustdoc::invalid_html_tags,
    clippy::doc_markdown,
    reason = "its doc comments are the texts of --help"
)]
mod args;
mod commands;
mod completion;
mod config;
mod context;
mod exit;
mod hint;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by a panic"
)]
mod hint_tests;
mod interrupt;
mod login;
mod namespaces;
mod nearest;
mod offline;
mod output;
mod quote;
mod read;
mod read_back;
mod read_token;
mod remote;
mod resolver;
mod runs;
mod session;
mod source;
mod store;
mod target;
mod to_do;
mod traffic;
mod usage;
mod wrangler;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use args::Args;
use hint::TypedOptions;
use output::Output;

/// A hundred thousand tags need millions of small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::answer_shell();
    let mut grammar = Args::command();
    let parsed = grammar.try_get_matches_from_mut(std::env::args_os());
    let parsed = parsed.and_then(|matches| Ok((Args::from_arg_matches(&matches)?, matches)));
    let (args, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage::report(&error),
    };
    let typed = TypedOptions::of(grammar, &matches);
    let output = Output::new(Some(args.command.name().to_owned())).completing(typed);
    interrupt::install(&output);
    commands::run(&args.command, &output).into()
}
