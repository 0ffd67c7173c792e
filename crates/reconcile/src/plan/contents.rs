//! The contents in a plan: which are written and which are deleted.
//!
//! A content is deleted a day after the last record that named it (see
//! `docs/decisions/0007-prune.md`). KV keeps the time at which it became unreferenced in a
//! separate record under its own key, so that two syncs at the same time can't overwrite each
//! other's.

use std::collections::{BTreeMap, BTreeSet};

use super::actual::Actual;
use super::options::Options;
use super::value::Plan;
use super::write::Write;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::{is_due, is_future};
use catalog::timestamp::Timestamp;
use notice::Notice;

/// Adds the writes and deletions of contents; `wanted` are the contents in Git, with their
/// sizes.
pub(super) fn add(
    plan: &mut Plan,
    actual: &Actual,
    wanted: &BTreeMap<Digest, u64>,
    options: &Options,
    complete: bool,
) {
    let named = actual.named(|_| true);
    for (&digest, &size) in wanted {
        // Another sync may be about to delete an unreferenced content. The record is renewed
        // first, which stops that sync, and then the content is written.
        let revived = actual.unreferenced.contains_key(&digest) && !named.contains(&digest);
        if revived {
            plan.writes.push(Write::Unreferenced { digest, since: options.now });
        }
        match actual.has_content(digest, &named) && !revived {
            true => plan.unchanged += 1,
            false => plan.writes.push(Write::Content { digest, size }),
        }
    }
    // Unreferenced contents are known only if all of KV was listed and no record has a later
    // format.
    if options.prune && complete && actual.scope.is_none() {
        let kept = kept(plan, actual);
        let stays = |digest: &Digest| wanted.contains_key(digest) || kept.contains(digest);
        for digest in actual.contents.iter().filter(|digest| !stays(digest)) {
            unreferenced(plan, actual, *digest, named.contains(digest), options);
        }
        // Records of contents that are named again or no longer exist.
        let over = |digest: &&Digest| {
            !actual.contents.contains(*digest) && !wanted.contains_key(*digest)
                || named.contains(*digest) && stays(digest)
        };
        let over = actual.unreferenced.keys().filter(over);
        plan.deletions.extend(over.map(|digest| Key::Unreferenced(*digest)));
    }
}

/// Returns the contents that records will name: those of unchanged records and those of written
/// records (also the record of a refused version that is revoked).
fn kept(plan: &Plan, actual: &Actual) -> BTreeSet<Digest> {
    let changed = plan.writes.iter().map(Write::key).chain(plan.deletions.iter().cloned());
    let changed: BTreeSet<Key> = changed.collect();
    let mut named = actual.named(|key| !changed.contains(key));
    for write in &plan.writes {
        match write {
            Write::Version { record, .. } => drop(named.insert(record.snapshot.digest)),
            Write::Slot { record, .. } => {
                named.extend(record.arms().map(|arm| arm.snapshot.digest));
            }
            _ => {}
        }
    }
    named
}

/// Adds a content that no record names any more; `until_now` tells if a record named it before.
fn unreferenced(
    plan: &mut Plan,
    actual: &Actual,
    digest: Digest,
    until_now: bool,
    options: &Options,
) {
    let noted = actual.unreferenced.get(&digest).copied().flatten();
    let (since, early) = match noted {
        Some(since) if is_future(since, options.now) => (None, Some(since)),
        since => (since, None),
    };
    plan.warnings.extend(early.map(|since| from_the_future(digest, since)));
    match since {
        Some(since) if !until_now && is_due(since, options.now) => {
            plan.deletions.extend([Key::Content(digest), Key::Unreferenced(digest)]);
        }
        Some(since) if !until_now => drop(plan.unreferenced.insert(digest, since)),
        _ => {
            plan.writes.push(Write::Unreferenced { digest, since: options.now });
            plan.unreferenced.insert(digest, options.now);
        }
    }
}

/// Returns the notice of a record whose time lies in the future: it would keep the content until then.
fn from_the_future(digest: Digest, since: Timestamp) -> Notice {
    let what = format!(
        "no record names this content since {since}, which is in the future: the clock of the \
         computer that wrote this was wrong; the day until the content is deleted begins now"
    );
    Notice { subject: Key::Unreferenced(digest).to_string(), what, help: None }
}
