//! The pure domain of component-resolver: everything that the Worker reads.
//!
//! In scope: names, references, keys, records, the resolution of a reference, assignments,
//! refusals.
//!
//! Out of scope: I/O, a clock, randomness, platform types. The Worker (`src/`) owns HTTP,
//! Workers KV and memory; `crates/reconcile` owns tags and plans; `crates/slotctl` owns the
//! terminal. Everything compiles and is tested on the host and on wasm32.

pub mod access;
pub mod assign;
mod basis;
pub mod conductor;
pub mod digest;
pub mod existing;
pub mod explain;
pub mod grammar;
pub mod json;
pub mod key;
pub mod media_type;
pub mod name;
pub mod nearest;
pub mod parsed;
pub mod problem;
pub mod range;
pub mod record;
pub mod reference;
pub mod refusal;
pub mod resolution;
pub mod slot;
pub mod suggestion;
mod text;
pub mod timestamp;
pub mod version;
pub mod wording;
