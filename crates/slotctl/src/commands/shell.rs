//! `slotctl completions` and `slotctl man`, and the answers to a shell that completes a command:
//! generated from the definition of the command line, so that they always agree with it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_complete::env::{CompleteEnv, Shells};
use clap_mangen::Man;

use crate::args::{Args, CompletionsArgs, ManArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::count;

/// The variable with the name of the shell that asks for names.
const VARIABLE: &str = "COMPLETE";

/// Carries out `completions`.
pub(crate) fn completions(context: &Context<'_, CompletionsArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let script = script(args.shell).context("cannot create the script")?;
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Answers a shell that asks for names, and ends the process; returns if no shell asks.
pub(crate) fn answer_shell() {
    // Whoever sets the variable for another purpose runs a command, not `slotctl -- …`.
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new("--")) {
        CompleteEnv::with_factory(Args::command).var(VARIABLE).complete();
    }
}

/// Returns the script that makes a shell ask for names.
fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let (shells, mut script) = (Shells::builtins(), Vec::new());
    let completer = shells.completer(&shell.to_string()).ok_or(io::ErrorKind::Unsupported)?;
    completer.write_registration(VARIABLE, "slotctl", "slotctl", "slotctl", &mut script)?;
    Ok(script)
}

/// Carries out `man`.
pub(crate) fn man(context: &Context<'_, ManArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let mut command = Args::command().disable_help_subcommand(true);
    // Sets the full names of the subcommands.
    command.build();
    let Some(dir) = &args.dir else {
        output.print(&String::from_utf8_lossy(&page(command)?))?;
        return Ok(Exit::Done);
    };
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let written = pages(&command, dir)?;
    output.say(format_args!("{} in {}", count(written, "page"), dir.display()));
    Ok(Exit::Done)
}

/// Writes the pages of a command and of its subcommands; returns the number of pages.
fn pages(command: &Command, dir: &Path) -> Result<usize> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let file = dir.join(format!("{name}.1"));
    fs::write(&file, page(command.clone())?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let below = command.get_subcommands().map(|command| pages(command, dir));
    below.sum::<Result<usize>>().map(|below| below + 1)
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut roff = Vec::new();
    Man::new(command).render(&mut roff).context("cannot create the page")?;
    Ok(roff)
}
