//! The plan of a sync: the writes that make Workers KV agree with Git, as a value.
//!
//! In scope: the writes and their order, and what is refused, left unchanged or reported. Out
//! of scope: reading Git and KV, printing, carrying out the plan (`crates/slotctl`), and the
//! clock: the time is passed in as a value.
//!
//! Planning has no I/O: it begins with a listing, asks for the values that it needs beyond the
//! listing's metadata, and ends with the plan. It guarantees:
//!
//! * Only changes are written. A second plan, made after the first was applied, is empty.
//! * The writes are in the safe order: contents, version records, slot records, catalogs, the
//!   index. After any number of them, every slot record that was written names a content that
//!   exists.
//! * The content of a version is immutable. If the content in Git differs from the content in
//!   KV, KV keeps its content, the version is refused, and a slot that uses it is pinned to its
//!   own commit. The other fields of a version record (commit, date, author, path, media type)
//!   follow Git: if a tag is made again on another commit with the same content, only response
//!   headers change.
//! * A record that a later `slotctl` wrote is never overwritten: its component is left
//!   unchanged. A record that can't be read at all is rewritten.
//! * A hold keeps a slot on its version until the slot's tag names the same version or was
//!   moved since the hold was set. Shares and segments still follow `rollouts.toml`, and
//!   records that name the slot follow its hold.
//! * A hold of an arm keeps the arm's share at 0 and its segments out, until `rollouts.toml`
//!   gives the arm less than what the rollback took, or until the arm's tag was moved.
//! * A slot does not serve a revoked version: it serves its last good version, on hold, or
//!   answers 410 if it has no good version. Records that name the slot follow.
//! * A missing release, revocation or table of `rollouts.toml` does not move `latest` back,
//!   lift the revocation or remove the split: see [`Options`].
//! * A slot that splits its traffic names the versions of the slots of its arms, after
//!   refusals: it is rewritten if one of them moves, and left unchanged if one is refused.
//! * A slot or version that a mistake in `rollouts.toml` concerns is left unchanged.
//! * A record in KV without a tag is kept and reported, or, with [`Options::prune`], deleted:
//!   catalogs, then slots, then versions that no slot names any more, and contents a day after
//!   the last record that named them.
//! * A plan that would delete more than half of the slots and versions in KV is
//!   [`Plan::blocked`].

mod actual;
mod component;
mod contents;
mod describe;
mod examined;
mod guard;
mod hold;
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
pub use describe::traffic;
pub use examined::{all_contents, examine_content, examine_record, unread_records};
pub use hold::{liftable, take_out, way_out};
pub use options::Options;
pub use planning::{Planning, PlanningStep};
pub use recorded::{recorded_path, without_path};
pub use traffic::{ArmChange, ArmShare, changes, traffic_changes};
pub use value::{Held, Plan};
pub use write::{Stage, Write};
