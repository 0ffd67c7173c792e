//! Simulated ramps: how often a guard alarms falsely, and how soon it sees harm.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::float_cmp)]

mod guarded;
mod harm;
mod keyed;
mod nulls;

use ramp::guard::Budget;

/// The steps of a ramp, in thousandths of a percent.
const STEPS: [u32; 4] = [1_000, 5_000, 25_000, 50_000];

/// Five guards that may alarm falsely in 1 % of ramps together: `E >= 500`.
const FIVE_GUARDS: Budget = Budget { guards: 5, false_alarms: 0.01 };

/// One guard that may alarm falsely in 5 % of ramps: `E >= 20`.
const ONE_GUARD: Budget = Budget { guards: 1, false_alarms: 0.05 };
