//! Timestamps: the time of a commit or of a move of a slot.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A time in whole seconds, written in RFC 3339 in UTC in one spelling
/// (`2026-11-20T23:59:27Z`).
///
/// Git stores seconds of any sign and size. A time outside the years 1970 to 9999, which an
/// HTTP date cannot express, becomes the nearest bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(u64);

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

impl Timestamp {
    /// Returns the time `seconds` after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Self {
        Self(u64::try_from(seconds).unwrap_or(0).min(LAST_SECOND))
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> u64 {
        self.0
    }

    /// Formats the time for HTTP (RFC 9110, section 5.6.7, IMF-fixdate).
    pub fn http_date(self) -> String {
        let (year, month, day) = self.date();
        let weekday = name(WEEKDAYS, self.days() % 7);
        let month = name(MONTHS, month - 1);
        format!("{weekday}, {day:02} {month} {year} {} GMT", self.time())
    }

    /// Returns the days since 1970-01-01.
    fn days(self) -> u32 {
        // Not above `LAST_SECOND`, so it fits.
        (self.0 / DAY) as u32
    }

    /// Returns year, month and day in the Gregorian calendar.
    fn date(self) -> (u32, u32, u32) {
        // The year begins in March here, so that the leap day is its last day: 400 such years
        // have 146,097 days, five of their months 153.
        let days = self.days() + BEFORE_1970;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (turn, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
        (400 * era + year + turn, month, day)
    }

    /// Returns the first second of a day, or an arbitrary time if the day does not exist.
    fn of_date(year: u32, month: u32, day: u32) -> Self {
        // The inverse of the calculation in `date`.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
        Self(u64::from(days - 1 - BEFORE_1970) * DAY)
    }

    /// Parses a time. The result is correct only if writing it gives `text` again.
    fn read(text: &str) -> Option<Self> {
        let number = |at: std::ops::Range<usize>| text.get(at)?.parse::<u32>().ok();
        let date = (number(0..4)?, number(5..7)?, number(8..10)?);
        let time = 3_600 * number(11..13)? + 60 * number(14..16)? + number(17..19)?;
        let (year, month, day) = date;
        if year < 1970 || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        Some(Self(Self::of_date(year, month, day).0 + u64::from(time)))
    }

    /// Formats the time of day: `23:59:27`.
    fn time(self) -> String {
        let (minutes, second) = (self.0 / 60, self.0 % 60);
        format!("{:02}:{:02}:{second:02}", minutes / 60 % 24, minutes % 60)
    }
}

/// A day in seconds.
const DAY: u64 = 86_400;

/// The days from 0000-03-01 to 1970-01-01.
const BEFORE_1970: u32 = 719_468;

/// The first name is the weekday of 1970-01-01.
const WEEKDAYS: &str = "ThuFriSatSunMonTueWed";

const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// Returns the name at `index` in a list of three-letter names.
fn name(names: &'static str, index: u32) -> &'static str {
    let start = 3 * index as usize;
    names.get(start..start + 3).unwrap_or_default()
}

/// The error of a text that is not an RFC 3339 time in UTC.
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
        Self::read(text).filter(|time| time.to_string() == text).ok_or(TimestampError)
    }
}

crate::text::stored_as_text!(Timestamp, TimestampError);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year}-{month:02}-{day:02}T{}Z", self.time())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Formats a time with libraries that are too large for the Worker.
    fn peers(time: Timestamp) -> (String, String) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time.unix());
        (humantime::format_rfc3339_seconds(time).to_string(), httpdate::fmt_http_date(time))
    }

    #[test]
    fn every_day_is_formatted_like_in_other_crates() {
        // The calendar repeats every 400 years; the second range is the end of the supported
        // years.
        let years = (0..160_000).chain(2_900_000..=LAST_SECOND / DAY);
        for day in years {
            let time = Timestamp(day * DAY + day % DAY);
            assert_eq!((time.to_string(), time.http_date()), peers(time));
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }

    #[test]
    fn http_date_clamps_to_the_nearest_bound() {
        for (unix, written, http) in [
            (-5, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_000_000_000, "2001-09-09T01:46:40Z", "Sun, 09 Sep 2001 01:46:40 GMT"),
            (i64::MAX, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            let time = Timestamp::from_unix(unix);
            assert_eq!((time.to_string(), time.http_date()), (written.into(), http.into()));
        }
    }

    #[test]
    fn parse_refuses_other_formats() {
        for text in [
            "",
            "yesterday",
            "2026-11-20",
            "2026-11-20T23:59:27",
            "2026-11-20 23:59:27Z",
            "2026-11-20T23:59:27.5Z",
            "2026-11-20T23:59:27+00:00",
            "2026-11-20t23:59:27z",
            "2026-13-20T00:00:00Z",
            "2026-00-20T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T23:60:00Z",
            "2026-11-20T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:60Z",
            "9999-99-99T99:99:99Z",
            "2026-+1-20T00:00:00Z",
            "2026-11-20T23:59:2\u{e9}",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
