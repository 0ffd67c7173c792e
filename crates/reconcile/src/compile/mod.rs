//! From what Git's tags say to what Workers KV should hold.
//!
//! Two steps, because which files to look for follows from the tags, and what
//! the records say follows from the files: [`outline`] takes the tags and lists
//! the versions whose files are [`WantedVersion`]; [`compile`] takes those
//! files. Reading the repository in between is the caller's.

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
