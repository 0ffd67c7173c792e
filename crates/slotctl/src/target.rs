//! Where a command reads and writes: which API, which namespaces.

use std::env;
use std::fmt;
use std::path::Path;

use std::time::Duration;

use anyhow::{Result, bail};

use crate::config::{self, Home, NamespaceIds};
use crate::exit::Usage;
use kv_api::{KvApi, Patience, RetryNotice, Token};

/// Cloudflare's API, unless the environment names another address, as for wrangler.
const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// The binding of the namespace that Workers read which have not moved to the
/// resolver; no Worker of this project is bound to it.
const CONDUCTOR: &str = "CONDUCTOR";

/// An API with the ids of the two namespaces.
#[derive(Debug)]
pub(crate) struct KvTarget {
    /// The API.
    pub(crate) api: KvApi,
    /// The namespaces.
    pub(crate) ids: NamespaceIds,
    /// Whose they are, for people.
    pub(crate) whose: String,
    local: bool,
}

impl KvTarget {
    /// What the command line (`--local`, `--config`, `--env`) and the environment
    /// say. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Usage`] where neither names a target; if the configuration is none.
    pub(crate) fn new(
        local: Option<&str>,
        config: &Path,
        environment: Option<&str>,
        notice: RetryNotice,
    ) -> Result<Self> {
        let patience = patience()?;
        if let Some(url) = local {
            let ids = config::namespace_ids(config, environment, Home::Local)?;
            let (api, whose) = (KvApi::local(url, patience, notice)?, format!("local KV of {url}"));
            return Ok(Self { api, ids, whose, local: true });
        }
        let (token, account) = credentials()?;
        let ids = config::namespace_ids(config, environment, Home::Cloudflare)?;
        let base = env::var("CLOUDFLARE_API_BASE_URL").unwrap_or(CLOUDFLARE.to_owned());
        let api = KvApi::cloudflare(&base, &account, token, patience, notice)?;
        let whose = format!("Cloudflare account {account}");
        Ok(Self { api, ids, whose, local: false })
    }

    /// The id of the namespace that is bound as `CONDUCTOR`.
    ///
    /// # Errors
    ///
    /// If the configuration has none, or if it is one of the resolver's own.
    pub(crate) fn conductor(&self, config: &Path, environment: Option<&str>) -> Result<String> {
        let home = if self.local { Home::Local } else { Home::Cloudflare };
        let id = config::namespace_id(config, environment, home, CONDUCTOR)?;
        if id == self.ids.slots || id == self.ids.components {
            bail!("{CONDUCTOR} is one of the resolver's own namespaces, {id}: the keys collide");
        }
        Ok(id)
    }

    /// Asks a `wrangler dev` whether the namespaces are there: it takes writes to
    /// any id, also to one that no Worker reads.
    ///
    /// # Errors
    ///
    /// If one is not there, or nobody answers.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.local {
            return Ok(());
        }
        let there = self.api.namespace_ids()?;
        for id in [&self.ids.slots, &self.ids.components] {
            if !there.contains(id) {
                let there = there.join(", ");
                bail!(
                    "{} has no namespace {id:?}, it has: {there}; \
                     was `wrangler dev` started with another configuration?",
                    self.whose
                );
            }
        }
        Ok(())
    }
}

impl fmt::Display for KvTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NamespaceIds { slots, components } = &self.ids;
        write!(f, "{} (SLOTS {slots}, COMPONENTS {components})", self.whose)
    }
}

/// What the environment says of waiting for the API: a line to a slow network and a
/// CI job that must fail soon want different things.
pub(crate) fn patience() -> Result<Patience> {
    let set = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let mut patience = Patience::default();
    if let Some(text) = set("SLOTCTL_TIMEOUT") {
        let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
        let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        patience.timeout =
            Some(timeout.ok_or(Usage("SLOTCTL_TIMEOUT is a number of seconds, such as 30"))?);
    }
    if let Some(text) = set("SLOTCTL_RETRIES") {
        let retries = text.parse().ok();
        patience.retries = Some(retries.ok_or(Usage("SLOTCTL_RETRIES is a number, such as 6"))?);
    }
    Ok(patience)
}

/// The token and the account. They come out of the environment alone: what is on a
/// command line, everyone on the machine can read.
fn credentials() -> Result<(Token, String)> {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(token), Some(account)) = (set("CLOUDFLARE_API_TOKEN"), set("CLOUDFLARE_ACCOUNT_ID"))
    else {
        bail!(Usage(
            "say where to write: `--local` for a running `wrangler dev`, or set \
             CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID for Cloudflare"
        ));
    };
    let Some(token) = Token::new(&token) else {
        bail!(Usage("CLOUDFLARE_API_TOKEN holds characters that no token has"));
    };
    Ok((token, account))
}
