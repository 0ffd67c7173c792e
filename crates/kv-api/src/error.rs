//! The errors of calls.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use notice::printable;

/// A call that failed permanently.
#[derive(Debug)]
pub struct ApiError {
    /// The call's method and address.
    pub endpoint: String,
    /// The reason.
    pub cause: Cause,
    /// The number of attempts.
    pub attempts: usize,
}

/// The reason why a call failed.
#[derive(Debug)]
pub enum Cause {
    /// There was no answer, or an incomplete one.
    Unreachable(String),
    /// The answer is not one that the API gives.
    Unreadable {
        /// The answer's status.
        status: u16,
        /// A description of the problem.
        why: String,
    },
    /// The API refused the call.
    Refused {
        /// The answer's status.
        status: u16,
        /// The messages of the API.
        messages: Vec<ApiMessage>,
        /// The time to wait before the next attempt.
        retry_after: Option<Duration>,
    },
    /// The API did not carry out the call for these keys, but for the others.
    Partial(Vec<String>),
    /// The call cannot be made.
    Invalid(String),
}

/// One of the errors in the API's envelope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiMessage {
    /// Cloudflare's code.
    pub code: i64,
    /// The message text.
    pub message: String,
}

impl Cause {
    /// Tells if the same call may succeed later: no answer, an incomplete answer, too many
    /// calls, or an error of the server.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Unreadable { status, .. } => matches!(status, 200..300 | 500..),
            Self::Refused { .. } if self.is_daily_limit() => false,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Partial(_) | Self::Invalid(_) => false,
        }
    }

    /// Returns the time that the answer asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Tells if the daily limit of operations is reached, as on the free plan.
    fn is_daily_limit(&self) -> bool {
        /// "Your KV usage limit exceeded": retries fail until 00:00 UTC.
        const LIMIT_EXCEEDED: i64 = 10048;
        matches!(self, Self::Refused { messages, .. }
            if messages.iter().any(|message| message.code == LIMIT_EXCEEDED))
    }

    /// Tells if the API refused the call with one of these statuses.
    pub(crate) fn is_status(&self, statuses: &[u16]) -> bool {
        matches!(self, Self::Refused { status, .. } if statuses.contains(status))
    }

    /// Tells if the API says that the key does not exist.
    pub fn is_absent_key(&self) -> bool {
        /// Cloudflare's code for "key not found". Code 10013, an unknown namespace, is a 404
        /// too.
        const KEY_NOT_FOUND: i64 = 10009;
        matches!(self, Self::Refused { status: 404, messages, .. }
            if messages.iter().any(|message| message.code == KEY_NOT_FOUND))
    }
}

impl ApiError {
    /// Returns advice on the error, if there is any.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Unreachable(_) if self.endpoint.contains("/cdn-cgi/") => {
                Some("is `wrangler dev` running there? `npm run dev` starts it")
            }
            Cause::Unreachable(_) => Some("check the network, then run it again"),
            cause if cause.is_daily_limit() => Some(
                "the account has used up its Workers KV operations of this day, until 00:00 UTC: \
                 run it again then, or move to the Workers Paid plan",
            ),
            Cause::Refused { status: 401 | 403, .. } => {
                Some("CLOUDFLARE_API_TOKEN needs the permission \"Workers KV Storage: Edit\"")
            }
            Cause::Partial(_) => Some("run the command again; it continues where it stopped"),
            _ => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.cause)?;
        if self.attempts > 1 {
            write!(f, " (tried {} times)", self.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "no answer: {}", printable(why.as_bytes())),
            Self::Unreadable { status, why } => {
                write!(
                    f,
                    "status {status}, not an answer of the API: {}",
                    printable(why.as_bytes())
                )
            }
            Self::Refused { status, messages, .. } => {
                write!(f, "status {status}")?;
                messages.iter().try_for_each(|message| write!(f, ": {message}"))
            }
            Self::Partial(keys) => {
                let shown: Vec<&str> = keys.iter().take(10).map(String::as_str).collect();
                let more = keys.len().saturating_sub(shown.len());
                write!(f, "not written: {}", shown.join(", "))?;
                if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
            }
            Self::Invalid(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for ApiMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", printable(self.message.as_bytes()), self.code)
    }
}
