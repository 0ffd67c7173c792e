//! `slotctl completions` and `slotctl man`: generated from the definition of the command
//! line, so that they always agree with it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::args::{Args, CompletionsArgs, ManArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::count;

/// Carries out `completions`.
pub(crate) fn completions(context: &Context<'_, CompletionsArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "slotctl", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
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
