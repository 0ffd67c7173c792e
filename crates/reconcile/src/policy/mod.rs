//! `rollouts.toml`: the splits of slots' traffic between slots, and revocations.
//!
//! ```toml
//! ["prompts/extraction".production]
//! split = { canary = 10 }                  # 10 % get what canary points to
//! segments = { beta = "ring-1" }           # these callers get that slot
//! ["prompts/extraction".live]
//! alias = "green"                          # all of it
//! ["prompts/extraction".strict]
//! on-revoked = "gone"                      # 410 in place of an earlier version
//! ["prompts/extraction"]
//! revoked = { "v1.0.3" = "leaks the system prompt" }
//! ```
//!
//! Tags set the version of a slot; this file sets which callers get it. This module reads the
//! file, with the line of every mistake. [`routes()`] compares it with the existing slots.

mod apply;
mod file;
mod read;
mod routes;

#[cfg(test)]
mod tests;

pub use apply::apply;
pub use file::{
    ComponentPolicy, FILE, MistakeScope, Policy, PolicyError, PolicyReading, SlotPolicy,
};
pub use read::{parse, percent, read};
pub use routes::{Routes, routes};
