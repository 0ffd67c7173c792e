//! Syncs that run while slots are rolled back.
//!
//! A sync that listed KV before may write a slot's record as Git had it over the one
//! that holds the slot. So it is told, and what it overwrote all the same is written
//! again: KV has no conditional write.

use std::collections::BTreeSet;

use anyhow::Result;
use catalog::key::Key;
use catalog::record::{self, HeldSlot, SlotRecord};
use notice::Notice;
use reconcile::plan::{Stage, Write};
use reconcile::rollback::Rollback;

use crate::args::RollbackArgs;
use crate::context::Session;
use crate::output::{Output, count};
use crate::runs;
use crate::store::Store;

/// Writes again what a sync overwrote since.
pub(super) fn restore(session: &Session<'_, RollbackArgs>, rollbacks: &[Rollback]) -> Result<()> {
    let Session { store, output, .. } = session;
    let lost = overwritten(store, rollbacks)?;
    if lost.is_empty() {
        return Ok(());
    }
    let of_lost =
        |rollback: &&Rollback| rollback.writes.iter().any(|write| lost.contains(&write.key()));
    let writes = rollbacks.iter().filter(of_lost).flat_map(|rollback| &rollback.writes);
    store.write_records(&writes.collect::<Vec<&Write>>())?;
    tell(store, rollbacks)?;
    let slots = count(lost.len(), "slot");
    output
        .say(format_args!("       {slots} overwritten by a sync at the same time, written again"));
    Ok(())
}

/// An emergency goes on also where syncs can't be told.
pub(super) fn warn(ended: Result<()>, output: &Output) {
    let Err(error) = ended else { return };
    let what = format!("a sync that runs now may move the slot back: {error:#}");
    let help = Some("slotctl status shows whether the hold is there".to_owned());
    output.warning(&Notice { subject: "rollback".to_owned(), what, help });
}

/// Tells syncs that run what was rolled back.
pub(super) fn tell(store: &Store<'_>, rollbacks: &[Rollback]) -> Result<()> {
    let writes = rollbacks.iter().flat_map(|rollback| &rollback.writes);
    let slot = |write: &Write| match write {
        Write::Slot { name, record, .. } => {
            Some(HeldSlot { component: name.clone(), record: (**record).clone() })
        }
        _ => None,
    };
    runs::tell_syncs(store, writes.filter_map(slot).collect())
}

/// The slots that are not as they were written and on no other hold.
fn overwritten(store: &Store<'_>, rollbacks: &[Rollback]) -> Result<BTreeSet<Key>> {
    let writes = rollbacks.iter().flat_map(|rollback| &rollback.writes);
    let slots = writes.filter(|write| write.stage() == Stage::Slots).map(Write::key);
    let mut lost = BTreeSet::new();
    store.read(&slots.collect::<Vec<Key>>(), |key, value| {
        let record = value.and_then(|value| record::parse::<SlotRecord>(value).ok());
        if record.is_none_or(|record| record.hold.is_none()) {
            lost.insert(key.clone());
        }
    })?;
    Ok(lost)
}
