//! Asks a resolver until it serves the versions that slots were rolled back to.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::Notice;
use reconcile::rollback::{Rollback, RollbackChange};
use serde_json::Value;

use crate::output::{Output, count, took};
use crate::resolver::Resolver;

/// The longest time to wait. A location of the edge may serve the old record for
/// `SLOT_CACHE_TTL`, 30 seconds by default, and a write may take a minute to be seen
/// everywhere.
const PATIENCE: Duration = Duration::from_mins(2);

const EVERY: Duration = Duration::from_millis(500);

/// Waits until all versions are served; returns those that are not. Times are counted from
/// `written`, when the slots' records were written.
pub(super) fn wait(
    resolver: &Resolver,
    rollbacks: &[Rollback],
    written: Instant,
    output: &Output,
) -> Result<Vec<Notice>> {
    let url = resolver.url();
    let mut open: Vec<&Rollback> = rollbacks.iter().collect();
    loop {
        let wrong = look(resolver, &open, written, output);
        if wrong.is_empty() {
            let slots = count(rollbacks.len(), "slot");
            output.step("check", format_args!("{slots} by {url}"), written);
            return Ok(Vec::new());
        }
        // A caller without permission does not get it by waiting.
        let hopeless = wrong.iter().all(|(_, seen)| matches!(seen, ResolverView::Refused(_)));
        if hopeless || written.elapsed() >= PATIENCE {
            return Ok(wrong
                .iter()
                .map(|(rollback, seen)| unserved(url, rollback, seen))
                .collect());
        }
        open = wrong.into_iter().map(|(rollback, _)| rollback).collect();
        sleep(EVERY);
    }
}

/// Asks once; reports the versions that are served and returns the other rollbacks.
fn look<'a>(
    resolver: &Resolver,
    open: &[&'a Rollback],
    written: Instant,
    output: &Output,
) -> Vec<(&'a Rollback, ResolverView)> {
    let mut wrong = Vec::new();
    for rollback in open {
        let seen = serves(resolver, rollback);
        match seen.unwrap_or_else(|error| ResolverView::Other(format!("{error:#}"))) {
            ResolverView::Served => {
                let Rollback { name, slot, change, .. } = rollback;
                let (version, took) = (version_after(change), took(written.elapsed()));
                output.say(format_args!("       {name}@{slot}: {version} is served {took}"));
            }
            seen => wrong.push((*rollback, seen)),
        }
    }
    wrong
}

/// The answer of a resolver about a slot.
enum ResolverView {
    /// The resolver serves the version.
    Served,
    /// The resolver refuses the caller with this status: 401 or 403.
    Refused(u16),
    /// Any other answer or error, with its description.
    Other(String),
}

fn unserved(url: &str, rollback: &Rollback, seen: &ResolverView) -> Notice {
    let why = match seen {
        ResolverView::Served => "",
        ResolverView::Refused(status) => &format!("it answers with status {status}"),
        ResolverView::Other(why) => why,
    };
    Notice {
        subject: format!("{}@{}", rollback.name, rollback.slot),
        what: format!("{url} does not serve {} yet: {why}", version_after(&rollback.change)),
        help: Some(
            "is it the resolver of this environment? With read tokens: RESOLVER_TOKEN".to_owned(),
        ),
    }
}

/// Returns the version that the callers get who got the bad one.
fn version_after(change: &RollbackChange) -> &Version {
    match change {
        RollbackChange::Version { to, .. } => &to.snapshot.version,
        RollbackChange::Share { to, .. } => to,
    }
}

/// Asks the resolver about the slot. It asks for an explanation instead of the content, because
/// in a split a caller may get the version of another arm.
fn serves(resolver: &Resolver, rollback: &Rollback) -> Result<ResolverView> {
    let Rollback { name, slot, change, .. } = rollback;
    let answer = resolver.get(&format!("/components/{name}@{slot}?explain"), 1 << 20)?;
    match answer.status {
        200 => {}
        status @ (401 | 403) => return Ok(ResolverView::Refused(status)),
        status => anyhow::bail!("it answers with status {status}"),
    }
    let explained: Value =
        serde_json::from_slice(&answer.body).context("its answer is not JSON")?;
    Ok(match is_served(&explained, slot, change) {
        true => ResolverView::Served,
        false => ResolverView::Other("it serves the version from before".to_owned()),
    })
}

/// Tells if the slot's own arm has the version, or if the bad arm gets no callers.
fn is_served(explained: &Value, slot: &Slot, change: &RollbackChange) -> bool {
    let targets = explained.get("targets").and_then(Value::as_array);
    let mut targets = targets.into_iter().flatten();
    match change {
        RollbackChange::Version { to, .. } => {
            let own = targets.find(|target| target["slot"] == slot.as_str());
            own.is_some_and(|target| target["version"] == to.snapshot.version.to_string())
        }
        RollbackChange::Share { hold, .. } => {
            let arm = hold.arm().map_or("", Slot::as_str);
            let gets = |target: &Value| target["slot"] == arm && target["from"] != target["to"];
            let segments = explained.get("segments").and_then(Value::as_object);
            let in_segments = segments.into_iter().flatten().any(|(_, of)| *of == *arm);
            !targets.any(gets) && !in_segments
        }
    }
}
