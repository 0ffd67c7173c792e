//! The configuration that wrangler would use, and its settings for a Worker: its name, its
//! account and the ids of its namespaces.
//!
//! `find` finds the files, `document` parses a file, `environment` selects its section,
//! `configuration` combines these, and `ids` determines the id of a namespace. Nothing here
//! calls the API.

mod configuration;
mod document;
mod edit;
mod environment;
mod find;
mod home;
mod ids;

#[cfg(test)]
mod tests;

pub(crate) use configuration::{Config, load, require};
pub(crate) use edit::set_namespace_id;
pub(crate) use environment::chosen;
pub(crate) use home::Home;
pub(crate) use ids::{given_or_configured, lacks_id, provisioned_title};
