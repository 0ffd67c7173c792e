//! `rollouts.toml`: how a slot's traffic is shared out over slots.
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
//! Tags say what version a slot is, this file who gets it. Here it is read, with
//! the line of every mistake; `policy::routes` holds it against the slots that
//! there are.

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
