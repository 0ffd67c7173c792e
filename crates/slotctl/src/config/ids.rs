//! The id of a namespace, from what the command line and the configuration say.

use anyhow::{Context as _, Result, bail};

use super::configuration::Config;
use super::document::Binding;
use super::environment::Section;
use super::home::Home;
use crate::nearest::did_you_mean;

/// The title that wrangler gives a namespace that it makes for a binding without an id
/// (`autoProvisionedResourceName` in wrangler).
pub(crate) fn provisioned_title(worker: &str, binding: &str) -> String {
    format!("{worker}-{}", binding.to_lowercase().replace('_', "-"))
}

/// The id of the namespace that is bound as `binding`: the one that was `given` by the
/// option `--<binding>-id`, else the configuration's. `None` if the configuration
/// leaves it to wrangler, or if there is no configuration.
///
/// # Errors
///
/// If the configuration has no such environment or binding, or binds it twice; if an id
/// is no id; if both say an id, and not the same.
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
    // A `wrangler dev` needs no configuration, and another app's says nothing about it.
    let config = config.filter(|config| home == Home::Cloudflare || config.is_for_the_resolver());
    match (given, config) {
        (Some(id), Some(config)) => agreed(id, config, binding, home).map(Some),
        (Some(id), None) => Ok(Some(id.to_owned())),
        (None, Some(config)) => configured(config, binding, home),
        (None, None) => Ok(None),
    }
}

/// The given id, which a configuration may leave out but not contradict. What a
/// `wrangler dev` has, it is asked itself.
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
        // As `wrangler dev` chooses it.
        let id = bound.preview_id.as_ref().or(bound.id.as_ref());
        return Ok(Some(id.unwrap_or(&bound.binding).clone()));
    }
    let Some(id) = &bound.id else { return Ok(None) };
    if is_id(id) { Ok(Some(id.clone())) } else { bail!(placeholder(id, &section, config, binding)) }
}

/// The binding of this name. wrangler refuses two.
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

/// What to do about an id that is not Cloudflare's.
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

/// The option that gives the id of a binding, and its variable.
fn option(binding: &str) -> String {
    let lower = binding.to_lowercase();
    format!("--{lower}-id (or SLOTCTL_{binding}_ID)")
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
