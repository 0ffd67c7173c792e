//! Reads that begin before their request is parsed, or end after it.

use std::rc::Weak;

use catalog::digest::Digest;
use catalog::key::Key;
use catalog::resolution::Read;

use super::memory::KeptRecord;

/// A record that was read before its request was parsed.
pub struct ReadAhead {
    /// Its key.
    pub key: Key,
    /// The result.
    pub read: Read<Vec<u8>>,
}

/// A content that is not in memory.
pub struct MissingContent {
    /// The digest under which it can be read.
    pub digest: Digest,
    /// The slot record that names it, if it is still the last good one.
    pub(crate) slot: Weak<KeptRecord>,
}
