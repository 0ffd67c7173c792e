//! Asks a resolver over HTTP, as its callers do.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use endpoint::Endpoint;
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};

/// The longest time to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A resolver's address, and the token for it.
pub(crate) struct Resolver {
    agent: Agent,
    url: String,
    token: Option<String>,
}

/// A token that no resolver accepts.
const INVALID_TOKEN: &str = "slotctl-release-wrong-token";

/// The token of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// The token in `RESOLVER_TOKEN`, if it is set.
    Configured,
    /// No token.
    Absent,
    /// A token that is not valid.
    Invalid,
}

/// A request without a body.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// The path and the query, relative to the address of the resolver.
    pub(crate) path: &'a str,
    pub(crate) token: Credentials,
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

impl<'a> Ask<'a> {
    /// Creates a `GET` with the configured token.
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, token: Credentials::Configured, headers: &[] }
    }
}

/// An answer of any status.
#[derive(Debug)]
pub(crate) struct ResolverAnswer {
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// The time until the whole answer had arrived.
    pub(crate) took: Duration,
}

impl ResolverAnswer {
    /// Returns the value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Resolver {
    /// Creates a client of the resolver at an address, with the read token in `RESOLVER_TOKEN`.
    ///
    /// # Errors
    ///
    /// If there is a token and it would be sent unencrypted.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self> {
        let token = std::env::var("RESOLVER_TOKEN").ok().filter(|token| !token.is_empty());
        if token.is_some() {
            endpoint.for_secrets().context("RESOLVER_TOKEN is set")?;
        }
        Ok(Self { agent: agent(endpoint), url: endpoint.to_string(), token })
    }

    /// Returns the address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Tells if there is a configured token.
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Returns the answer to a `GET` with the configured token.
    ///
    /// # Errors
    ///
    /// The same as of [`Self::send`].
    pub(crate) fn get(&self, path: &str, limit: u64) -> Result<ResolverAnswer> {
        self.send(&Ask::get(path), limit)
    }

    /// Returns the answer to a request.
    ///
    /// # Errors
    ///
    /// If there is no answer, or if it has more than `limit` bytes.
    pub(crate) fn send(&self, ask: &Ask<'_>, limit: u64) -> Result<ResolverAnswer> {
        let began = Instant::now();
        let mut request =
            Request::builder().method(ask.method.clone()).uri(format!("{}{}", self.url, ask.path));
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = self.token(ask.token) {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let request = request.body(()).context("the request cannot be sent")?;
        let mut answer = self.agent.run(request).context("no answer")?;
        let body = answer.body_mut().with_config().limit(limit).read_to_vec()?;
        let status = answer.status().as_u16();
        Ok(ResolverAnswer {
            status,
            headers: answer.headers().clone(),
            body,
            took: began.elapsed(),
        })
    }

    fn token(&self, credentials: Credentials) -> Option<&str> {
        match credentials {
            Credentials::Configured => self.token.as_deref(),
            Credentials::Absent => None,
            Credentials::Invalid => Some(INVALID_TOKEN),
        }
    }
}

fn agent(endpoint: &Endpoint) -> Agent {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        // A redirect would take the token to another host.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE))
        .user_agent(concat!("slotctl/", env!("CARGO_PKG_VERSION")));
    if endpoint.is_loopback() {
        // A proxy is another machine, and would read an unencrypted token.
        config = config.proxy(None);
    }
    config.build().new_agent()
}
