//! Evidence from several starts, so that harm that begins late is found.
//!
//! ```text
//! E = Σ_i E_i / ((i+1)(i+2)) + 1/(started+1)
//! ```
//!
//! A start is made at each step, and then every hour. `E_i` has the evidence of the units since
//! start `i`. The weights of the starts that were made and the rest for those to come add up to
//! 1, so `E` is bounded like a single one: mixtures over starts, as in e-detectors (Shin, Ramdas,
//! Rinaldo, arXiv:2203.03532).

use crate::counts::Counts;
use crate::evidence::{Side, log_evidence};
use crate::grid::log_sum_exp;
use crate::share::Share;

/// The bad units of a ramp, with the counts at each start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    now: Counts,
    at_start: Vec<Counts>,
}

impl Starts {
    /// Restores the state from the counts now and at each start, oldest first.
    pub fn restore(now: Counts, at_start: Vec<Counts>) -> Self {
        Self { now, at_start }
    }

    /// Makes a start: the evidence is also computed over the units from now on.
    pub fn start(&mut self) {
        self.at_start.push(self.now.clone());
    }

    /// Adds a bad unit.
    pub fn add(&mut self, share: Share, is_candidate: bool) {
        self.now.add(share, is_candidate);
    }

    /// Returns the bad units since the first start.
    pub fn counts(&self) -> Counts {
        self.since(self.at_start.first())
    }

    /// Returns the counts at each start, oldest first.
    pub fn at_start(&self) -> &[Counts] {
        &self.at_start
    }

    /// Returns `ln E`, the evidence over all starts that the ratio of bad shares is above
    /// `tolerate`.
    pub fn log_evidence(&self, tolerate: f64) -> f64 {
        let started = self.at_start.len() as f64;
        let of_starts = self.at_start.iter().enumerate().map(|(number, start)| {
            let weight = (number as f64 + 1.0) * (number as f64 + 2.0);
            log_evidence(&self.since(Some(start)), tolerate, Side::More) - weight.ln()
        });
        let still_to_come = -(started + 1.0).ln();
        log_sum_exp(&of_starts.chain([still_to_come]).collect::<Vec<_>>())
    }

    fn since(&self, start: Option<&Counts>) -> Counts {
        start.map_or_else(|| self.now.clone(), |start| self.now.since(start))
    }
}
