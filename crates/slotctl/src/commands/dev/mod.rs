//! `slotctl dev`: serves a components repository on this machine, and syncs after each change.

mod ready;
mod watch;

use std::ffi::OsString;

use anyhow::{Context as _, Result, bail};
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::args::{Args, Command, DevArgs, SyncArgs};
use crate::config::{self, Config};
use crate::context::Context;
use crate::exit::Exit;
use crate::hint::TypedOptions;
use crate::output::Output;
use crate::output::leftover::Leftover;
use crate::wrangler::{DevServer, Wrangler};
use watch::Watch;

/// Where there is a configuration for a user who has none.
pub(super) const STARTER: &str = "`npm create component-resolver` makes a folder with one; \
                                  --config FILE names one elsewhere";

/// Carries out the command. It ends when wrangler ends, or by Ctrl-C.
pub(crate) fn run(context: &Context<'_, DevArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. The repository, and the Worker on a local KV.
    let mut watch = Watch::new(&args.repo, args.registry.as_deref())?;
    let config = config::require(args.config.as_deref(), args.env.as_deref(), "dev", STARTER)?;
    let url = format!("http://127.0.0.1:{}", args.port);
    let mut server = serve(args, &config, &url, output)?;
    output.note_leftover(Some(leftover(&url)));
    // 2. The first sync, and what to ask.
    let (sync, typed) = sync_args(args, &url)?;
    // A hint of the sync is about the local KV, not about the options of `dev`.
    let sync_output = output.clone().completing(typed);
    sync_and_report(&sync, &sync_output);
    show_requests(&watch, &url, output);
    // 3. A sync after each change.
    loop {
        if let Some(printed) = server.ended() {
            bail!("wrangler dev ended: {printed}");
        }
        if watch.has_changed(output)? {
            sync_and_report(&sync, &sync_output);
            output.note_leftover(Some(leftover(&url)));
        }
        watch::pause();
    }
}

/// Starts `wrangler dev` and waits until the Worker answers.
fn serve(args: &DevArgs, config: &Config, url: &str, output: &Output) -> Result<DevServer> {
    ready::refuse_busy_port(args.port)?;
    let began = std::time::Instant::now();
    let wrangler =
        Wrangler::new(args.wrangler.as_deref(), &config.file, config.environment(), None);
    let folder = args.persist_to.as_deref().map(std::path::absolute).transpose();
    let folder = folder.context("cannot find the folder of --persist-to")?;
    let mut server = wrangler.serve(args.port, folder.as_deref())?;
    ready::wait(&mut server, url)?;
    output.step("dev", format_args!("{} at {url}", config.worker_name()?), began);
    Ok(server)
}

/// Returns the arguments of the syncs, and the options that their hints get. The clone's own refs
/// count: what was not pushed yet is to be tried too.
fn sync_args(args: &DevArgs, url: &str) -> Result<(SyncArgs, TypedOptions)> {
    let mut words: Vec<OsString> =
        ["slotctl", "sync", "--local-refs", "--local", url].map(OsString::from).to_vec();
    let repo = Some(args.repo.as_path()).filter(|repo| repo.as_os_str() != ".");
    for (option, file) in [("--repo", repo), ("--registry", args.registry.as_deref())] {
        words.extend(file.iter().flat_map(|file| [option.into(), file.as_os_str().to_owned()]));
    }
    let mut grammar = Args::command();
    let matches = grammar.try_get_matches_from_mut(words)?;
    match Args::from_arg_matches(&matches)?.command {
        Command::Sync(sync) => Ok((sync, TypedOptions::of(grammar, &matches))),
        other => bail!("the arguments of a sync were read as those of {}", other.name()),
    }
}

/// Syncs. An error ends only this sync: the next change may mend it.
fn sync_and_report(sync: &SyncArgs, output: &Output) {
    if let Err(error) = super::sync::run(&Context::new(sync, output)) {
        output.error(&error);
    }
}

/// Prints the requests to begin with.
fn show_requests(watch: &Watch, url: &str, output: &Output) {
    output.say(format_args!("\nThe resolver is at {url}. To ask it, from another terminal:"));
    if let Some(slot) = watch.first_slot() {
        output.say(format_args!("    curl -i {url}/components/{slot}"));
    }
    output.say(format_args!("    curl {url}/catalog\n"));
    output.say("Every new commit and tag is synced. Ctrl-C stops the resolver.");
}

fn leftover(url: &str) -> Leftover {
    Leftover { what: format!("{url} is stopped; its Workers KV is kept"), hints: Vec::new() }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn hints_of_the_sync_name_the_local_kv() {
        let words = ["slotctl", "dev", "--env", "production", "--repo", "a b"];
        let Command::Dev(dev) = Args::try_parse_from(words).unwrap().command else { panic!() };
        let (sync, typed) = sync_args(&dev, "http://127.0.0.1:8787").unwrap();
        assert_eq!(sync.target.local.as_deref(), Some("http://127.0.0.1:8787"));
        let expected =
            "slotctl sync --prune --local http://127.0.0.1:8787 --repo 'a b' --local-refs";
        assert_eq!(typed.complete("slotctl sync --prune"), expected);
    }
}
