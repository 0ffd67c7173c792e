//! What wrangler says of the account, and what `setup` changes in it.

use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use super::{TO_ANSWER, TO_UPLOAD, Wrangler};

/// A KV namespace of the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct KvNamespace {
    pub(crate) id: String,
    pub(crate) title: String,
}

#[derive(Deserialize)]
struct SecretName {
    name: String,
}

/// The credentials that wrangler uses.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Credentials {
    #[serde(rename = "oauth")]
    OAuth {
        token: String,
    },
    ApiToken {
        token: String,
    },
    /// The e-mail address and the key of an account, which the API of Workers KV takes too, but no
    /// bearer token.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct WhoAmI {
    #[serde(default)]
    accounts: Vec<Account>,
}

/// An account that the user can use.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Lists the namespaces of the account.
///
/// # Errors
///
/// If wrangler fails, or its output cannot be parsed.
pub(crate) fn namespaces(wrangler: &Wrangler) -> Result<Vec<KvNamespace>> {
    wrangler.json(&["kv", "namespace", "list"], &[])
}

/// Creates a namespace.
///
/// # Errors
///
/// If wrangler fails.
pub(crate) fn create_namespace(wrangler: &Wrangler, title: &str) -> Result<()> {
    wrangler.call(&["kv", "namespace", "create", title], &[], None, TO_ANSWER).map(drop)
}

/// Lists the names of the Worker's secrets; `None` if the Worker does not exist.
///
/// # Errors
///
/// If wrangler fails for another reason, or its output cannot be parsed.
pub(crate) fn secret_names(wrangler: &Wrangler) -> Result<Option<Vec<String>>> {
    let listed: Result<Vec<SecretName>> =
        wrangler.json(&["secret", "list"], &["--format=json".to_owned()]);
    match listed {
        Ok(names) => Ok(Some(names.into_iter().map(|secret| secret.name).collect())),
        Err(error) if is_unknown_worker(&error.to_string()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tells if an error of a call is wrangler's message that the Worker does not exist or was never
/// deployed. 10007 and 10090 are the codes of Cloudflare's API for the first.
pub(crate) fn is_unknown_worker(text: &str) -> bool {
    let Some((_, message)) = text.split_once(" ended with code ") else { return false };
    let named = message.split_once("Worker \"").and_then(|(_, rest)| rest.split_once('"'));
    // Behind the name: ` (env: production) not found.`
    let sentence = named.and_then(|(_, rest)| rest.split('.').next()).unwrap_or_default();
    UNKNOWN_WORKER.iter().any(|known| message.contains(known)) || sentence.contains("not found")
}

/// Messages of wrangler and of the API.
const UNKNOWN_WORKER: [&str; 4] = [
    "has no deployments",
    "This Worker does not exist on your account",
    "[code: 10007]",
    "[code: 10090]",
];

/// Deploys the Worker to all callers, with the secrets of a file. Returns its addresses.
///
/// # Errors
///
/// If wrangler fails.
pub(crate) fn deploy_all(wrangler: &Wrangler, secrets: Option<&Path>) -> Result<Vec<String>> {
    let secrets = secrets.map(|file| format!("--secrets-file={}", file.to_string_lossy()));
    let options: Vec<String> = secrets.into_iter().collect();
    let output = wrangler.tell(&["deploy"], &options, TO_UPLOAD)?;
    Ok(addresses(&output))
}

/// Sets secrets of a deployed Worker from a file.
///
/// # Errors
///
/// If wrangler fails.
pub(crate) fn put_secrets(wrangler: &Wrangler, file: &Path) -> Result<()> {
    let file = file.to_string_lossy();
    wrangler.call(&["secret", "bulk", &file], &[], None, TO_ANSWER).map(drop)
}

/// Returns the bearer token that wrangler uses, by its login or its environment; `None` if it has
/// another kind of credentials.
///
/// # Errors
///
/// If nobody is logged in.
pub(crate) fn bearer_token(wrangler: &Wrangler) -> Result<Option<String>> {
    match wrangler.json(&["auth", "token"], &["--json".to_owned()])? {
        Credentials::OAuth { token } | Credentials::ApiToken { token } => Ok(Some(token)),
        Credentials::Other => Ok(None),
    }
}

/// Lists the accounts of the user.
///
/// # Errors
///
/// If nobody is logged in.
pub(crate) fn accounts(wrangler: &Wrangler) -> Result<Vec<Account>> {
    let who: WhoAmI = wrangler.json(&["whoami"], &["--json".to_owned()])?;
    Ok(who.accounts)
}

/// Returns the addresses in the output of a deployment: one JSON object a line.
fn addresses(output: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Line {
        #[serde(default)]
        targets: Vec<String>,
    }
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines.flat_map(|line| line.targets).filter(|address| address.starts_with("https://")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_deployment() {
        let output = "{\"type\":\"wrangler-session\"}\nnoise\n\
            {\"type\":\"deploy\",\"targets\":[\"https://a.example.workers.dev\",\"schedule: *\"]}\n";
        assert_eq!(addresses(output), ["https://a.example.workers.dev"]);
    }

    #[test]
    fn an_unknown_worker_is_one_that_wrangler_says_is_unknown() {
        let failed = |text: &str| format!("wrangler secret list ended with code 1: {text}");
        for text in [
            "[ERROR] The Worker a has no deployments.",
            "[ERROR] A request failed. | This Worker does not exist on your account. [code: 10007]",
            "[ERROR] Worker \"a\" (env: production) not found. | If this is a new Worker, run `wrangler deploy` first",
            "The Worker \"a\" was not found in your account. Check that the name is correct",
        ] {
            assert!(is_unknown_worker(&failed(text)), "{text}");
        }
        for text in
            ["The file does not exist", "command not found", "Worker \"a\": no. It is not found"]
        {
            assert!(!is_unknown_worker(&failed(text)), "{text}");
        }
        assert!(!is_unknown_worker("npx was not found: `npm ci` installs it"));
    }

    #[test]
    fn credentials_of_every_kind_are_read() {
        let read = |text: &str| serde_json::from_str::<Credentials>(text).unwrap();
        assert!(matches!(read(r#"{"type":"oauth","token":"t"}"#), Credentials::OAuth { .. }));
        assert!(matches!(
            read(r#"{"type":"api_token","token":"t"}"#),
            Credentials::ApiToken { .. }
        ));
        let key = r#"{"type":"api_key","key":"k","email":"e"}"#;
        assert!(matches!(read(key), Credentials::Other));
    }
}
