//! The plan of a sync: from what Git says should be in Workers KV and what is
//! there to the writes that make the two agree, as a value.
//!
//! In scope: what is written, in which order, what is refused, left or reported.
//! Not here: reading Git and KV, printing, carrying out (`crates/slotctl`), and the
//! clock: the time is a value like any other.
//!
//! Planning has no I/O: it begins with a listing, asks for the values that it
//! needs beyond the listing's metadata, and ends with the plan. What it promises:
//!
//! * Only what changed is written. A second plan, after the first was applied,
//!   is empty.
//! * The writes stand in the safe order: contents, version records, slot
//!   records, catalogs, the index. After any number of them every slot record that was
//!   written names a content that is there.
//! * A version is immutable in its content. Where Git's differs from KV's, KV's
//!   stays, the version is refused, and a slot that stands on it is pinned to
//!   its own commit. What else a version's record says (commit, date, author,
//!   path, media type) follows Git: a tag made again on another commit with the
//!   same content changes nothing that is served under that version but headers.
//! * What a later `slotctl` wrote is never overwritten: the component is left as
//!   it is. What can't be read at all is written anew.
//! * A hold keeps a slot on its version until the slot's tag names the same version or
//!   was moved since the hold was set. Shares and segments follow `rollouts.toml`
//!   meanwhile, and records that name the slot follow its hold.
//! * A revoked version is not served by a slot either: its last good version is, on
//!   hold, or else the slot is gone. Records that name the slot follow.
//! * `latest` never goes back, and neither a revocation nor a table of `rollouts.toml`
//!   goes, because something is missing: see [`Options`].
//! * A slot that shares out its traffic names the versions that the slots of its
//!   arms stand on, after refusals: it is written again when one of them moves, and
//!   left where one is refused.
//! * What a mistake in `rollouts.toml` concerns stays as it is.
//! * What KV has and no tag has is kept and reported, or, with
//!   [`Options::prune`], deleted: catalogs, then slots, then versions that no slot
//!   names any more, contents a day after the last record that named them.
//! * What would delete over half of what is there is [`Plan::blocked`].

mod actual;
mod component;
mod contents;
mod describe;
mod guard;
mod index;
mod options;
mod planning;
mod recorded;
mod short;
mod stored;
mod traffic;
mod value;
mod verdict;
mod write;

#[cfg(test)]
mod tests;

pub use actual::Actual;
pub use describe::way_out;
pub use options::Options;
pub use planning::{Planning, PlanningStep};
pub use recorded::{recorded_path, without_path};
pub use traffic::{ArmChange, ArmShare, changes};
pub use value::{Held, Plan};
pub use write::{Stage, Write};
