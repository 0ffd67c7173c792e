//! Records as bytes: parsing, writing and errors.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::json;

/// The format that this code writes and the highest that it reads.
pub const FORMAT: u32 = 1;

/// The reason why a stored record cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The value is not a valid record of its kind: the message of the parser or the check.
    Malformed(String),
    /// A later version of this software wrote the record.
    FormatTooHigh {
        /// The format of the record.
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

/// The one member that records of all formats have.
#[derive(Deserialize)]
struct FormatProbe {
    format: u32,
}

/// Parses a record from the bytes of a value in KV and checks it.
///
/// # Errors
///
/// [`RecordError`] if the bytes are not a valid record, or if its format is too high.
pub fn parse<T: Record>(bytes: &[u8]) -> Result<T, RecordError> {
    let read = json::object::<T>(bytes);
    // A later format may have changed every other member, so only this one can be read.
    let format = match &read {
        Ok(record) => record.format(),
        Err(_) => json::object::<FormatProbe>(bytes).map_err(RecordError::Malformed)?.format,
    };
    if format > FORMAT {
        return Err(RecordError::FormatTooHigh { found: format });
    }
    let record = read.map_err(RecordError::Malformed)?;
    record.check().map_err(RecordError::Malformed)?;
    Ok(record)
}

/// A record. Its format decides if it can be used.
pub trait Record: DeserializeOwned {
    /// Returns the format in which it was written.
    fn format(&self) -> u32;

    /// Checks what the types alone cannot express.
    ///
    /// # Errors
    ///
    /// The reason why the record cannot be used.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Writes a record in its stored form: compact JSON with members in a fixed order.
pub fn write<T: Serialize>(record: &T) -> Vec<u8> {
    // Records have only string keys, and writing to a Vec does not fail.
    serde_json::to_vec(record).unwrap_or_default()
}
