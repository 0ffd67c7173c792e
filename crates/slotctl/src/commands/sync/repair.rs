//! Finds records and contents in Workers KV that are not as they were written.
//!
//! A plan relies on a listing, so it does not notice them. With `--repair`, all of them are read
//! first, and the plan rewrites those that Git has.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Result;
use catalog::digest::Digest;
use catalog::key::Key;
use notice::Notice;
use reconcile::plan::{
    Actual, Plan, Write, all_contents, examine_content, examine_record, unread_records,
};

use crate::args::SyncArgs;
use crate::context::Session;
use crate::output::count;

/// Reads the values that a plan would not read, and returns the keys of those that are damaged.
pub(super) fn examine(
    session: &Session<'_, SyncArgs>,
    actual: &mut Actual,
) -> Result<BTreeSet<Key>> {
    let Session { store, output, .. } = session;
    let began = Instant::now();
    let mut damaged = BTreeSet::new();
    let (records, meter) = (unread_records(actual), output.meter("records"));
    meter.begin(records.len());
    store.read(&records, |key, value| {
        damaged.extend(examine_record(actual, key, value).then(|| key.clone()));
        meter.add(1);
    })?;
    drop(meter);
    let (contents, meter) = (all_contents(actual), output.meter("contents"));
    meter.begin(contents.len());
    store.contents(&contents, |digest, bytes| {
        let is_damaged = examine_content(actual, digest, bytes.map(Digest::of));
        damaged.extend(is_damaged.then_some(Key::Content(digest)));
        meter.add(1);
    })?;
    drop(meter);
    let (records, contents) = (count(records.len(), "record"), count(contents.len(), "content"));
    let found = count(damaged.len(), "damaged key");
    output.step("read", format_args!("{records} and {contents}: {found}"), began);
    Ok(damaged)
}

/// Refuses the damaged keys that the plan neither writes nor deletes: Git does not have them.
pub(super) fn refuse_unrepaired(damaged: BTreeSet<Key>, plan: &mut Plan) {
    let changed: BTreeSet<Key> =
        plan.writes.iter().map(Write::key).chain(plan.deletions.iter().cloned()).collect();
    let left = damaged.into_iter().filter(|key| !changed.contains(key));
    // Without `--prune`, nothing reads these records.
    let left = left.filter(|key| !matches!(key, Key::Unreferenced(_)));
    plan.refused.extend(left.map(|key| {
        Notice {
            subject: key.to_string(),
            what: "it is damaged, and no tag in Git says what it should be".to_owned(),
            help: Some(
                "restore the tag of its version, or delete what names it: slotctl sync --prune"
                    .to_owned(),
            ),
        }
    }));
}
