//! The moves of a slot: what its catalog record keeps of its changes.

use catalog::record::{Arm, Move, PastTraffic, SlotRecord, TrafficMove};
use catalog::timestamp::Timestamp;
use catalog::version::Version;

/// The person who changed a slot, with the time and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The name of the person.
    pub author: String,
    /// The time of the change.
    pub time: Timestamp,
    /// The reason.
    pub why: String,
}

/// Tells if callers get other versions, or other shares of them, by another record of the slot.
pub fn differs(before: &SlotRecord, now: &SlotRecord) -> bool {
    PastTraffic::from(before) != PastTraffic::from(now)
}

/// Returns the move from one record of a slot to another; `None` if callers notice nothing.
pub fn moved(before: Option<&SlotRecord>, now: &SlotRecord, by: Attribution) -> Option<Move> {
    if before.is_some_and(|before| !differs(before, now)) {
        return None;
    }
    // A slot that is gone keeps the version that it served last.
    let Arm { snapshot: to, .. } = leading(now).or_else(|| before.and_then(leading))?;
    let from = before.and_then(leading).map(|arm| arm.snapshot.version.clone());
    let (traffic_from, traffic_to) = (before.map(PastTraffic::from), PastTraffic::from(now));
    let is_sole = |traffic: &PastTraffic| traffic.is_sole(&now.slot);
    let is_plain = is_sole(&traffic_to) && traffic_from.as_ref().is_none_or(is_sole);
    let traffic = (!is_plain).then(|| Box::new(TrafficMove { from: traffic_from, to: traffic_to }));
    let held_before = before.and_then(|before| before.hold.as_ref());
    let held = now.hold.is_some() && now.hold.as_ref() != held_before;
    let Attribution { author, time, why } = by;
    let (to, commit) = (to.version.clone(), to.sha.clone());
    Some(Move { from, to, commit, author, time, why, traffic, held })
}

/// Returns the arm whose version counts as the version of the slot: see [`SlotRecord::lead`],
/// else the arm that most callers get.
fn leading(record: &SlotRecord) -> Option<&Arm> {
    let most = || record.targets.iter().rev().max_by_key(|target| target.weight);
    record.lead().or_else(|| most().map(|target| &target.arm))
}

/// Returns the versions that a slot had before `now`, newest first.
///
/// A return to an earlier version removes the versions after it, so two rollbacks in a row
/// never end at the version where the first one began.
pub fn before(moves: &[Move], now: &Version) -> Vec<Version> {
    let mut path: Vec<&Version> = Vec::new();
    let been = moves.iter().rev().flat_map(|moved| moved.from.iter().chain([&moved.to]));
    for version in been.chain([now]) {
        match path.iter().position(|known| *known == version) {
            Some(at) => path.truncate(at + 1),
            None => path.push(version),
        }
    }
    path.pop();
    path.into_iter().rev().cloned().collect()
}
