//! When to try again.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The waits between attempts: they double, with jitter, so that clients that
/// failed together do not come back together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy(ExponentialBuilder);

/// The longest that a server's `Retry-After` is honoured. Cloudflare counts calls
/// over five minutes, so that is the longest it asks for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

impl RetryPolicy {
    /// Waits from `first`, doubled up to `longest`, at most `times` of them.
    pub(crate) fn new(first: Duration, longest: Duration, times: usize) -> Self {
        let builder = ExponentialBuilder::new().with_factor(2.0).with_jitter();
        Self(builder.with_min_delay(first).with_max_delay(longest).with_max_times(times))
    }

    /// The waits of one call.
    pub(crate) fn delays(&self) -> ExponentialBackoff {
        self.0.build()
    }
}

/// The wait before the next attempt: as long as the server asks, or the policy's
/// own; `None` if there is none left, or the server asks for too much.
pub(crate) fn wait(own: Option<Duration>, asked: Option<Duration>) -> Option<Duration> {
    let wait = own?.max(asked.unwrap_or_default());
    (wait <= LONGEST_WAIT || asked.is_none()).then_some(wait)
}

/// The value of `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
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
    fn the_server_is_heard() {
        assert_eq!(wait(Some(SECOND), None), Some(SECOND));
        assert_eq!(wait(Some(SECOND), Some(7 * SECOND)), Some(7 * SECOND));
        assert_eq!(wait(Some(3 * SECOND), Some(SECOND)), Some(3 * SECOND));
        assert_eq!(wait(None, Some(SECOND)), None);
        assert_eq!(wait(Some(SECOND), Some(301 * SECOND)), None);
    }

    #[test]
    fn seconds_or_a_date() {
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
