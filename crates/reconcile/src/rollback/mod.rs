//! Rolling a slot back in Workers KV, before Git says so: to which version, and the
//! records that are written.
//!
//! Every record of the component that leads to the slot is changed, not its own
//! alone: where production sends 10 % to canary, a rollback of canary is one for
//! these callers too. Shares and segments stay as they are. Each record gets a hold,
//! so that a sync leaves it until Git agrees.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::history;
use crate::plan::Write;
use catalog::name::ComponentName;
use catalog::record::{
    Arm, CatalogRecord, Hold, MAX_MOVES, Move, SlotEntry, SlotRecord, VersionRecord,
};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::Notice;

/// A component as KV has it.
#[derive(Clone, Debug)]
pub struct Present {
    /// Its name.
    pub name: ComponentName,
    /// Every slot's record.
    pub slots: BTreeMap<Slot, SlotRecord>,
    /// Its catalog record, if there is one.
    pub catalog: Option<CatalogRecord>,
}

/// What a rollback writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The component.
    pub name: ComponentName,
    /// The slot.
    pub slot: Slot,
    /// The version that it stood on.
    pub from: Version,
    /// The version that it stands on from now on, as its record says it.
    pub to: VersionRecord,
    /// The slot's record first, then those that lead to it, then the catalog's.
    pub writes: Vec<Write>,
}

impl Present {
    /// The version to go back to: `wanted`, else the one before, by the moves.
    ///
    /// # Errors
    ///
    /// What stands in the way, and the way on.
    pub fn goal(&self, slot: &Slot, wanted: Option<&Version>) -> Result<Version, Notice> {
        let now = self.standing(slot)?;
        let hold = self.slots.get(slot).and_then(|record| record.hold.as_ref());
        let goal = match (wanted, hold) {
            (Some(wanted), _) => Some(wanted.clone()),
            (None, None) => self.previous(slot, now),
            // A second run of a command that stopped half-way must not go on from there.
            (None, Some(Hold { reason, by, .. })) => {
                let what = format!("it is on hold at {now} already ({reason}, by {by})");
                let help = "to go further back, name the version: --to <version>; to end the \
                            hold, slotctl push --tags --force and slotctl sync";
                return Err(self.notice(slot, what, help));
            }
        };
        let Some(goal) = goal else {
            let what = format!("no move to {now} from a version that is still good is recorded");
            return Err(self.notice(slot, what, "name the version: --to <version>"));
        };
        if goal == *now {
            let help = "name another: --to <version>; slotctl history shows where it was";
            return Err(self.notice(slot, format!("it is {goal} already"), help));
        }
        Ok(goal)
    }

    fn standing(&self, slot: &Slot) -> Result<&Version, Notice> {
        let Some(record) = self.slots.get(slot) else {
            let there: Vec<String> = self.slots.keys().map(Slot::to_string).collect();
            let help = format!("it has: {}", there.join(", "));
            return Err(self.notice(
                slot,
                "the component has no such slot in KV".to_owned(),
                &help,
            ));
        };
        record.own_version().ok_or_else(|| {
            let what = "it has no version of its own: rollouts.toml sends all of its traffic to other slots";
            let help = format!(
                "slotctl rollout {} {slot} --alias <slot> switches it; or roll back the slot that \
                 it leads to",
                self.name
            );
            self.notice(slot, what.to_owned(), &help)
        })
    }

    /// The last version before that is still good.
    fn previous(&self, slot: &Slot, now: &Version) -> Option<Version> {
        let catalog = self.catalog.as_ref()?;
        let moves = catalog.slots.get(slot).map_or(&[][..], |entry| &entry.moves);
        let good = |version: &Version| {
            let known = |record: &&VersionRecord| record.snapshot.version == *version;
            catalog.versions.iter().find(known).is_some_and(|record| record.revoked.is_none())
        };
        history::before(moves, now).into_iter().find(good)
    }

    /// The records that make the slot stand on `to`.
    ///
    /// # Errors
    ///
    /// If the version is revoked, or the slot can't stand on a version.
    pub fn roll_back(
        &self,
        slot: &Slot,
        to: &VersionRecord,
        hold: &Hold,
    ) -> Result<Rollback, Notice> {
        let from = self.standing(slot)?.clone();
        if let Some(reason) = &to.revoked {
            let what = format!("{} is revoked ({reason})", to.snapshot.version);
            return Err(self.notice(slot, what, "name another version: --to <version>"));
        }
        let leads = |record: &&SlotRecord| record.arms().any(|arm| arm.slot == *slot);
        let (own, others): (Vec<&SlotRecord>, Vec<&SlotRecord>) =
            self.slots.values().filter(leads).partition(|record| record.slot == *slot);
        let changed: Vec<(&SlotRecord, SlotRecord)> = own
            .into_iter()
            .chain(others)
            .map(|before| (before, changed(before, slot, to, hold)))
            .collect();
        let mut writes: Vec<Write> =
            changed.iter().map(|(before, now)| self.write(before, now)).collect();
        writes.extend(self.catalog_write(&changed, hold));
        Ok(Rollback { name: self.name.clone(), slot: slot.clone(), from, to: to.clone(), writes })
    }

    fn write(&self, before: &SlotRecord, now: &SlotRecord) -> Write {
        let before = Some(Box::new(before.clone()));
        Write::Slot { name: self.name.clone(), record: Box::new(now.clone()), before }
    }

    /// The catalog with the records as they are from now on, and the moves.
    fn catalog_write(&self, changed: &[(&SlotRecord, SlotRecord)], hold: &Hold) -> Option<Write> {
        let mut record = self.catalog.clone()?;
        for (before, now) in changed {
            let entry = record
                .slots
                .entry(now.slot.clone())
                .or_insert_with(|| SlotEntry { record: now.clone(), moves: Vec::new() });
            entry.record = now.clone();
            entry.moves.splice(0..0, moved(before, now, hold));
            entry.moves.truncate(MAX_MOVES);
        }
        let metadata = record.metadata();
        Some(Write::Catalog { name: self.name.clone(), record: Box::new(record), metadata })
    }

    fn notice(&self, slot: &Slot, what: String, help: &str) -> Notice {
        Notice { subject: format!("{}@{slot}", self.name), what, help: Some(help.to_owned()) }
    }
}

/// A record with another version for the slot. The hold of a record that only leads to
/// the slot stays where it has one: it says of another rollback why.
fn changed(before: &SlotRecord, slot: &Slot, to: &VersionRecord, hold: &Hold) -> SlotRecord {
    let mut now = before.clone();
    let targets = now.targets.iter_mut().map(|target| &mut target.arm);
    let segments = now.segments.iter_mut().map(|(_, arm)| arm);
    for arm in targets.chain(segments).filter(|arm| arm.slot == *slot) {
        arm.snapshot = to.snapshot.clone();
    }
    if now.slot == *slot {
        now.hold = Some(hold.clone());
    } else if now.hold.is_none() {
        now.hold = Some(Hold { slot: Some(slot.clone()), ..hold.clone() });
    }
    now
}

fn moved(before: &SlotRecord, now: &SlotRecord, hold: &Hold) -> Option<Move> {
    let from = before.lead().map(|arm| arm.snapshot.version.clone());
    let Arm { snapshot: to, .. } = now.lead()?;
    (from.as_ref() != Some(&to.version)).then(|| Move {
        from,
        to: to.version.clone(),
        commit: to.sha.clone(),
        author: hold.by.clone(),
        time: hold.at,
        why: hold.reason.clone(),
    })
}
