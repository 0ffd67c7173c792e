//! Moments: when a version was committed, when a slot moved.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A moment in whole seconds, written in RFC 3339 in UTC (`2026-11-20T23:59:27Z`).
///
/// Git stores seconds of any sign and size; what lies outside the years 1970 to
/// 9999, which HTTP's date cannot express, becomes the nearest bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(u64);

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

impl Timestamp {
    /// The moment `seconds` after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Self {
        Self(u64::try_from(seconds).unwrap_or(0).min(LAST_SECOND))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> u64 {
        self.0
    }

    /// The moment as HTTP writes it (RFC 9110, section 5.6.7, IMF-fixdate).
    pub fn http_date(self) -> String {
        httpdate::fmt_http_date(self.system_time())
    }

    fn system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

/// A text that is no RFC 3339 moment in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampError;

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a moment in RFC 3339 and UTC, such as 2026-11-20T23:59:27Z")
    }
}

impl std::error::Error for TimestampError {}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time = humantime::parse_rfc3339(text).map_err(|_| TimestampError)?;
        let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| TimestampError)?;
        Ok(Self(since.as_secs().min(LAST_SECOND)))
    }
}

crate::text::stored_as_text!(Timestamp, TimestampError);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.system_time()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_back() {
        for (unix, written, http) in [
            (0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_000_000_000, "2001-09-09T01:46:40Z", "Sun, 09 Sep 2001 01:46:40 GMT"),
            (i64::MAX, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            let time = Timestamp::from_unix(unix);
            assert_eq!((time.to_string(), time.http_date()), (written.into(), http.into()));
            assert_eq!(written.parse(), Ok(time));
        }
        assert_eq!(Timestamp::from_unix(-5).unix(), 0);
    }

    #[test]
    fn refused() {
        for text in ["", "2026-11-20", "2026-13-20T00:00:00Z", "yesterday"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
