//! `rollouts.toml`: how a slot's traffic is shared out over slots.
//!
//! ```toml
//! ["prompts/extraction".production]
//! split = { canary = 10 }                  # 10 % get what canary points to
//! segments = { beta = "ring-1" }           # these callers get that slot
//! ["prompts/extraction".live]
//! alias = "green"                          # all of it
//! ["prompts/extraction"]
//! revoked = { "v1.0.3" = "leaks the system prompt" }
//! ```
//!
//! Tags say what version a slot is, this file who gets it. Here it is read, with
//! the line of every mistake; `policy::routes` holds it against the slots that
//! there are.

mod read;
mod routes;

use std::collections::BTreeMap;
use std::fmt;

use crate::name::ComponentName;
use crate::slot::Slot;
use crate::version::Version;

pub use routes::{Route, Routes, routes};

/// The file's name, at the root of the components repository.
pub const FILE: &str = "rollouts.toml";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// By component.
    pub components: BTreeMap<ComponentName, ComponentPolicy>,
}

/// What the file says of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentPolicy {
    /// How slots share out their traffic.
    pub slots: BTreeMap<Slot, SlotPolicy>,
    /// Withdrawn versions and why.
    pub revoked: BTreeMap<Version, String>,
}

/// How a slot shares out its traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotPolicy {
    /// The line that says so, from 1.
    pub line: usize,
    /// Other slots with their shares in thousandths of a percent, in the order of
    /// the file; the slot's own version gets the rest.
    pub split: Vec<(Slot, u32)>,
    /// The split is an alias: the slot's own version has no part in it.
    pub alias: bool,
    /// Groups of callers and the slot that each gets.
    pub segments: BTreeMap<String, Slot>,
}

/// A mistake in the file: where it is, what it is and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FILE}:{}: {}. {}", self.line, self.what, self.help)
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Reads the file; every mistake in it is returned, in the order of the lines.
    pub fn parse(text: &str) -> Result<Self, Vec<PolicyError>> {
        read::read(text)
    }
}

#[cfg(test)]
mod tests;
