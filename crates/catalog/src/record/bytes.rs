//! Records as bytes: what can be wrong with them, reading and writing.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::json;

/// The format that this code writes and the highest that it reads.
pub const FORMAT: u32 = 1;

/// Why a stored record can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Not the JSON that the record's kind needs; what the parser said.
    Malformed(String),
    /// Written by a later version of this software.
    FormatTooHigh {
        /// The record's format.
        found: u32,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "malformed record: {why}"),
            Self::FormatTooHigh { found } => write!(
                f,
                "the record has format {found}, this version reads up to {FORMAT}: \
                 release a newer one first"
            ),
        }
    }
}

impl std::error::Error for RecordError {}

/// The one member that a record of any format has.
#[derive(Deserialize)]
struct Probe {
    format: u32,
}

/// Reads a record from the bytes of a value in KV. What it returns can be used: the
/// record has been checked.
///
/// # Errors
///
/// [`RecordError`] if the bytes are no valid record or of a later format.
pub fn parse<T: Record>(bytes: &[u8]) -> Result<T, RecordError> {
    let read = json::object::<T>(bytes);
    // A later format may have changed any other member, so that nothing else can be read.
    let format = match &read {
        Ok(record) => record.format(),
        Err(_) => json::object::<Probe>(bytes).map_err(RecordError::Malformed)?.format,
    };
    if format > FORMAT {
        return Err(RecordError::FormatTooHigh { found: format });
    }
    let record = read.map_err(RecordError::Malformed)?;
    record.check().map_err(RecordError::Malformed)?;
    Ok(record)
}

/// A record, whose format decides whether it may be used.
pub trait Record: DeserializeOwned {
    /// The format that it was written in.
    fn format(&self) -> u32;

    /// Checks what the types alone cannot express.
    ///
    /// # Errors
    ///
    /// Why the record cannot be used.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Writes a record as it is stored: compact JSON, members in a fixed order.
pub fn write<T: Serialize>(record: &T) -> Vec<u8> {
    // The records have string keys only and no I/O is behind a Vec.
    serde_json::to_vec(record).unwrap_or_default()
}
