//! The compiler from Git's tags to the state that Workers KV should have.
//!
//! It has two steps, because the tags decide which files to find, and the files decide the
//! contents of the records. [`outline()`] takes the tags and lists the versions whose files are
//! wanted ([`WantedVersion`]); [`compile`] takes these files. In between, the caller reads the
//! repository.

mod chain;
mod foreign;
mod outline;
mod records;
mod tags;
mod wanted;

#[cfg(test)]
mod tests;

pub use chain::{Lost, TaggedVersion, stands};
pub use outline::{LogicTag, Outline, outline};
pub use records::{Compiled, compile};
pub use tags::{Commit, MAX_WHY, ObjectId, Peeled, Stamp, Tag, TagObject, Unpeelable};
pub use wanted::{File, WantedVersion};
