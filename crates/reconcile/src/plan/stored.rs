//! The value of a key in Workers KV, as far as it was read.

use catalog::record::{self, Record, RecordError};

/// The value of a listed key.
#[derive(Debug)]
pub(super) enum Stored<T> {
    /// The value was not read yet.
    Unread,
    /// The key was deleted after the listing.
    Absent,
    /// A record.
    Record(T),
    /// The value is not a valid record, for this reason.
    Unreadable(String),
    /// A record of this format, which a later `slotctl` wrote.
    Newer(u32),
}

/// A value in KV that was read.
pub(super) enum Known<'a, T> {
    /// The key does not exist.
    Absent,
    /// A record.
    Record(&'a T),
    /// The value is not a valid record, for this reason.
    Unreadable(&'a str),
}

/// The reason why a value in KV can't be used.
pub(super) enum Blocked {
    /// The value was not read yet.
    Unread,
    /// The value has this later format.
    Newer(u32),
}

impl<T> Stored<T> {
    pub(super) fn is_unread(&self) -> bool {
        matches!(self, Self::Unread)
    }

    pub(super) fn known(&self) -> Result<Known<'_, T>, Blocked> {
        match self {
            Self::Unread => Err(Blocked::Unread),
            Self::Newer(format) => Err(Blocked::Newer(*format)),
            Self::Absent => Ok(Known::Absent),
            Self::Record(record) => Ok(Known::Record(record)),
            Self::Unreadable(why) => Ok(Known::Unreadable(why)),
        }
    }
}

/// Stores the value that was read; `own` tells if a record belongs to its key.
pub(super) fn put<T: Record>(
    stored: Option<&mut Stored<T>>,
    value: Option<&[u8]>,
    own: impl Fn(&T) -> bool,
) {
    let Some(stored) = stored else { return };
    *stored = match value.map(record::parse) {
        None => Stored::Absent,
        Some(Ok(record)) if own(&record) => Stored::Record(record),
        Some(Ok(_)) => Stored::Unreadable("it is the record of another key".to_owned()),
        Some(Err(RecordError::Malformed(why))) => Stored::Unreadable(why),
        Some(Err(RecordError::FormatTooHigh { found })) => Stored::Newer(found),
    };
}
