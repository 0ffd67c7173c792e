//! Syncs that run while slots are rolled back.
//!
//! A sync that listed KV before the rollback may overwrite the slot's record, and with it the
//! hold. KV has no conditional write. So the rollback announces itself to syncs, and writes
//! again the records that a sync has overwritten nevertheless.

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

/// Writes again the slots that a sync has overwritten since the rollback.
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

/// Warns if `ended` is an error: a rollback continues even if it cannot inform syncs.
pub(super) fn warn(ended: Result<()>, output: &Output) {
    let Err(error) = ended else { return };
    let what = format!("a sync that runs now may move the slot back: {error:#}");
    let help = Some("`slotctl status` shows if the hold is there".to_owned());
    output.warning(&Notice { subject: "rollback".to_owned(), what, help });
}

/// Informs running syncs about the slots that were rolled back.
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

/// Returns the slots whose record in KV is missing, is damaged or has no hold.
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
