//! The API and the namespaces that a command reads and writes.

use std::env;
use std::fmt;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::args::TargetArgs;
use crate::config::{self, Config, Home};
use crate::exit::Usage;
use crate::login::{self, Login};
use crate::namespaces::{self, Given, NamespaceIds, Sources};
use kv_api::{KvApi, Patience, RetryNotice, Token};

/// Cloudflare's API, unless the environment names another address, as for wrangler.
const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// The binding of the namespace that is read by Workers which have not moved to the resolver;
/// no Worker of this project is bound to it.
const CONDUCTOR: &str = "CONDUCTOR";

/// An API with the ids of the two namespaces.
#[derive(Debug)]
pub(crate) struct KvTarget {
    /// The API.
    pub(crate) api: KvApi,
    /// The ids of the namespaces.
    pub(crate) ids: NamespaceIds,
    /// The account or the `wrangler dev` that has the namespaces, in words.
    pub(crate) whose: String,
    /// The environment of the configuration; `None` for its top level.
    pub(crate) environment: Option<String>,
    config: Option<Config>,
    home: Home,
}

impl KvTarget {
    /// Finds the target in the command line (`--local`, `--config`, `--env`, `--slots-id`,
    /// `--components-id`), the environment and wrangler's configuration. The API is asked only for
    /// ids that these leave out.
    ///
    /// # Errors
    ///
    /// [`Usage`] if neither names a target. Other errors if the configuration is wrong, or the ids
    /// are unknown.
    pub(crate) fn new(args: &TargetArgs, notice: RetryNotice) -> Result<Self> {
        match &args.local {
            Some(url) => Self::local(url, args, notice),
            None => Self::cloudflare(args, notice),
        }
    }

    /// Returns the target of a `wrangler dev`, which knows its own namespaces: a configuration is
    /// read only if it or an environment is named.
    fn local(url: &str, args: &TargetArgs, notice: RetryNotice) -> Result<Self> {
        let (home, whose) = (Home::Local, format!("local KV of {url}"));
        let environment = config::chosen(args.env.as_deref(), home)?;
        let config = match (&args.config, &environment) {
            (None, None) => None,
            (file, name) => config::load(file.as_deref(), name.as_deref())?,
        };
        let api = KvApi::local(url, patience()?, notice)?;
        let ids =
            namespaces::ids(Sources { config: config.as_ref(), api: &api, home }, given(args))?;
        Ok(Self { api, ids, whose, environment, config, home })
    }

    fn cloudflare(args: &TargetArgs, notice: RetryNotice) -> Result<Self> {
        let home = Home::Cloudflare;
        let environment = config::chosen(args.env.as_deref(), home)?;
        let config = config::load(args.config.as_deref(), environment.as_deref())?;
        let wrangler = args.wrangler.clone().or_else(|| set("SLOTCTL_WRANGLER"));
        let login = config.as_ref().map(|config| Login { config, wrangler: wrangler.as_deref() });
        let token = token(login)?;
        let account = account(login)?;
        let base = env::var("CLOUDFLARE_API_BASE_URL").unwrap_or(CLOUDFLARE.to_owned());
        let api = KvApi::cloudflare(&base, &account, token, patience()?, notice)?;
        let ids =
            namespaces::ids(Sources { config: config.as_ref(), api: &api, home }, given(args))?;
        let whose = format!("Cloudflare account {account}");
        Ok(Self { api, ids, whose, environment, config, home })
    }

    /// Returns the id of the namespace that is bound as `CONDUCTOR`, or the `given` one.
    ///
    /// # Errors
    ///
    /// If the configuration has no such namespace, or if it is one of the resolver's own.
    pub(crate) fn conductor(&self, given: Option<&str>) -> Result<String> {
        let Self { api, home, .. } = self;
        let sources = Sources { config: self.config.as_ref(), api, home: *home };
        let id = namespaces::id(sources, given, CONDUCTOR)?;
        if id == self.ids.slots || id == self.ids.components {
            bail!("{CONDUCTOR} is one of the resolver's own namespaces, {id}: the keys collide");
        }
        Ok(id)
    }

    /// Asks a `wrangler dev` if the namespaces exist: it accepts writes to any id, also to one that
    /// no Worker reads.
    ///
    /// # Errors
    ///
    /// If a namespace does not exist, or the `wrangler dev` does not answer.
    pub(crate) fn check(&self) -> Result<()> {
        if self.home == Home::Cloudflare {
            return Ok(());
        }
        let there: Vec<&str> = self.api.namespaces()?.iter().map(|info| info.id.as_str()).collect();
        for id in [&self.ids.slots, &self.ids.components] {
            if !there.contains(&id.as_str()) {
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

/// Reads from the environment how long to wait for the API: a slow network and a CI job that
/// must fail soon need different times.
pub(crate) fn patience() -> Result<Patience> {
    let mut patience = Patience::default();
    if let Some(text) = set("SLOTCTL_TIMEOUT") {
        let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
        let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        patience.timeout = Some(
            timeout.ok_or(Usage("SLOTCTL_TIMEOUT must be a number of seconds, for example 30"))?,
        );
    }
    if let Some(text) = set("SLOTCTL_RETRIES") {
        let retries = text.parse().ok();
        patience.retries =
            Some(retries.ok_or(Usage("SLOTCTL_RETRIES must be a number, for example 6"))?);
    }
    Ok(patience)
}

const NO_TARGET: Usage = Usage(
    "name the target: `--local` for a running `wrangler dev`; for Cloudflare, log in with \
     `npx wrangler login`, or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID",
);

/// Tells if the environment has a token of Cloudflare.
pub(crate) fn has_token() -> bool {
    set("CLOUDFLARE_API_TOKEN").is_some()
}

fn given(args: &TargetArgs) -> Given<'_> {
    Given { slots: args.slots_id.as_deref(), components: args.components_id.as_deref() }
}

/// Reads the token from the environment, else takes that of wrangler's login. No option can name
/// it: everyone on the machine can read a command line.
fn token(login: Option<Login<'_>>) -> Result<Token> {
    let Some(text) = set("CLOUDFLARE_API_TOKEN") else {
        return login.and_then(login::token).ok_or_else(|| NO_TARGET.into());
    };
    Ok(Token::new(&text)
        .ok_or(Usage("CLOUDFLARE_API_TOKEN has characters that a token cannot have"))?)
}

/// Returns the account: `account_id` of the configuration, or `CLOUDFLARE_ACCOUNT_ID`. wrangler
/// prefers the first, so that a different second one is a mistake.
fn account(login: Option<Login<'_>>) -> Result<String> {
    let configured = login.map(|login| login.config.account_id()).transpose()?.flatten();
    match (configured, set("CLOUDFLARE_ACCOUNT_ID"), login) {
        (Some(file), Some(variable), Some(Login { config, .. })) if file != variable => bail!(
            "the account is `{file}` by `account_id` in {}, and `{variable}` by \
             CLOUDFLARE_ACCOUNT_ID: wrangler takes the first; correct or unset one of them",
            config.file.display()
        ),
        (Some(account), ..) | (None, Some(account), _) => Ok(account),
        (None, None, Some(login)) => Ok(login::account(login)?.ok_or(NO_TARGET)?),
        (None, None, None) => bail!(NO_TARGET),
    }
}

/// Returns an environment variable that is not empty.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
