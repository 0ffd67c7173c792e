//! The commands. Each `run` is written as numbered steps.

mod dev;
mod explain;
mod history;
mod hold;
mod lint;
mod push;
mod release;
mod rollback;
mod rollout;
mod setup;
mod shell;
mod status;
mod sync;
mod tag;
mod token;
mod verify;

pub(crate) use shell::answer_shell;

use anyhow::Result;

use crate::args::Command;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Output, ReportedError};

/// Carries out a command. With `--json`, an error is printed to stdout as JSON too, so that
/// a script always gets an object.
pub(crate) fn run(command: &Command, output: &Output) -> Exit {
    let ended = carry_out(command, output).or_else(|error| {
        if command.json() {
            output.failed(Exit::of(&error), &ReportedError::of(&error))?;
        }
        Err(error)
    });
    ended.unwrap_or_else(|error| {
        output.error(&error);
        Exit::of(&error)
    })
}

fn carry_out(command: &Command, output: &Output) -> Result<Exit> {
    match command {
        Command::Sync(args) => sync::run(&Context::new(args, output)),
        Command::Dev(args) => dev::run(&Context::new(args, output)),
        Command::Setup(args) => setup::run(&Context::new(args, output)),
        Command::Explain(args) => explain::run(&Context::new(args, output)),
        Command::Lint(args) => lint::run(&Context::new(args, output)),
        Command::Rollout(args) => rollout::run(&Context::new(args, output)),
        Command::Status(args) => status::run(&Context::new(args, output)),
        Command::Rollback(args) => rollback::run(&Context::new(args, output)),
        Command::Hold(args) => hold::run(&Context::new(args, output)),
        Command::Release(args) => release::run(&Context::new(args, output)),
        Command::History(args) => history::run(&Context::new(args, output)),
        Command::Verify(args) => verify::run(&Context::new(args, output)),
        Command::Tag(args) => tag::run(&Context::new(args, output)),
        Command::Token(args) => token::run(&Context::new(args, output)),
        Command::Push(args) => push::run(&Context::new(args, output)),
        Command::Completions(args) => shell::completions(&Context::new(args, output)),
        Command::Man(args) => shell::man(&Context::new(args, output)),
    }
}
