//! The choice of an environment, and its section of a configuration.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use super::document::{Binding, Document};
use super::home::Home;
use crate::nearest::did_you_mean;

const VARIABLE: &str = "CLOUDFLARE_ENV";

/// Returns the chosen environment: `--env`, else `CLOUDFLARE_ENV`. Returns `None`, the top
/// level, if the value is empty or neither is set.
///
/// # Errors
///
/// If only a `.env` file sets `CLOUDFLARE_ENV`: wrangler reads it, `slotctl` does not.
pub(crate) fn chosen(flag: Option<&str>, home: Home) -> Result<Option<String>> {
    let name = flag.map(str::to_owned).or_else(|| env::var(VARIABLE).ok());
    if name.is_none() && home == Home::Cloudflare {
        refuse_dotenv(Path::new("."))?;
    }
    Ok(name.filter(|name| !name.is_empty()))
}

/// Refuses a `.env` or `.env.local` file that sets `CLOUDFLARE_ENV`, because only wrangler
/// reads it. Wrangler's other files of this kind belong to an environment that was named.
pub(super) fn refuse_dotenv(folder: &Path) -> Result<()> {
    for file in [".env", ".env.local"] {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        if text.lines().any(sets_the_variable) {
            bail!(
                "{file} sets {VARIABLE}, which wrangler takes and slotctl does not read: \
                 name the environment with `--env`, or the top level with `--env \"\"`"
            );
        }
    }
    Ok(())
}

fn sets_the_variable(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let rest = line.strip_prefix(VARIABLE).map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with(['=', ':']))
}

/// The settings of the Worker of one environment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section<'a> {
    /// The path of keys to its bindings.
    pub(super) table: String,
    /// The Worker's name.
    pub(super) name: Option<String>,
    pub(super) account_id: Option<&'a str>,
    pub(super) bindings: &'a [Binding],
}

/// Returns the settings for `environment`. An environment inherits the account but no bindings,
/// and has its own Worker.
///
/// # Errors
///
/// If the environment does not exist.
pub(super) fn section<'a>(
    document: &'a Document,
    environment: Option<&str>,
) -> Result<Section<'a>> {
    let account_id = filled(document.account_id.as_deref());
    let Some(name) = environment else {
        let (table, bindings) = ("kv_namespaces".to_owned(), &document.kv_namespaces[..]);
        return Ok(Section { table, name: document.name.clone(), account_id, bindings });
    };
    let Some(own) = document.env.get(name) else {
        bail!(missing(document, name));
    };
    let built = || document.name.as_ref().map(|top| format!("{top}-{name}"));
    Ok(Section {
        table: format!("env.{name}.kv_namespaces"),
        name: own.name.clone().or_else(built),
        account_id: filled(own.account_id.as_deref()).or(account_id),
        bindings: &own.kv_namespaces,
    })
}

/// Refuses a build tool's configuration that is for another environment than the chosen one.
///
/// # Errors
///
/// If the configuration is for another environment.
pub(super) fn refuse_other_target(document: &Document, environment: Option<&str>) -> Result<()> {
    match (environment, filled(document.target_environment.as_deref())) {
        (Some(named), Some(built)) if named != built => bail!(
            "it was built for the environment `{built}`, not for `{named}`: \
             build the project for `{named}`, or say `--env {built}`"
        ),
        _ => Ok(()),
    }
}

fn missing(document: &Document, name: &str) -> String {
    if document.env.is_empty() {
        return format!(
            "there is no environment `{name}`: it has none, `--env \"\"` is its top level"
        );
    }
    let hint = did_you_mean(name, document.env.keys().map(String::as_str));
    format!("there is no environment `{name}`{hint}: `--env` or {VARIABLE} names one")
}

/// Treats an empty text as missing, as wrangler does.
fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
