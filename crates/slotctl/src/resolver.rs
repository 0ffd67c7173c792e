//! A resolver, asked over HTTP as its callers ask it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ureq::Agent;
use ureq::http::HeaderMap;

/// The longest time for an answer.
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
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Vec<u8>,
    /// How long it took until all of it was there.
    pub(crate) took: Duration,
}

impl ResolverAnswer {
    /// A header's value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Resolver {
    /// The resolver at `url`, with the read token that `RESOLVER_TOKEN` holds.
    pub(crate) fn new(url: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would take the token elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("slotctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let token = std::env::var("RESOLVER_TOKEN").ok().filter(|token| !token.is_empty());
        Self { agent, url: url.trim_end_matches('/').to_owned(), token }
    }

    /// What it answers to a `GET`.
    ///
    /// # Errors
    ///
    /// If there is no answer, or none of at most `limit` bytes.
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
