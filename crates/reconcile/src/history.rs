//! The earlier versions of a slot, by the moves in its catalog record.

use catalog::record::Move;
use catalog::version::Version;

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
