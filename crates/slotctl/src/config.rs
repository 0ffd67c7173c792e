//! The namespaces that a deployment of the Worker is bound to, out of its
//! `wrangler.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use catalog::key::Namespace;
use serde::Deserialize;

/// The ids of the two namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamespaceIds {
    /// Of `SLOTS`.
    pub(crate) slots: String,
    /// Of `COMPONENTS`.
    pub(crate) components: String,
}

/// Whose namespaces they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// A `wrangler dev`'s: any id will do.
    Local,
    /// Cloudflare's, where an id is 32 hexadecimal digits.
    Cloudflare,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WranglerFile {
    name: Option<String>,
    kv_namespaces: Vec<Binding>,
    env: BTreeMap<String, Environment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Environment {
    name: Option<String>,
    kv_namespaces: Vec<Binding>,
}

#[derive(Clone, Debug, Deserialize)]
struct Binding {
    binding: String,
    id: Option<String>,
    preview_id: Option<String>,
}

/// Reads the ids for an environment, or for the default one, out of `file`.
///
/// # Errors
///
/// If the file can't be read, has no such environment, or names no namespace for
/// one of the bindings.
pub(crate) fn namespace_ids(file: &Path, env: Option<&str>, home: Home) -> Result<NamespaceIds> {
    of_file(file, |text| parse(text, env, home))
}

/// Reads the id of one further namespace.
///
/// # Errors
///
/// As [`namespace_ids`].
pub(crate) fn namespace_id(
    file: &Path,
    env: Option<&str>,
    home: Home,
    binding: &str,
) -> Result<String> {
    of_file(file, |text| id_of(&bindings(text, env)?, binding, env, home))
}

/// Reads the name of the Worker that an environment is deployed as: its own, else the
/// top level's with the environment's behind it, as wrangler does it.
///
/// # Errors
///
/// If the file can't be read, has no such environment, or no name.
pub(crate) fn worker_name(file: &Path, env: Option<&str>) -> Result<String> {
    of_file(file, |text| name(text, env))
}

/// What `read` finds in a file; its errors name the file.
fn of_file<T>(file: &Path, read: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    let shown = file.display();
    let text = fs::read_to_string(file)
        .with_context(|| format!("can't read {shown}; `--config FILE` names another"))?;
    read(&text).with_context(|| format!("in {shown}"))
}

fn name(text: &str, env: Option<&str>) -> Result<String> {
    bindings(text, env)?;
    let wrangler: WranglerFile = toml_edit::de::from_str(text)?;
    let own = env.and_then(|env| wrangler.env.get(env)?.name.clone());
    let built = wrangler.name.map(|name| match env {
        Some(env) => format!("{name}-{env}"),
        None => name,
    });
    own.or(built).ok_or_else(|| anyhow!("the Worker has no name: `name = \"component-resolver\"`"))
}

fn bindings(text: &str, env: Option<&str>) -> Result<Vec<Binding>> {
    let wrangler: WranglerFile = toml_edit::de::from_str(text)?;
    let known = wrangler.env.keys().cloned().collect::<Vec<_>>().join(", ");
    match env {
        None => Ok(wrangler.kv_namespaces),
        Some(name) => match wrangler.env.get(name) {
            Some(environment) => Ok(environment.kv_namespaces.clone()),
            None => bail!("there is no [env.{name}]; there are: {known}"),
        },
    }
}

fn parse(text: &str, env: Option<&str>, home: Home) -> Result<NamespaceIds> {
    let bindings = bindings(text, env)?;
    let id = |namespace: Namespace| id_of(&bindings, namespace.binding(), env, home);
    let ids = NamespaceIds { slots: id(Namespace::Slots)?, components: id(Namespace::Components)? };
    if ids.slots == ids.components {
        bail!("SLOTS and COMPONENTS are the same namespace, {}: give each its own", ids.slots);
    }
    Ok(ids)
}

fn id_of(bindings: &[Binding], name: &str, env: Option<&str>, home: Home) -> Result<String> {
    let binding = bindings.iter().find(|binding| binding.binding == name);
    let binding = binding.ok_or_else(|| match env {
        // wrangler's environments inherit no bindings from the top level.
        Some(env) => anyhow!("[[env.{env}.kv_namespaces]] has no binding {name}"),
        None => anyhow!("[[kv_namespaces]] has no binding {name}"),
    })?;
    if home == Home::Local {
        // As `wrangler dev` chooses it.
        let id = binding.preview_id.as_ref().or(binding.id.as_ref());
        return Ok(id.unwrap_or(&binding.binding).clone());
    }
    let found = binding.id.as_deref().unwrap_or("");
    if found.len() == 32 && found.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(found.to_owned());
    }
    let Some(env) = env else {
        bail!("{name} of the default environment is local ({found:?}): name another with `--env`");
    };
    let title = format!("{env}-{}", name.to_lowercase());
    bail!(
        "{name} of [env.{env}] has no namespace id yet ({found:?}): \
         `npx wrangler kv namespace create {title}` makes one, put its id there"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        name = "component-resolver"
        [[kv_namespaces]]
        binding = "SLOTS"
        id = "local-slots"
        preview_id = "preview-slots"
        [[kv_namespaces]]
        binding = "COMPONENTS"
        [[env.staging.kv_namespaces]]
        binding = "SLOTS"
        id = "0123456789abcdef0123456789abcdef"
        [[env.staging.kv_namespaces]]
        binding = "COMPONENTS"
        id = "fedcba9876543210fedcba9876543210"
        [[env.production.kv_namespaces]]
        binding = "SLOTS"
        id = "replace-me"
        [env.empty]
        [[env.twice.kv_namespaces]]
        binding = "SLOTS"
        id = "one"
        [[env.twice.kv_namespaces]]
        binding = "COMPONENTS"
        id = "one"
    "#;

    #[track_caller]
    fn found(env: Option<&str>, home: Home, slots: &str, components: &str) {
        let expected = NamespaceIds { slots: slots.into(), components: components.into() };
        assert_eq!(parse(FILE, env, home).unwrap(), expected);
    }

    #[test]
    fn ids_by_environment() {
        let (one, two) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        found(None, Home::Local, "preview-slots", "COMPONENTS");
        found(Some("staging"), Home::Local, one, two);
        found(Some("staging"), Home::Cloudflare, one, two);
    }

    #[test]
    fn workers_by_environment() {
        let own = format!("{FILE}\n[env.own]\nname = \"resolver\"");
        for (env, expected) in [
            (None, "component-resolver"),
            (Some("staging"), "component-resolver-staging"),
            (Some("own"), "resolver"),
        ] {
            assert_eq!(name(&own, env).unwrap(), expected);
        }
        assert!(name(&own, Some("none")).is_err());
        assert!(name("", None).is_err());
    }

    #[test]
    fn what_is_missing_and_what_to_do() {
        for (env, home, text) in [
            (
                None,
                Home::Cloudflare,
                "SLOTS of the default environment is local (\"local-slots\"): name another with `--env`",
            ),
            (
                Some("production"),
                Home::Cloudflare,
                "SLOTS of [env.production] has no namespace id yet (\"replace-me\"): `npx wrangler kv namespace create production-slots` makes one, put its id there",
            ),
            (Some("empty"), Home::Local, "[[env.empty.kv_namespaces]] has no binding SLOTS"),
            (
                Some("none"),
                Home::Local,
                "there is no [env.none]; there are: empty, production, staging, twice",
            ),
            (
                Some("twice"),
                Home::Local,
                "SLOTS and COMPONENTS are the same namespace, one: give each its own",
            ),
        ] {
            assert_eq!(parse(FILE, env, home).unwrap_err().to_string(), text);
        }
        assert!(parse("kv_namespaces = 1", None, Home::Local).is_err());
        assert!(namespace_ids(Path::new("/nowhere"), None, Home::Local).is_err());
    }
}
