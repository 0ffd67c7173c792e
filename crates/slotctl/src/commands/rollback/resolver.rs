//! Asks a resolver until callers get the version.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::output::{Output, count, took};
use crate::resolver::Resolver;
use anyhow::{Context as _, Result};
use catalog::notice::Notice;
use catalog::rollback::Rollback;
use serde_json::Value;

/// A location of the edge may serve the old record for `SLOT_CACHE_TTL`, 30 seconds by
/// default, and a write may take a minute to be seen everywhere.
const PATIENCE: Duration = Duration::from_secs(120);

const EVERY: Duration = Duration::from_millis(500);

/// Waits until all are served; returns those that are not. Times are counted from
/// `written`, when the slots' records were.
pub(super) fn wait(
    url: &str,
    rollbacks: &[Rollback],
    written: Instant,
    output: &Output,
) -> Result<Vec<Notice>> {
    let resolver = Resolver::new(url);
    let mut open: Vec<&Rollback> = rollbacks.iter().collect();
    loop {
        let mut wrong = Vec::new();
        for rollback in std::mem::take(&mut open) {
            match serves(&resolver, rollback) {
                Ok(true) => {
                    let (name, slot) = (&rollback.name, &rollback.slot);
                    let version = &rollback.to.snapshot.version;
                    output.say(format_args!(
                        "       {name}@{slot}: {version} is served {}",
                        took(written.elapsed())
                    ));
                }
                Ok(false) => wrong.push((rollback, "it serves the version from before".to_owned())),
                Err(error) => wrong.push((rollback, format!("{error:#}"))),
            }
        }
        if wrong.is_empty() {
            output.step(
                "check",
                format_args!("{} by {url}", count(rollbacks.len(), "slot")),
                written,
            );
            return Ok(Vec::new());
        }
        if written.elapsed() >= PATIENCE {
            return Ok(wrong
                .into_iter()
                .map(|(rollback, why)| unserved(url, rollback, &why))
                .collect());
        }
        open = wrong.into_iter().map(|(rollback, _)| rollback).collect();
        sleep(EVERY);
    }
}

fn unserved(url: &str, rollback: &Rollback, why: &str) -> Notice {
    Notice {
        subject: format!("{}@{}", rollback.name, rollback.slot),
        what: format!("{url} does not serve {} yet: {why}", rollback.to.snapshot.version),
        help: Some(
            "is it the resolver of this environment? With read tokens: RESOLVER_TOKEN".to_owned(),
        ),
    }
}

/// Whether the slot's own arm is the version. Explained, not fetched: in a split the
/// answer of any one caller may be another arm's.
fn serves(resolver: &Resolver, rollback: &Rollback) -> Result<bool> {
    let Rollback { name, slot, to, .. } = rollback;
    let answer = resolver.get(&format!("/components/{name}@{slot}?explain"), &[], 1 << 20)?;
    if answer.status != 200 {
        anyhow::bail!("it answers with status {}", answer.status);
    }
    let explained: Value = serde_json::from_slice(&answer.body).context("its answer is no JSON")?;
    let targets = explained.get("targets").and_then(Value::as_array);
    let own = targets.into_iter().flatten().find(|arm| arm["slot"] == slot.as_str());
    Ok(own.is_some_and(|arm| arm["version"] == to.snapshot.version.to_string()))
}
