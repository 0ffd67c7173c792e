//! What went wrong with a call.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use notice::printable;

/// A call that failed for good.
#[derive(Debug)]
pub struct ApiError {
    /// The call's method and address.
    pub endpoint: String,
    /// Why.
    pub cause: Cause,
    /// How often it was tried.
    pub attempts: usize,
}

/// Why a call failed.
#[derive(Debug)]
pub enum Cause {
    /// There was no answer, or not all of one.
    Unreachable(String),
    /// The answer is none that the API gives.
    Unreadable {
        /// The answer's status.
        status: u16,
        /// What is the matter with it.
        why: String,
    },
    /// The API said no.
    Refused {
        /// The answer's status.
        status: u16,
        /// What it said.
        messages: Vec<ApiMessage>,
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// The API carried out a part, for these keys it did not.
    Partial(Vec<String>),
    /// The call can't be made.
    Invalid(String),
}

/// One of the errors in the API's envelope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiMessage {
    /// Cloudflare's code.
    pub code: i64,
    /// In words.
    pub message: String,
}

impl Cause {
    /// Whether the same call may succeed a moment later: no answer, half of one,
    /// too many calls, or a server's own failure.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Unreadable { status, .. } => matches!(status, 200..300 | 500..),
            Self::Refused { .. } if self.is_daily_limit() => false,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Partial(_) | Self::Invalid(_) => false,
        }
    }

    /// How long the answer asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the account's operations of this day are used up, as on the free plan.
    fn is_daily_limit(&self) -> bool {
        /// "Your KV usage limit exceeded": asked again, it says the same until 00:00 UTC.
        const LIMIT_EXCEEDED: i64 = 10048;
        matches!(self, Self::Refused { messages, .. }
            if messages.iter().any(|message| message.code == LIMIT_EXCEEDED))
    }

    /// Whether the API refused the call with one of these statuses.
    pub(crate) fn is_status(&self, statuses: &[u16]) -> bool {
        matches!(self, Self::Refused { status, .. } if statuses.contains(status))
    }

    /// Whether the API says that the key is not there: absent, not unreachable.
    pub fn is_absent_key(&self) -> bool {
        /// Cloudflare's code for "key not found"; 10013, an unknown namespace, is
        /// a 404 as well.
        const KEY_NOT_FOUND: i64 = 10009;
        matches!(self, Self::Refused { status: 404, messages, .. }
            if messages.iter().any(|message| message.code == KEY_NOT_FOUND))
    }
}

impl ApiError {
    /// What to do about it, where that is known.
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
