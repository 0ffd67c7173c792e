//! Asks a resolver over HTTP, as its callers do.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use endpoint::Endpoint;
use ureq::Agent;
use ureq::http::HeaderMap;

/// The longest time to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A resolver's address, and the token for it.
pub(crate) struct Resolver {
    agent: Agent,
    url: String,
    token: Option<String>,
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

    /// Returns the answer to a `GET`.
    ///
    /// # Errors
    ///
    /// If there is no answer, or if it has more than `limit` bytes.
    pub(crate) fn get(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        limit: u64,
    ) -> Result<ResolverAnswer> {
        let began = Instant::now();
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().context("no answer")?;
        let body = answer.body_mut().with_config().limit(limit).read_to_vec()?;
        let status = answer.status().as_u16();
        Ok(ResolverAnswer {
            status,
            headers: answer.headers().clone(),
            body,
            took: began.elapsed(),
        })
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
