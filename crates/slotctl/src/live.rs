//! What Git says and what Workers KV holds, brought together: the steps that every
//! command over both shares.

use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result};
use catalog::desired::Desired;
use catalog::name::ComponentName;
use catalog::plan::{Actual, Options, Plan, Planning, Step};
use catalog::timestamp::Timestamp;

use crate::args::{RepoArgs, TargetArgs};
use crate::exit::Refused;
use crate::kv_api::RetryNotice;
use crate::output::{Output, count, took};
use crate::read::{self, Part, Reading};
use crate::store::Store;
use crate::target::Target;

/// The time; the catalog has no clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The target that the command line names. Nothing is asked yet.
pub(crate) fn target(args: &TargetArgs, output: &Output) -> Result<Target> {
    Target::new(args.local.as_deref(), &args.config, args.env.as_deref(), retry_notice(output))
}

/// Tells of calls that are tried again.
fn retry_notice(output: &Output) -> RetryNotice {
    let output = output.clone();
    Box::new(move |error, wait| {
        output.say(format_args!("       {error}; again in {}", took(wait)));
    })
}

/// Reads the repository, or what it has of these components.
pub(crate) fn read_git(
    args: &RepoArgs,
    only: &[ComponentName],
    output: &Output,
) -> Result<Reading> {
    let (began, meter) = (Instant::now(), output.meter("git"));
    let part = Part { only, rollouts: None };
    let reading = read::read_part(&args.repo, args.registry.as_deref(), part, &|progress| {
        meter.rename(progress.what);
        meter.begin(progress.total);
        meter.set(progress.done);
    })
    .with_context(|| format!("can't read the repository {}", args.repo.display()))?;
    drop(meter);
    let components = &reading.desired.components;
    let versions: usize = components.values().map(|component| component.versions.len()).sum();
    let slots: usize = components.values().map(|component| component.slots.len()).sum();
    let (components, versions) = (count(components.len(), "component"), count(versions, "version"));
    output.step("git", format_args!("{components}, {versions}, {}", count(slots, "slot")), began);
    Ok(reading)
}

/// Lists both namespaces, or what they have of these components.
pub(crate) fn list_kv(
    target: &Target,
    store: &Store<'_>,
    only: &[ComponentName],
    output: &Output,
) -> Result<Actual> {
    let (began, meter) = (Instant::now(), output.meter("keys listed"));
    target.check()?;
    let actual = store.list(only, &meter)?;
    drop(meter);
    output.step("kv", format_args!("{} in {target}", count(actual.listed(), "key")), began);
    Ok(actual)
}

/// A component that neither Git nor KV knows is a slip of the pen.
pub(crate) fn refuse_unknown(
    only: &[ComponentName],
    reading: &Reading,
    actual: &Actual,
) -> Result<()> {
    let desired = &reading.desired;
    let known = |name: &&ComponentName| {
        desired.components.contains_key(*name)
            || desired.unserved.contains_key(*name)
            || reading.logic.iter().any(|tag| tag.name == **name)
            || actual.knows(name)
    };
    match only.iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => Err(Refused::new(
            name.to_string(),
            "neither Git nor KV has such a component",
            "slotctl tag list shows what there is; git fetch --tags brings what others tagged",
        )
        .into()),
    }
}

/// Plans; reads the values that the plan asks for.
pub(crate) fn plan(
    desired: &Desired,
    actual: Actual,
    store: &Store<'_>,
    options: &Options,
) -> Result<Plan> {
    let mut step = Planning::begin(desired, actual, options);
    loop {
        let mut planning = match step {
            Step::Done(plan) => return Ok(plan),
            Step::Read(planning) => planning,
        };
        let keys = planning.keys().to_vec();
        store.read(&keys, |key, value| planning.supply(key, value))?;
        step = planning.advance();
    }
}
