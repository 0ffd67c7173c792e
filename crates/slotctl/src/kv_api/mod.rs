//! A client of the Workers KV REST API: Cloudflare's, and the one that
//! `wrangler dev` serves for its local namespaces, which speaks the same but for
//! its address and its limits.
//!
//! In scope: calls, pages, batches, limits, retries, the answers' envelope.
//! Not here: what keys and values mean (`catalog`), which namespace is which
//! (`config`), Git. Nothing here writes to a terminal.
//!
//! Every call may be made twice without harm (a write names its value), so a call
//! is retried whenever its outcome is unknown.

mod batch;
mod envelope;
mod error;
mod http;
mod namespace;
mod pacer;
mod retry;
mod token;

#[cfg(test)]
mod tests;

pub(crate) use batch::{Batch, Pair};
pub(crate) use error::ApiError;
pub(crate) use http::RetryNotice;
pub(crate) use namespace::{Listed, Namespace};
pub(crate) use token::Token;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use http::{Call, Http, Settings};
use retry::Policy;

/// What one call may carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Pairs in a bulk write, keys in a bulk delete.
    pub(crate) pairs: usize,
    /// Bytes of a bulk write's body.
    pub(crate) bytes: usize,
    /// The largest value that is sent among others; a larger one gets a call of
    /// its own, in which it needs no encoding.
    pub(crate) inline: usize,
}

/// Cloudflare's: 10,000 pairs and 100 MB a bulk write.
const CLOUDFLARE: Limits = Limits { pairs: 10_000, bytes: 100_000_000, inline: 1 << 20 };

/// `wrangler dev` takes time that grows with the square of the pairs (10,000: 74
/// seconds, 1,000: 1.2) and fails on Base64 of more than about 3 MiB.
const LOCAL: Limits = Limits { pairs: 1_000, ..CLOUDFLARE };

/// How long the API is waited for, and how often it is asked again; `None` leaves
/// what suits the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patience {
    /// The longest time without a byte of an answer.
    pub(crate) timeout: Option<Duration>,
    /// How often a call that failed is made again.
    pub(crate) retries: Option<usize>,
}

/// The longest time without a byte of an answer, unless the user says another.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Where the API is, and how to be let in.
#[derive(Debug)]
pub(crate) struct KvApi {
    http: Http,
    limits: Limits,
}

impl KvApi {
    /// The API of a `wrangler dev` at `url`.
    ///
    /// # Errors
    ///
    /// If `url` is none of HTTP.
    pub(crate) fn local(url: &str, patience: Patience, notice: RetryNotice) -> Result<Self> {
        let origin = http_url(url)?;
        let settings = Settings {
            root: format!("{origin}/cdn-cgi/explorer/api"),
            token: None,
            retry: Policy::new(
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
    pub(crate) fn cloudflare(
        base: &str,
        account: &str,
        token: Token,
        patience: Patience,
        notice: RetryNotice,
    ) -> Result<Self> {
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_alphanumeric()) {
            bail!("CLOUDFLARE_ACCOUNT_ID is no account id: 32 hexadecimal digits are needed");
        }
        let base = http_url(base)?;
        if base.starts_with("http://") && !is_loopback(&base) {
            bail!("{base} is not https: the token would travel in the clear");
        }
        let settings = Settings {
            root: format!("{base}/accounts/{account}"),
            token: Some(token),
            retry: Policy::new(
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

    /// A namespace, by its id. Nothing is asked.
    pub(crate) fn namespace(&self, id: &str) -> Namespace<'_> {
        Namespace::new(self, id)
    }

    /// The ids of the namespaces that are there, the first page of them.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub(crate) fn namespace_ids(&self) -> Result<Vec<String>, ApiError> {
        #[derive(Deserialize)]
        struct Listed {
            id: String,
        }
        let call = Call::get("/storage/kv/namespaces".to_owned());
        let listed: Vec<Listed> = self.http.call(&call, |answer| envelope::result(&answer))?;
        Ok(listed.into_iter().map(|namespace| namespace.id).collect())
    }

    /// How many calls were made, those that were retried included.
    pub(crate) fn calls(&self) -> usize {
        self.http.calls()
    }
}

/// The address without a trailing slash; `http://` where no scheme is said.
fn http_url(text: &str) -> Result<String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: ureq::http::Uri = text.parse().with_context(|| format!("{text} is no URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.query().is_some() {
        bail!("{text} is no address of the form http://HOST:PORT");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(url: &str) -> bool {
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(|uri| uri.host()).unwrap_or("");
    matches!(host, "localhost" | "[::1]") || host.starts_with("127.")
}
