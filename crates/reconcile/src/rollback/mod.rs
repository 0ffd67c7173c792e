//! The rollback of a slot in Workers KV, before Git agrees: its target version, and the records
//! to write.
//!
//! Every record of the component that leads to the slot is changed, not only the slot's own: if
//! production sends 10 % to canary, a rollback of canary also affects these callers. Shares and
//! segments stay the same. Each record gets a hold, so that a sync leaves it unchanged until
//! Git agrees.
//!
//! If another slot's version is the bad one, the rollback takes the share and the segments of
//! that slot from the record instead: see [`take_share`].

mod goal;
mod lift;
mod share;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use goal::{Goal, goal};
pub use lift::lift;
pub use share::take_share;

use crate::history::{self, Attribution};
use crate::plan::Write;
use catalog::name::ComponentName;
use catalog::nearest::{BUDGET, nearest};
use catalog::record::{CatalogRecord, Hold, MAX_MOVES, SlotEntry, SlotRecord, VersionRecord};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::Notice;

/// The state of a component in KV.
#[derive(Clone, Debug)]
pub struct Present {
    /// Its name.
    pub name: ComponentName,
    /// The records of all slots.
    pub slots: BTreeMap<Slot, SlotRecord>,
    /// Its catalog record, if there is one.
    pub catalog: Option<CatalogRecord>,
}

/// The result of planning a rollback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The component.
    pub name: ComponentName,
    /// The slot.
    pub slot: Slot,
    /// What the rollback changes.
    pub change: RollbackChange,
    /// The slot's own record first, then records that lead to the slot, then the catalog
    /// record.
    pub writes: Vec<Write>,
}

/// What a rollback changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollbackChange {
    /// The slot's own version.
    Version {
        /// The version before the rollback.
        from: Version,
        /// The record of the version after the rollback.
        to: Box<VersionRecord>,
    },
    /// The share and the segments of another slot, which its own version gets.
    Share {
        /// The version of the other slot.
        from: Version,
        /// The version that gets the share.
        to: Version,
        /// The hold, which names the other slot and what was taken from it.
        hold: Box<Hold>,
    },
}

impl Present {
    /// Returns the version to roll back to: `wanted`, else the previous version by the moves.
    ///
    /// # Errors
    ///
    /// If the slot does not exist, has no version of its own, is on hold already (without
    /// `wanted`), has no recorded earlier good version, or is on that version already.
    pub fn version(&self, slot: &Slot, wanted: Option<&Version>) -> Result<Version, Notice> {
        let now = self.standing(slot)?;
        let hold = self.slots.get(slot).and_then(|record| record.hold.as_ref());
        let goal = match (wanted, hold) {
            (Some(wanted), _) => Some(wanted.clone()),
            (None, None) => self.previous(slot, now),
            // A second run of an interrupted command must not go back further.
            (None, Some(Hold { reason, by, .. })) => {
                let what = format!("it is on hold at {now} already ({reason}, by {by})");
                let help = format!(
                    "to go further back, name the version: --to <version>; to end the hold: \
                     slotctl hold lift {} {slot}",
                    self.name
                );
                return Err(self.notice(slot, what, &help));
            }
        };
        let Some(goal) = goal else {
            let what = format!("no move to {now} from a version that is still good is recorded");
            return Err(self.notice(slot, what, "name the version: --to <version>"));
        };
        if goal == *now {
            let help = "name another: --to <version>; `slotctl history` shows where it was";
            return Err(self.notice(slot, format!("it is {goal} already"), help));
        }
        Ok(goal)
    }

    /// Returns the record of a slot.
    fn record(&self, slot: &Slot) -> Result<&SlotRecord, Notice> {
        self.slots.get(slot).ok_or_else(|| {
            let there: Vec<&str> = self.slots.keys().map(Slot::as_str).collect();
            let near = nearest(slot.as_str(), there.iter().copied(), &mut BUDGET.clone());
            let help = match near {
                Some(near) => format!("did you mean {near}?"),
                None => format!("it has: {}", there.join(", ")),
            };
            self.notice(slot, "the component has no such slot in KV".to_owned(), &help)
        })
    }

    fn standing(&self, slot: &Slot) -> Result<&Version, Notice> {
        self.record(slot)?.own_version().ok_or_else(|| {
            let what = "it has no version of its own: rollouts.toml sends all of its traffic to other slots";
            let help = format!(
                "slotctl rollout {} {slot} --alias <slot> switches it; or roll back the slot that \
                 it leads to",
                self.name
            );
            self.notice(slot, what.to_owned(), &help)
        })
    }

    /// Returns the last earlier version that is still good.
    fn previous(&self, slot: &Slot, now: &Version) -> Option<Version> {
        let catalog = self.catalog.as_ref()?;
        let moves = catalog.slots.get(slot).map_or(&[][..], |entry| &entry.moves);
        history::before(moves, now).into_iter().find(|version| catalog.is_live(version))
    }

    /// Returns the writes that set the slot to `to`.
    ///
    /// # Errors
    ///
    /// If the version is revoked, if the slot does not exist, or if it has no version of its
    /// own.
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
        writes.extend(self.catalog_write(&changed, &attribution(hold)));
        let change = RollbackChange::Version { from, to: Box::new(to.clone()) };
        Ok(Rollback { name: self.name.clone(), slot: slot.clone(), change, writes })
    }

    fn write(&self, before: &SlotRecord, now: &SlotRecord) -> Write {
        let before = Some(Box::new(before.clone()));
        Write::Slot { name: self.name.clone(), record: Box::new(now.clone()), before }
    }

    /// Returns the write of the catalog with the changed records and their moves.
    fn catalog_write(
        &self,
        changed: &[(&SlotRecord, SlotRecord)],
        by: &Attribution,
    ) -> Option<Write> {
        let mut record = self.catalog.clone()?;
        for (before, now) in changed {
            let entry = record
                .slots
                .entry(now.slot.clone())
                .or_insert_with(|| SlotEntry { record: now.clone(), moves: Vec::new() });
            entry.record = now.clone();
            entry.moves.splice(0..0, history::moved(Some(before), now, by.clone()));
            entry.moves.truncate(MAX_MOVES);
        }
        let metadata = record.metadata();
        Some(Write::Catalog { name: self.name.clone(), record: Box::new(record), metadata })
    }

    fn notice(&self, slot: &Slot, what: String, help: &str) -> Notice {
        Notice { subject: format!("{}@{slot}", self.name), what, help: Some(help.to_owned()) }
    }
}

/// Returns the author, the time and the reason of a hold.
fn attribution(hold: &Hold) -> Attribution {
    Attribution { author: hold.by.clone(), time: hold.at, why: hold.reason.clone() }
}

/// Returns the record with another version for the slot. Holds of arms stay: they give the
/// reasons of other rollbacks. So does any hold of a record that only leads to the slot.
fn changed(before: &SlotRecord, slot: &Slot, to: &VersionRecord, hold: &Hold) -> SlotRecord {
    let mut now = before.clone();
    let targets = now.targets.iter_mut().map(|target| &mut target.arm);
    let segments = now.segments.iter_mut().map(|(_, arm)| arm);
    for arm in targets.chain(segments).filter(|arm| arm.slot == *slot) {
        arm.snapshot = to.snapshot.clone();
    }
    if now.slot == *slot {
        let of_arms: Vec<Hold> =
            before.holds().filter(|hold| hold.arm().is_some()).cloned().collect();
        now.hold = Hold::join([hold.clone()].into_iter().chain(of_arms));
    } else if now.hold.is_none() {
        now.hold = Some(Hold { slot: Some(slot.clone()), ..hold.clone() });
    }
    now
}
