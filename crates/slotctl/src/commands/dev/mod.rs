//! `slotctl dev`: serves a components repository on this machine, and syncs after each change.

mod ready;
mod watch;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;

use crate::args::{Args, Command, DevArgs, SyncArgs};
use crate::config::{self, Config, Home};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Output;
use crate::output::leftover::Leftover;
use crate::wrangler::{DevServer, Wrangler};
use notice::Refused;
use watch::Watch;

/// Carries out the command. It ends when wrangler ends, or by Ctrl-C.
pub(crate) fn run(context: &Context<'_, DevArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. The repository, and the Worker on a local KV.
    let mut watch = Watch::new(&args.repo)?;
    let config = configuration(args)?;
    let url = format!("http://127.0.0.1:{}", args.port);
    let mut server = serve(args, &config, &url, output)?;
    output.note_leftover(Some(leftover(&url)));
    // 2. The first sync, and what to ask.
    let sync = sync_args(args, &url)?;
    sync_and_report(&sync, output);
    show_requests(&watch, &url, output);
    // 3. A sync after each change.
    loop {
        if let Some(printed) = server.ended() {
            bail!("wrangler dev ended: {printed}");
        }
        if watch.has_changed(output)? {
            sync_and_report(&sync, output);
            output.note_leftover(Some(leftover(&url)));
        }
        watch::pause();
    }
}

/// Loads the configuration of the Worker to serve.
fn configuration(args: &DevArgs) -> Result<Config> {
    let environment = config::chosen(args.env.as_deref(), Home::Cloudflare)?;
    config::load(args.config.as_deref(), environment.as_deref())?.ok_or_else(|| {
        let what = "there is no wrangler.json, wrangler.jsonc or wrangler.toml in this folder \
                    or above it";
        let help = "`npm create component-resolver` makes a folder with one; --config FILE names one elsewhere";
        Refused::new("dev", what, help).into()
    })
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

/// Returns the arguments of the syncs. The clone's own refs count: what was not pushed yet is
/// to be tried too.
fn sync_args(args: &DevArgs, url: &str) -> Result<SyncArgs> {
    let mut words = vec!["slotctl".into(), "sync".into(), "--local-refs".into()];
    words.extend([
        "--local".into(),
        url.into(),
        "--repo".into(),
        args.repo.clone().into_os_string(),
    ]);
    if let Some(registry) = &args.registry {
        words.extend(["--registry".into(), registry.clone().into_os_string()]);
    }
    match Args::try_parse_from(words)?.command {
        Command::Sync(sync) => Ok(sync),
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
