//! The credentials of wrangler's login, for users who have not set `CLOUDFLARE_API_TOKEN`.

use anyhow::{Context as _, Result, bail};
use kv_api::Token;

use crate::config::Config;
use crate::wrangler::{Wrangler, account};

/// Returns the bearer token that wrangler uses for this configuration; `None` if wrangler is not
/// installed beside it, or nobody is logged in. The token is only in memory.
pub(crate) fn token(config: &Config) -> Option<Token> {
    let wrangler = Wrangler::installed(&config.file, config.environment())?;
    let text = account::bearer_token(&wrangler).ok()??;
    Token::new(&text)
}

/// Returns the id of the only account of the login; `None` if wrangler is not installed beside the
/// configuration.
///
/// # Errors
///
/// If the login has several accounts.
pub(crate) fn account(config: &Config) -> Result<Option<String>> {
    let Some(wrangler) = Wrangler::installed(&config.file, config.environment()) else {
        return Ok(None);
    };
    let all = account::accounts(&wrangler).context("CLOUDFLARE_ACCOUNT_ID is not set")?;
    match &all[..] {
        [] => Ok(None),
        [only] => Ok(Some(only.id.clone())),
        _ => {
            let all = all.iter().map(|account| format!("{} ({})", account.id, account.name));
            bail!(
                "the login has several accounts: {}; set `account_id` in {} or CLOUDFLARE_ACCOUNT_ID",
                all.collect::<Vec<_>>().join(", "),
                config.file.display()
            )
        }
    }
}
