//! `slotctl release`: releases a new version of the Worker in steps of the traffic.
//!
//! `state` and `progress` decide on the next action. `message` is the only state that is kept;
//! Cloudflare stores it with the deployment. `deploy` calls wrangler, `probe` and `protect` ask
//! the versions, `judge`, `bound` and `protection` evaluate their responses. `drive` combines
//! these.

mod check;
mod deploy;
mod drive;
mod probe;
mod protect;
mod refs;
mod report;
mod setting;
mod slots;

use anyhow::{Context as _, Result, bail};
use notice::printable;

use crate::args::{ReleaseArgs, TargetArgs};
use crate::config::{self, Config};
use crate::context::Context;
use crate::exit::{Exit, Usage};
use crate::output::{Output, count};
use crate::resolver::Resolver;
use crate::wrangler::Wrangler;
use deploy::Deployments;
use drive::Drive;
use notice::Refused;
use probe::Probe;
use release::model::{Deployment, WorkerVersion};
use release::percent::Percent;
use release::progress::ReleaseProgress;
use release::state::{self, Begin, Intent, Ramp};
use report::{ReleaseOutcome, ReleaseReport};
use setting::{Setting, setting};

/// clap demands the option unless the release is aborted.
const NO_CHECK_URL: Usage = Usage("--check-url is missing");

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, ReleaseArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. The Worker, and its active deployment.
    let config = configuration(args)?;
    let worker = worker(args, &config)?;
    let (command, name) = (args.wrangler.as_deref(), args.name.as_deref());
    let wrangler = Wrangler::new(command, &config.file, config.environment(), name);
    let mut setting = setting(args, &config.file)?;
    let endpoint = args.check_url.as_ref().filter(|_| !args.abort);
    let resolver = endpoint.map(Resolver::new).transpose()?;
    let active = active(&wrangler)?;
    // 2. The decision, from the deployment and the command line.
    let versions = if args.abort { Vec::new() } else { versions(&wrangler, &active)? };
    let begin = state::begin(ask(args), &active, &versions, &setting.tag);
    let (mut report, deployments) =
        (ReleaseReport::new(&worker), Deployments::new(&wrangler, active.id));
    let outcome = match begin.map_err(Refused)? {
        Begin::Nothing(why) => {
            output.say(format_args!("{worker}: {why}"));
            ReleaseOutcome::Nothing
        }
        Begin::Back(ramp) => abort(context, &setting, deployments, &ramp, &mut report)?,
        Begin::Go(progress, ramp) => {
            setting.take_over(ramp.as_ref());
            let probe = Probe::new(resolver.ok_or(NO_CHECK_URL)?, worker);
            go(context, &setting, deployments, &probe, (progress, ramp), &mut report)?
        }
    };
    report.end(args, outcome, output)
}

/// Loads the configuration of the Worker to release.
fn configuration(args: &ReleaseArgs) -> Result<Config> {
    let TargetArgs { config, env, .. } = &args.target;
    let help = "run it in the folder of the Worker, or say --config FILE";
    config::require(config.as_deref(), env.as_deref(), "release", help)
}

fn ask(args: &ReleaseArgs) -> Intent {
    match (args.resume, args.abort) {
        (_, true) => Intent::Abort,
        (true, _) => Intent::Resume,
        _ => Intent::Start,
    }
}

/// Returns the Worker's name, which must be a key (RFC 9651, section 3.1.2) for use in
/// version overrides.
fn worker(args: &ReleaseArgs, config: &Config) -> Result<String> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => config.worker_name()?,
    };
    let key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.*".contains(&b);
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.bytes().all(key) {
        bail!(
            "{:?} cannot be used in a version override (lower-case letters, digits, `_-.*`)",
            printable(name.as_bytes())
        );
    }
    Ok(name)
}

fn active(wrangler: &Wrangler) -> Result<Deployment> {
    wrangler.active().map_err(|error| match error.to_string() {
        text if text.contains("has no deployments") || text.contains("does not exist") => {
            let first = wrangler.by_hand("deploy");
            let help = format!("the first deployment of a Worker is {first}");
            Refused::new("deployment", text, help).into()
        }
        _ => error,
    })
}

/// Returns the latest versions, and the deployed one if it is not among them.
fn versions(wrangler: &Wrangler, active: &Deployment) -> Result<Vec<WorkerVersion>> {
    let mut versions = wrangler.versions()?;
    if let [(only, _)] = active.versions.as_slice()
        && !versions.iter().any(|version| version.id == *only)
    {
        versions.push(wrangler.version(only)?);
    }
    Ok(versions)
}

fn abort(
    context: &Context<'_, ReleaseArgs>,
    setting: &Setting<'_>,
    mut deployments: Deployments<'_>,
    Ramp { old, new, at, .. }: &Ramp,
    report: &mut ReleaseReport,
) -> Result<ReleaseOutcome> {
    let output = context.output;
    (report.old, report.new) = (Some(old.clone()), Some(new.clone()));
    output.say(format_args!("abort  {new}, at {at} %: all traffic back to {old}"));
    if setting.args.dry_run {
        return Ok(ReleaseOutcome::Planned);
    }
    confirm(setting, output)?;
    drive::go_back(&mut deployments, old, new, "aborted", output)?;
    Ok(ReleaseOutcome::Aborted)
}

fn go(
    context: &Context<'_, ReleaseArgs>,
    setting: &Setting<'_>,
    deployments: Deployments<'_>,
    probe: &Probe,
    (progress, ramp): (ReleaseProgress, Option<Ramp>),
    report: &mut ReleaseReport,
) -> Result<ReleaseOutcome> {
    let Context { args, output, .. } = *context;
    // 3. The records in KV, and the responses of the deployed version.
    let target = context.target(&args.target)?;
    let found = slots::look(&context.session(&target))?;
    found.refuse_newer()?;
    if !args.resume && !args.allow_split_slots {
        found.refuse_split()?;
    }
    check::reachable(probe, &progress.old, setting.spread)?;
    let refs = refs::choose(args.refs.as_deref(), &found.slots)?;
    let refs = refs::baseline(probe, refs, &progress.old)?;
    // 4. The plan.
    report.plan(setting, &progress, &refs);
    show(setting, &progress, refs.len(), output);
    if args.dry_run {
        return Ok(ReleaseOutcome::Planned);
    }
    confirm(setting, output)?;
    // 5. The steps.
    let format = u64::from(found.format);
    let refs = refs.as_slice();
    let mut drive = Drive { setting, deployments, probe, refs, format, progress, ramp, output };
    drive.run(report)
}

fn show(setting: &Setting<'_>, progress: &ReleaseProgress, refs: usize, output: &Output) {
    let Setting { tag, steps, bake, .. } = setting;
    let new = match progress.new_version() {
        Some(new) => format!("{new}, at {} %", progress.share().unwrap_or(Percent::NONE)),
        None => format!("{tag}, to be uploaded"),
    };
    let bake = humantime::format_duration(*bake);
    output.say(format_args!("old    {}", progress.old));
    output.say(format_args!("new    {new}"));
    output.say(format_args!("steps  {steps} %, {bake} each, {}", count(refs, "reference")));
}

/// Asks the user at the terminal to continue, unless `--yes` is given.
fn confirm(setting: &Setting<'_>, output: &Output) -> Result<()> {
    if setting.args.yes || output.confirm("Continue?").context("cannot ask")? {
        return Ok(());
    }
    bail!("not confirmed; nothing was changed")
}
