//! `slotctl setup`: from a Cloudflare account to a component that is served.

mod account;
mod step;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use notice::Refused;

use crate::args::{Args, Command, SetupArgs};
use crate::commands::dev::STARTER;
use crate::commands::{sync, verify};
use crate::config;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Output;
use crate::quote::quoted;
use crate::wrangler::Wrangler;
use account::{Done, Setup};
use step::Step;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, SetupArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. What there is, and the steps that are missing.
    let config = config::require(args.config.as_deref(), Some(&args.env), "setup", STARTER)?;
    let (command, environment) = (args.wrangler.as_deref(), config.environment());
    let wrangler = Wrangler::new(command, &config.file, environment, None);
    // For an environment, wrangler would put the environment's name before the title.
    let top_level = Wrangler::new(command, &config.file, Some(""), None);
    let setup =
        Setup { config: &config, wrangler: &wrangler, top_level: &top_level, public: args.public };
    let steps = setup.missing()?;
    show(&steps, &setup, args, output);
    if args.dry_run {
        return Ok(Exit::Done);
    }
    if !args.yes && !output.confirm("Carry out these steps?")? {
        return Err(Refused::new("setup", "it was not confirmed", "nothing was changed").into());
    }
    // 2. The account.
    let mut done = Done::default();
    let made = steps.iter().try_for_each(|step| setup.carry_out(step, &mut done, output));
    show_token(&done, output)?;
    made?;
    // 3. The components. A sync and a check are repeated in every run: they change nothing twice.
    let exit = fill(args, &wrangler, output)?;
    show_request(&done, args.public, output);
    Ok(exit)
}

/// Prints the steps with the commands that do the same by hand.
fn show(steps: &[Step], setup: &Setup<'_>, args: &SetupArgs, output: &Output) {
    let own = ["sync", "verify"].map(|name| {
        let words = words(name, args).iter().map(|word| quoted(word)).collect::<Vec<_>>();
        (format!("{name} the components"), words.join(" "))
    });
    let steps = steps.iter().map(|step| (step.to_string(), setup.by_hand(step)));
    for (number, (what, command)) in steps.chain(own).enumerate() {
        output.say(format_args!("{}. {what}\n       {command}", number + 1));
    }
}

/// Prints the new token once, also if its step failed: the Worker may have it nevertheless.
fn show_token(done: &Done, output: &Output) -> Result<()> {
    let Some(token) = &done.token else { return Ok(()) };
    output.print(&format!("{token}\n"))?;
    output.hint("this read token is not shown again: keep it where the callers find it");
    Ok(())
}

/// Syncs and verifies. Returns the worse of both exits.
fn fill(args: &SetupArgs, wrangler: &Wrangler, output: &Output) -> Result<Exit> {
    let synced = run_own("sync", args, wrangler, output)?;
    let verified = run_own("verify", args, wrangler, output)?;
    Ok(if synced == Exit::Done { verified } else { synced })
}

/// Runs a command of slotctl with the login of the wrangler that made the steps.
fn run_own(name: &str, args: &SetupArgs, wrangler: &Wrangler, output: &Output) -> Result<Exit> {
    let parsed = Args::try_parse_from(words(name, args)).context("slotctl's own command")?;
    let command = args.wrangler.clone().or_else(|| wrangler.npx());
    match parsed.command {
        Command::Sync(mut args) => {
            args.target.wrangler = command;
            sync::run(&Context::new(&args, output))
        }
        Command::Verify(mut args) => {
            args.target.wrangler = command;
            verify::run(&Context::new(&args, output))
        }
        other => bail!("{} is not part of a setup", other.name()),
    }
}

/// Returns the words of a command of slotctl about the same environment and repository.
fn words(name: &str, args: &SetupArgs) -> Vec<String> {
    let mut words: Vec<String> = ["slotctl", name, "--env", &args.env].map(str::to_owned).to_vec();
    let files = [
        ("--config", args.config.as_deref()),
        ("--repo", Some(args.repo.as_path()).filter(|repo| repo.as_os_str() != ".")),
        ("--registry", args.registry.as_deref()),
    ];
    for (option, file) in files {
        words.extend(file.iter().flat_map(|file| [option.to_owned(), file.display().to_string()]));
    }
    words
}

/// Prints the first request, if the address of the Worker is known.
fn show_request(done: &Done, public: bool, output: &Output) {
    let Some(address) = done.addresses.first() else { return };
    output.say(format_args!("\nThe resolver is at {address}. To ask it:"));
    let header = match public {
        true => "",
        false => " --header \"Authorization: Bearer $RESOLVER_TOKEN\"",
    };
    if !public {
        output.say("    read -rs RESOLVER_TOKEN    # paste the token");
    }
    output.say(format_args!("    curl{header} {address}/catalog"));
}
