//! The credentials of wrangler's login, for users who have not set `CLOUDFLARE_API_TOKEN`.

use anyhow::{Context as _, Result, bail};
use kv_api::Token;

use crate::config::Config;
use crate::exit::Usage;
use crate::wrangler::{Wrangler, account};

const NO_ACCOUNT: Usage =
    Usage("CLOUDFLARE_ACCOUNT_ID is not set, and wrangler does not know the account");

/// The wrangler whose login is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login<'a> {
    pub(crate) config: &'a Config,
    /// How to call wrangler; `None` for the one that is installed beside the configuration.
    pub(crate) wrangler: Option<&'a str>,
}

/// Returns wrangler; `None` if no command is given and none is installed.
fn wrangler(Login { config, wrangler }: Login<'_>) -> Option<Wrangler> {
    match wrangler {
        None => Wrangler::installed(&config.file, config.environment()),
        command => Some(Wrangler::new(command, &config.file, config.environment(), None)),
    }
}

/// Returns the bearer token that wrangler uses for this configuration; `None` if there is no
/// wrangler, or nobody is logged in. The token is only in memory.
pub(crate) fn token(login: Login<'_>) -> Option<Token> {
    let wrangler = wrangler(login)?;
    let text = account::bearer_token(&wrangler).ok()??;
    Token::new(&text)
}

/// Returns the id of the account, if the login has exactly one; `None` if wrangler is missing.
///
/// # Errors
///
/// If the login has several accounts.
pub(crate) fn account(login: Login<'_>) -> Result<Option<String>> {
    let Some(wrangler) = wrangler(login) else { return Ok(None) };
    let all = account::accounts(&wrangler).context(NO_ACCOUNT)?;
    match &all[..] {
        [] => Ok(None),
        [only] => Ok(Some(only.id.clone())),
        _ => {
            let all = all.iter().map(|account| format!("{} ({})", account.id, account.name));
            bail!(
                "the login has several accounts: {}; set `account_id` in {} or CLOUDFLARE_ACCOUNT_ID",
                all.collect::<Vec<_>>().join(", "),
                login.config.file.display()
            )
        }
    }
}
