//! The id of a namespace, from the command line and the configuration.

use anyhow::{Context as _, Result, bail};

use super::configuration::Config;
use super::document::Binding;
use super::environment::Section;
use super::home::Home;
use crate::nearest::did_you_mean;

/// Returns the title of a namespace that wrangler creates for a binding without an id
/// (`autoProvisionedResourceName` in wrangler).
pub(crate) fn provisioned_title(worker: &str, binding: &str) -> String {
    format!("{worker}-{}", binding.to_lowercase().replace('_', "-"))
}

/// Tells if the environment has no id of a namespace for `binding`: no binding, a binding without an
/// id, or one with a placeholder.
///
/// # Errors
///
/// If the configuration does not have the environment, or has the binding twice.
pub(crate) fn lacks_id(config: &Config, binding: &str) -> Result<bool> {
    let section = config.section()?;
    let bound =
        bound(&section, binding).with_context(|| format!("in {}", config.file.display()))?;
    Ok(!bound.and_then(|bound| bound.id.as_deref()).is_some_and(is_id))
}

/// Returns the id of the namespace bound as `binding`: the id `given` by the option
/// `--<binding>-id`, else that of the configuration. Returns `None` if wrangler is to provision
/// the namespace, or if there is no configuration.
///
/// # Errors
///
/// If the configuration does not have the environment or the binding, or has the binding twice;
/// if the id is invalid; if the option and the configuration have different ids.
pub(crate) fn given_or_configured(
    given: Option<&str>,
    config: Option<&Config>,
    binding: &str,
    home: Home,
) -> Result<Option<String>> {
    let given = given.filter(|id| !id.is_empty());
    if let (Some(id), Home::Cloudflare) = (given, home)
        && !is_id(id)
    {
        bail!("{} `{id}` is no namespace id, which has 32 hexadecimal digits", option(binding));
    }
    // `wrangler dev` needs no configuration, and another app's configuration is irrelevant.
    let config = config.filter(|config| home == Home::Cloudflare || config.is_for_the_resolver());
    match (given, config) {
        (Some(id), Some(config)) => agreed(id, config, binding, home).map(Some),
        (Some(id), None) => Ok(Some(id.to_owned())),
        (None, Some(config)) => configured(config, binding, home),
        (None, None) => Ok(None),
    }
}

/// Checks the given id against the configuration, which may leave it out but not contradict it.
/// An id for `wrangler dev` is not checked here: `wrangler dev` itself is asked for its
/// namespaces.
fn agreed(id: &str, config: &Config, binding: &str, home: Home) -> Result<String> {
    if home == Home::Local {
        return Ok(id.to_owned());
    }
    let section = config.section()?;
    let bound = section.bindings.iter().filter(|bound| bound.binding == binding);
    let other = bound.filter_map(|bound| bound.id.as_deref()).find(|it| is_id(it) && *it != id);
    match other {
        None => Ok(id.to_owned()),
        Some(other) => bail!(
            "{binding} is `{id}` by {}, and `{other}` by {} in {}: the Worker reads what \
             the file says; correct one of them",
            option(binding),
            section.table,
            config.file.display()
        ),
    }
}

fn configured(config: &Config, binding: &str, home: Home) -> Result<Option<String>> {
    let section = config.section()?;
    let within = || format!("in {}", config.file.display());
    let Some(bound) = bound(&section, binding).with_context(within)? else {
        bail!(unbound(&section, config, binding));
    };
    if home == Home::Local {
        // The same choice as in `wrangler dev`.
        let id = bound.preview_id.as_ref().or(bound.id.as_ref());
        return Ok(Some(id.unwrap_or(&bound.binding).clone()));
    }
    let Some(id) = &bound.id else { return Ok(None) };
    if is_id(id) { Ok(Some(id.clone())) } else { bail!(placeholder(id, &section, config, binding)) }
}

/// Finds the binding with this name. Like wrangler, it refuses two of them.
fn bound<'a>(section: &Section<'a>, binding: &str) -> Result<Option<&'a Binding>> {
    let mut all = section.bindings.iter().filter(|bound| bound.binding == binding);
    let (first, second) = (all.next(), all.next());
    if second.is_some() {
        bail!(
            "{} binds {binding} more than once, which wrangler refuses: leave one",
            section.table
        );
    }
    Ok(first)
}

fn unbound(section: &Section<'_>, config: &Config, binding: &str) -> String {
    let hint = did_you_mean(binding, section.bindings.iter().map(|bound| bound.binding.as_str()));
    let mut text =
        format!("{} in {} has no binding {binding}{hint}", section.table, config.file.display());
    if section.table.starts_with("env.") {
        text.push_str("; environments inherit no bindings");
    }
    text + &format!(": add it, or say {} or `--config FILE`", option(binding))
}

/// Returns advice on an id that is not one of Cloudflare's.
fn placeholder(id: &str, section: &Section<'_>, config: &Config, binding: &str) -> String {
    let file = config.file.display();
    let Some(environment) = config.environment() else {
        let names = config.environments().collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { names } else { format!(" ({names})") };
        return format!(
            "{binding} of the top level of {file} is local (`{id}`): name an environment \
             with `--env`{names}"
        );
    };
    let title = format!("{environment}-{}", binding.to_lowercase());
    format!(
        "{binding} in {} of {file} has no namespace id yet (`{id}`): \
         `npx wrangler kv namespace create {title} --config {file}` makes one, put its id there",
        section.table
    )
}

/// Names the option that sets the id of a binding, and its environment variable.
fn option(binding: &str) -> String {
    let lower = binding.to_lowercase();
    format!("--{lower}-id (or SLOTCTL_{binding}_ID)")
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
