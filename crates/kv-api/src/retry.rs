//! The waits between attempts.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The waits between attempts. They double and have jitter, so that clients that failed
/// together do not retry together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy(ExponentialBuilder);

/// The longest `Retry-After` that is honoured. Cloudflare counts calls over five minutes, so it
/// never asks for more.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

impl RetryPolicy {
    /// Creates a policy of at most `times` waits, from `first`, doubled up to `longest`.
    pub(crate) fn new(first: Duration, longest: Duration, times: usize) -> Self {
        let builder = ExponentialBuilder::new().with_factor(2.0).with_jitter();
        Self(builder.with_min_delay(first).with_max_delay(longest).with_max_times(times))
    }

    /// Returns the waits of one call.
    pub(crate) fn delays(&self) -> ExponentialBackoff {
        self.0.build()
    }
}

/// Returns the wait before the next attempt: the longer of the policy's wait and the wait that
/// the server asks for. Returns `None` if no attempts are left or the server asks for too long
/// a wait.
pub(crate) fn wait(own: Option<Duration>, asked: Option<Duration>) -> Option<Duration> {
    let wait = own?.max(asked.unwrap_or_default());
    (wait <= LONGEST_WAIT || asked.is_none()).then_some(wait)
}

/// Parses the value of `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_with_jitter() {
        let delays: Vec<Duration> = RetryPolicy::new(SECOND, 4 * SECOND, 4).delays().collect();
        assert_eq!(delays.len(), 4);
        for (delay, least) in delays.iter().zip([1, 2, 4, 4]) {
            assert!((least * SECOND..=2 * least * SECOND).contains(delay), "{delays:?}");
        }
    }

    #[test]
    fn wait_respects_retry_after_up_to_300_s() {
        assert_eq!(wait(Some(SECOND), None), Some(SECOND));
        assert_eq!(wait(Some(SECOND), Some(7 * SECOND)), Some(7 * SECOND));
        assert_eq!(wait(Some(3 * SECOND), Some(SECOND)), Some(3 * SECOND));
        assert_eq!(wait(None, Some(SECOND)), None);
        assert_eq!(wait(Some(SECOND), Some(301 * SECOND)), None);
    }

    #[test]
    fn retry_after_accepts_seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 09 Sep 2001 01:47:10 GMT", Some(30)),
            ("Sun, 09 Sep 2001 01:46:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }
}
