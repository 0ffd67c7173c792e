//! The client of the API, with its address and its token.

use std::cell::OnceCell;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use endpoint::Endpoint;

use crate::account::{self, Bound, NamespaceInfo};
use crate::error::ApiError;
use crate::http::{Http, HttpSettings, RetryNotice};
use crate::limits::{CLOUDFLARE, CallLimits, LOCAL};
use crate::retry::RetryPolicy;
use crate::token::Token;

/// The time-out and the number of retries of a call. `None` means the default of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patience {
    /// The longest time without a byte of an answer.
    pub timeout: Option<Duration>,
    /// The number of retries of a failed call.
    pub retries: Option<usize>,
}

/// The default for the longest time without a byte of an answer.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// The client of the API, with its address and its token.
#[derive(Debug)]
pub struct KvApi {
    pub(crate) http: Http,
    pub(crate) limits: CallLimits,
    namespaces: OnceCell<Vec<NamespaceInfo>>,
}

impl KvApi {
    /// Creates a client for a `wrangler dev` at `url`.
    ///
    /// # Errors
    ///
    /// If `url` is not an HTTP address.
    pub fn local(url: &str, patience: Patience, notice: RetryNotice) -> Result<Self> {
        let origin = endpoint(url)?;
        let settings = HttpSettings {
            root: format!("{origin}/cdn-cgi/explorer/api"),
            token: None,
            retry: RetryPolicy::new(
                Duration::from_millis(100),
                Duration::from_secs(2),
                patience.retries.unwrap_or(4),
            ),
            timeout: patience.timeout.unwrap_or(TIMEOUT),
            paced: false,
            // `wrangler dev` runs on this machine, so the proxy is not used.
            proxied: false,
        };
        Ok(Self::new(Http::new(settings, notice), LOCAL))
    }

    /// Creates a client for Cloudflare's API and the namespaces of an account.
    ///
    /// # Errors
    ///
    /// If `account` is not an account id, or if the token would be sent to `base` unencrypted.
    pub fn cloudflare(
        base: &str,
        account: &str,
        token: Token,
        patience: Patience,
        notice: RetryNotice,
    ) -> Result<Self> {
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_alphanumeric()) {
            bail!("CLOUDFLARE_ACCOUNT_ID is not an account id (32 hexadecimal digits)");
        }
        let base = endpoint(base)?;
        base.for_secrets()?;
        let settings = HttpSettings {
            root: format!("{base}/accounts/{account}"),
            token: Some(token),
            retry: RetryPolicy::new(
                Duration::from_millis(500),
                Duration::from_secs(30),
                patience.retries.unwrap_or(6),
            ),
            timeout: patience.timeout.unwrap_or(TIMEOUT),
            paced: true,
            proxied: !base.is_loopback(),
        };
        Ok(Self::new(Http::new(settings, notice), CLOUDFLARE))
    }

    pub(crate) fn new(http: Http, limits: CallLimits) -> Self {
        Self { http, limits, namespaces: OnceCell::new() }
    }

    /// Lists all namespaces. Only the first call asks the API.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub fn namespaces(&self) -> Result<&[NamespaceInfo], ApiError> {
        if let Some(known) = self.namespaces.get() {
            return Ok(known);
        }
        let listed = account::namespaces(&self.http)?;
        Ok(self.namespaces.get_or_init(|| listed))
    }

    /// Lists the namespaces that a deployed Worker is bound to. The list is empty if the Worker
    /// does not exist or the token cannot read Workers.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub fn bound(&self, worker: &str) -> Result<Vec<Bound>, ApiError> {
        account::bound(&self.http, worker)
    }

    /// Returns the present time by the clock of the API, which all its users share, to the second.
    /// `None` before its first answer, and if its answers have no `Date`.
    pub fn time(&self) -> Option<SystemTime> {
        self.http.time()
    }

    /// Returns the number of calls so far, including retries.
    pub fn calls(&self) -> usize {
        self.http.calls()
    }
}

/// Parses an address. The error does not repeat it, because it may contain a password.
fn endpoint(text: &str) -> Result<Endpoint> {
    text.parse().context("the address of the KV API")
}
