//! The statistics of outcomes: they decide if a new version of a component (the candidate) is
//! worse than the old one (stable).
//!
//! The crate is pure: it has no I/O, no clock and no randomness. It counts what callers report
//! and computes evidence from the counts:
//!
//! * [`caller`]: which bad units of a caller count, and with which planned share.
//! * [`evidence`]: how strongly the bad units say that the candidate is worse, valid at every
//!   look.
//! * [`starts`]: the same evidence from several starts, so that late harm is found too.
//! * [`guard`]: from which evidence and which rate the candidate goes back.
//! * [`interval`]: how many times as often the candidate's units are bad.
//! * [`mismatch`]: if the candidate got the share of callers that was planned.
//! * [`means`]: differences of latencies, costs and scores, which are shown and decide nothing.

pub mod caller;
pub mod counts;
pub mod evidence;
mod grid;
pub mod guard;
pub mod interval;
pub mod means;
pub mod mismatch;
pub mod share;
pub mod starts;
