//! The configuration that wrangler would take, and what it says about a Worker: its
//! name, its account and the ids of its namespaces.
//!
//! `find` knows where wrangler looks for it, `document` what a file says, `environment`
//! which part of a file counts, `configuration` puts these together, `ids` says what
//! the id of a namespace is. Nothing here calls the API.

mod configuration;
mod document;
mod environment;
mod find;
mod home;
mod ids;

#[cfg(test)]
mod tests;

pub(crate) use configuration::{Config, load};
pub(crate) use environment::chosen;
pub(crate) use home::Home;
pub(crate) use ids::{given_or_configured, provisioned_title};
