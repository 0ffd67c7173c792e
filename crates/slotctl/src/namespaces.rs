//! The ids of the namespaces: from the command line, from the configuration, or, if both leave
//! them out, from the API.

use anyhow::{Context as _, Result, bail};
use catalog::key::Namespace;

use crate::config::{self, Config, Home};
use kv_api::{Bound, KvApi, NamespaceInfo};
use notice::Refused;

/// The ids of the two namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamespaceIds {
    /// The id of `SLOTS`.
    pub(crate) slots: String,
    /// The id of `COMPONENTS`.
    pub(crate) components: String,
}

/// The ids on the command line, by the binding that each is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) slots: Option<&'a str>,
    pub(crate) components: Option<&'a str>,
}

/// The places in which the ids are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) config: Option<&'a Config>,
    pub(crate) api: &'a KvApi,
    pub(crate) home: Home,
}

/// Returns the ids of the resolver's two namespaces.
///
/// # Errors
///
/// As [`id`], and if both are the same namespace.
pub(crate) fn ids(sources: Sources<'_>, given: Given<'_>) -> Result<NamespaceIds> {
    let slots = id(sources, given.slots, Namespace::Slots.binding())?;
    let components = id(sources, given.components, Namespace::Components.binding())?;
    if slots == components {
        bail!("SLOTS and COMPONENTS are the same namespace, {slots}: give each its own");
    }
    Ok(NamespaceIds { slots, components })
}

/// Returns the id of the namespace that is bound as `binding`. The API is asked only if the id
/// is neither on the command line nor in the configuration.
///
/// # Errors
///
/// If the configuration is wrong, the API fails, or the namespace is unknown.
pub(crate) fn id(sources: Sources<'_>, given: Option<&str>, binding: &str) -> Result<String> {
    let Sources { config, api, home } = sources;
    if let Some(id) = config::given_or_configured(given, config, binding, home)? {
        return Ok(id);
    }
    match (home, config) {
        (Home::Local, _) => served(api, binding),
        (Home::Cloudflare, Some(config)) => provisioned(api, &config.worker_name()?, binding),
        (Home::Cloudflare, None) => Err(Refused::new(
            binding,
            "there is no wrangler.json, wrangler.jsonc or wrangler.toml in this folder or \
             above it, so that its id is unknown",
            "say --config FILE, or --slots-id ID --components-id ID \
             (or SLOTCTL_SLOTS_ID and SLOTCTL_COMPONENTS_ID)",
        )
        .into()),
    }
}

/// Returns the id that a `wrangler dev` serves as `binding`, which is the title there.
fn served(api: &KvApi, binding: &str) -> Result<String> {
    let all = api.namespaces()?;
    let titled = |info: &&NamespaceInfo| info.title == binding;
    let ids: Vec<&str> = all.iter().filter(titled).map(|info| info.id.as_str()).collect();
    match ids[..] {
        [id] => Ok(id.to_owned()),
        [] => {
            let hint =
                crate::nearest::did_you_mean(binding, all.iter().map(|info| info.title.as_str()));
            bail!(
                "the `wrangler dev` there binds no namespace as {binding}{hint}: \
                 does it serve the resolver?"
            )
        }
        _ => bail!(
            "more than one `wrangler dev` binds a namespace as {binding} ({}): \
             say which by --{}-id",
            ids.join(", "),
            binding.to_lowercase()
        ),
    }
}

/// Returns the id that wrangler's automatic provisioning gave the binding: that of the deployed
/// Worker, else that of the namespace with the title that wrangler gives.
fn provisioned(api: &KvApi, worker: &str, binding: &str) -> Result<String> {
    let bound = api.bound(worker).with_context(|| format!("cannot ask what {worker} binds"))?;
    if let Some(Bound { namespace_id, .. }) = bound.into_iter().find(|bound| bound.name == binding)
    {
        return Ok(namespace_id);
    }
    let title = config::provisioned_title(worker, binding);
    let all = api.namespaces()?;
    if let Some(info) = all.iter().find(|info| info.title == title) {
        return Ok(info.id.clone());
    }
    Err(Refused::new(
        binding,
        format!(
            "the configuration leaves its id to wrangler, but the Worker {worker} does not \
             bind it, and the account has no namespace with the title `{title}`"
        ),
        format!("deploy {worker} first, which makes the namespace, or say --slots-id and --components-id"),
    )
    .into())
}
