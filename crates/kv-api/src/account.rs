//! The namespaces of an account, and the namespaces that its Workers are bound to.

use serde::Deserialize;

use crate::envelope;
use crate::error::ApiError;
use crate::http::{ApiCall, Http};

/// A namespace of an account. In `wrangler dev`, its title is the name of the binding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamespaceInfo {
    /// Its id.
    pub id: String,
    /// Its title, unique in the account.
    pub title: String,
}

/// A namespace that a deployed Worker is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The binding's name.
    pub name: String,
    /// The namespace's id.
    pub namespace_id: String,
}

const PER_PAGE: usize = 100;

/// Lists all namespaces of the account.
///
/// # Errors
///
/// [`ApiError`]
pub(crate) fn namespaces(http: &Http) -> Result<Vec<NamespaceInfo>, ApiError> {
    let mut all: Vec<NamespaceInfo> = Vec::new();
    for page in 1.. {
        let path = format!("/storage/kv/namespaces?page={page}&per_page={PER_PAGE}");
        let (listed, info) =
            http.call(&ApiCall::get(path), |answer| envelope::page::<Vec<NamespaceInfo>>(&answer))?;
        let ended = listed.is_empty();
        all.extend(listed);
        // `wrangler dev` sends no total and lists all namespaces at once.
        if ended || info.total_count.is_none_or(|total| all.len() >= total) {
            break;
        }
    }
    Ok(all)
}

/// Lists the namespaces that a deployed Worker is bound to. The list is empty if the Worker
/// does not exist or the token cannot read Workers.
///
/// # Errors
///
/// [`ApiError`]
pub(crate) fn bound(http: &Http, worker: &str) -> Result<Vec<Bound>, ApiError> {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(default)]
        bindings: Vec<Binding>,
    }
    #[derive(Deserialize)]
    struct Binding {
        #[serde(rename = "type")]
        kind: String,
        name: String,
        namespace_id: Option<String>,
    }
    let call = ApiCall::get(format!("/workers/scripts/{worker}/settings"));
    let settings: Settings = match http.call(&call, |answer| envelope::result(&answer)) {
        Err(error) if error.cause.is_status(&[403, 404]) => return Ok(Vec::new()),
        settings => settings?,
    };
    let kv = settings.bindings.into_iter().filter(|binding| binding.kind == "kv_namespace");
    let bound = kv.filter_map(|Binding { name, namespace_id, .. }| {
        Some(Bound { name, namespace_id: namespace_id? })
    });
    Ok(bound.collect())
}
