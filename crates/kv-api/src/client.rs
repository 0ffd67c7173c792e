//! Where the API is, and how to be let in.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::account::{self, Bound, NamespaceInfo};
use crate::error::ApiError;
use crate::http::{Http, HttpSettings, RetryNotice};
use crate::limits::{CLOUDFLARE, CallLimits, LOCAL};
use crate::retry::RetryPolicy;
use crate::token::Token;

/// How long the API is waited for, and how often it is asked again; `None` leaves
/// what suits the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patience {
    /// The longest time without a byte of an answer.
    pub timeout: Option<Duration>,
    /// How often a call that failed is made again.
    pub retries: Option<usize>,
}

/// The longest time without a byte of an answer, unless the user says another.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// Where the API is, and how to be let in.
#[derive(Debug)]
pub struct KvApi {
    pub(crate) http: Http,
    pub(crate) limits: CallLimits,
}

impl KvApi {
    /// The API of a `wrangler dev` at `url`.
    ///
    /// # Errors
    ///
    /// If `url` is none of HTTP.
    pub fn local(url: &str, patience: Patience, notice: RetryNotice) -> Result<Self> {
        let origin = http_url(url)?;
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
            // It is on this machine, whatever the proxy is that leads out of it.
            proxied: false,
        };
        Ok(Self { http: Http::new(settings, notice), limits: LOCAL })
    }

    /// Cloudflare's API, for an account's namespaces.
    ///
    /// # Errors
    ///
    /// If `account` is no account id, or `base` an address that the token would
    /// travel to in the clear.
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
        let base = http_url(base)?;
        if base.starts_with("http://") && !is_loopback(&base) {
            bail!("{base} is not https: the token would be sent unencrypted");
        }
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
            proxied: !is_loopback(&base),
        };
        Ok(Self { http: Http::new(settings, notice), limits: CLOUDFLARE })
    }

    /// All namespaces that are there.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub fn namespaces(&self) -> Result<Vec<NamespaceInfo>, ApiError> {
        account::namespaces(&self.http)
    }

    /// The namespaces that a Worker is bound to as it is deployed; none if there is no
    /// such Worker, or if the token may not read Workers.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub fn bound(&self, worker: &str) -> Result<Vec<Bound>, ApiError> {
        account::bound(&self.http, worker)
    }

    /// How many calls were made, those that were retried included.
    pub fn calls(&self) -> usize {
        self.http.calls()
    }
}

/// The address without a trailing slash; `http://` where no scheme is said.
fn http_url(text: &str) -> Result<String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: ureq::http::Uri = text.parse().with_context(|| format!("`{text}` is not a URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.query().is_some() {
        bail!("`{text}` is not an address of the form http://HOST:PORT");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(url: &str) -> bool {
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(|uri| uri.host()).unwrap_or("");
    matches!(host, "localhost" | "[::1]") || host.starts_with("127.")
}
