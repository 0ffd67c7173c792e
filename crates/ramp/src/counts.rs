//! Counts of units by planned share.

use std::collections::BTreeMap;

use crate::share::Share;

/// The number of units of one planned share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The units of the candidate.
    pub candidate: u64,
    /// The units of both arms.
    pub all: u64,
}

impl Tally {
    /// Adds one unit.
    pub fn add(&mut self, is_candidate: bool) {
        self.candidate = self.candidate.saturating_add(u64::from(is_candidate));
        self.all = self.all.saturating_add(1);
    }

    /// Returns the units since an earlier tally of the same share.
    fn since(self, earlier: Self) -> Self {
        Self {
            candidate: self.candidate.saturating_sub(earlier.candidate),
            all: self.all.saturating_sub(earlier.all),
        }
    }
}

/// The numbers of units by planned share.
///
/// For the guards these are the bad units only: how often good units are reported does not
/// matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    tallies: BTreeMap<Share, Tally>,
}

impl Counts {
    /// Adds one unit.
    pub fn add(&mut self, share: Share, is_candidate: bool) {
        self.tallies.entry(share).or_default().add(is_candidate);
    }

    /// Adds many units of one share, for example from a database.
    pub fn add_tally(&mut self, share: Share, tally: Tally) {
        let total = self.tallies.entry(share).or_default();
        total.candidate = total.candidate.saturating_add(tally.candidate.min(tally.all));
        total.all = total.all.saturating_add(tally.all);
    }

    /// Returns the units since an earlier state of the same counts.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |share| earlier.tallies.get(share).copied().unwrap_or_default();
        let tallies = self.tallies.iter();
        let differences = tallies.map(|(share, tally)| (*share, tally.since(before(share))));
        Self { tallies: differences.filter(|(_, tally)| tally.all > 0).collect() }
    }

    /// Returns the tallies by share.
    pub fn tallies(&self) -> impl Iterator<Item = (Share, Tally)> {
        self.tallies.iter().map(|(share, tally)| (*share, *tally))
    }

    /// Returns the units of both arms over all shares.
    pub fn total(&self) -> Tally {
        self.tallies.values().fold(Tally::default(), |sum, tally| Tally {
            candidate: sum.candidate.saturating_add(tally.candidate),
            all: sum.all.saturating_add(tally.all),
        })
    }
}
