//! The records in Workers KV, which `slotctl` writes and the Worker reads.
//!
//! Every record has a `format`. A reader ignores unknown members and refuses a higher
//! format. A change that an older reader could misread raises the format.
//! `docs/kv-format.md` describes the records for people.

mod bytes;
mod hold;
mod index;
mod listing;
mod moves;
mod ranges;
mod rows;
mod slot;
mod snapshot;
mod sync;
mod unreferenced;
mod version;

pub use bytes::{FORMAT, Record, RecordError, parse, write};
pub use hold::{Gone, Hold};
pub use index::{IndexMetadata, IndexRecord, IndexedSlots};
pub use listing::{CatalogMetadata, CatalogRecord, CatalogState, MAX_MOVES, SlotEntry};
pub use moves::{Move, PastArm, PastTarget, PastTraffic, TrafficMove};
pub use ranges::{RangesMetadata, RangesRecord};
pub use slot::{Arm, FULL_WEIGHT, SlotRecord, Target};
pub use snapshot::Snapshot;
pub use sync::{HeldSlot, Newest, RollbackRun, RunId, RunIdError, SyncRecord, SyncSource};
pub use unreferenced::{GRACE, UnreferencedMetadata, UnreferencedRecord, is_due, is_future};
pub use version::{FileMetadata, VersionMetadata, VersionRecord};

/// The largest value that Workers KV accepts, in bytes (25 MiB).
pub const MAX_VALUE: u64 = 25 * 1024 * 1024;
