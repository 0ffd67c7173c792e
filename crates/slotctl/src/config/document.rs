//! The contents of a configuration file of wrangler, in each of its three formats.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::nearest::did_you_mean;

/// The file names of a configuration, in wrangler's order of preference.
pub(super) const NAMES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// The part of a configuration that `slotctl` reads; the rest is wrangler's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    pub(super) name: Option<String>,
    pub(super) account_id: Option<String>,
    pub(super) kv_namespaces: Vec<Binding>,
    pub(super) vars: Map<String, Value>,
    pub(super) secrets_store_secrets: Vec<StoredSecret>,
    pub(super) env: BTreeMap<String, Environment>,
    /// The environment for which a build tool made this file.
    #[serde(rename = "targetEnvironment")]
    pub(super) target_environment: Option<String>,
}

/// A table `env.<name>`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Environment {
    pub(super) name: Option<String>,
    pub(super) account_id: Option<String>,
    pub(super) kv_namespaces: Vec<Binding>,
    pub(super) vars: Map<String, Value>,
    pub(super) secrets_store_secrets: Vec<StoredSecret>,
}

/// A binding of a secret in a Secrets Store.
#[derive(Debug, Deserialize)]
pub(super) struct StoredSecret {
    pub(super) binding: String,
}

/// A binding of a KV namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Binding {
    pub(super) binding: String,
    pub(super) id: Option<String>,
    pub(super) preview_id: Option<String>,
}

/// Reads a configuration. As in wrangler, the extension determines the format.
///
/// # Errors
///
/// If the file cannot be read, or if its content does not have the format of its extension.
pub(super) fn read(file: &Path) -> Result<Document> {
    let text = text(file).with_context(|| unreadable(file))?;
    parse(&text, &file.to_string_lossy()).with_context(|| format!("in {}", file.display()))
}

/// Reads `configPath` of a `.wrangler/deploy/config.json`.
///
/// # Errors
///
/// As [`read`].
pub(super) fn read_redirect(file: &Path) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Redirect {
        #[serde(rename = "configPath")]
        path: Option<String>,
    }
    let text = text(file).with_context(|| format!("cannot read {}", file.display()))?;
    let read: Result<Redirect> = json(&text);
    Ok(read.with_context(|| format!("in {}", file.display()))?.path)
}

/// Parses the text of a configuration with this file name.
pub(super) fn parse(text: &str, name: &str) -> Result<Document> {
    if name.ends_with(".toml") {
        return Ok(toml_edit::de::from_str(text)?);
    }
    if name.ends_with(".json") || name.ends_with(".jsonc") {
        return json(text);
    }
    bail!("wrangler reads only configurations that end in .toml, .json or .jsonc")
}

/// Parses JSON with comments and trailing commas, in `.json` files too, as wrangler does.
fn json<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(parse_to_serde_value(text, &JSON)?)
}

/// JSON as wrangler accepts it.
pub(super) const JSON: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a file without its byte order mark, which wrangler ignores.
fn text(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file)?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Describes a file that cannot be read, and names a configuration next to it, if there is one.
fn unreadable(file: &Path) -> String {
    let shown = file.display();
    let parent = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    let entries = fs::read_dir(parent.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let there: Vec<String> = names.filter(|name| is_configuration(name)).collect();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let hint = did_you_mean(&name, there.iter().map(String::as_str));
    format!("cannot read {shown}; `--config FILE` names another{hint}")
}

/// Tells if a file has a name of a configuration: `wrangler.jsonc`, `wrangler.staging.toml`.
fn is_configuration(name: &str) -> bool {
    let ends = [".toml", ".json", ".jsonc"].iter().any(|end| name.ends_with(end));
    name.starts_with("wrangler") && ends
}
