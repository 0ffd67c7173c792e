//! The contents' part of a plan: which are written, which may go.
//!
//! A content goes a day after the last record that named it (see
//! `docs/decisions/0007-prune.md`). Since when that is stands in KV beside it, in
//! a record of its own under a key of its own, so that two syncs at once can't
//! undo each other's.

use std::collections::{BTreeMap, BTreeSet};

use super::actual::Actual;
use super::options::Options;
use super::value::Plan;
use super::write::Write;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::is_due;

/// Adds what becomes of contents; `wanted` are those that Git has, with their sizes.
pub(super) fn add(
    plan: &mut Plan,
    actual: &Actual,
    wanted: &BTreeMap<Digest, u64>,
    options: &Options,
    complete: bool,
) {
    let named = actual.named(|_| true);
    for (&digest, &size) in wanted {
        // One that was unreferenced may be on its way out by another hand: the record
        // is renewed first, which stays that hand, and then the content.
        let revived = actual.unreferenced.contains_key(&digest) && !named.contains(&digest);
        if revived {
            plan.writes.push(Write::Unreferenced { digest, since: options.now });
        }
        match actual.has_content(digest, &named) && !revived {
            true => plan.unchanged += 1,
            false => plan.writes.push(Write::Content { digest, size }),
        }
    }
    // Of a part of KV, or of one that holds records of a later format, nobody can
    // say what is unreferenced.
    if options.prune && complete && actual.scope.is_none() {
        let kept = kept(plan, actual);
        let stays = |digest: &Digest| wanted.contains_key(digest) || kept.contains(digest);
        for digest in actual.contents.iter().filter(|digest| !stays(digest)) {
            unreferenced(plan, actual, *digest, named.contains(digest), options);
        }
        // Records of contents that are named again, or gone.
        let over = |digest: &&Digest| {
            !actual.contents.contains(*digest) && !wanted.contains_key(*digest)
                || named.contains(*digest) && stays(digest)
        };
        let over = actual.unreferenced.keys().filter(over);
        plan.deletions.extend(over.map(|digest| Key::Unreferenced(*digest)));
    }
}

/// The contents that records will name: those that stay as they are, and those that
/// are written (a refused version's record too, where it is revoked).
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

/// A content that no record names from now on; `until_now` one did.
fn unreferenced(
    plan: &mut Plan,
    actual: &Actual,
    digest: Digest,
    until_now: bool,
    options: &Options,
) {
    match actual.unreferenced.get(&digest).copied().flatten() {
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
