//! Where a slot was before, by the moves that its catalog record keeps.

use catalog::record::Move;
use catalog::version::Version;

/// The versions that a slot had before `now`, newest first.
///
/// A return to an earlier version takes back what came after it, so that two rollbacks in
/// a row never end where the first began.
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
