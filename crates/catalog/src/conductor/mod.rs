//! The keys under which the Conductor runtime reads components from a Workers KV namespace, and
//! their meanings.
//!
//! | who | binding | key |
//! | --- | --- | --- |
//! | its `ComponentLoader` | `COMPONENTS` | `prompts/extraction@production` |
//! | its SDK | `COMPONENTS_KV` | `prompts/extraction/production`, `prompts/extraction/_versions` |
//! | its value resolver | `EDGIT` | `components/prompts/extraction/production` |
//! | its value resolver | `COMPONENTS` | `prompts/extraction/production` |
//!
//! The reference can be any that HTTP accepts. A key without a reference means `latest`, as in
//! Conductor. The type can be in the singular, as in Conductor's `ComponentRef`.

mod listing;
mod meaning;
mod metadata;
mod singular;

#[cfg(test)]
mod tests;

pub use listing::{Entry, Keys, Listing, Page, entries, keys, versions_index};
pub use meaning::{Meaning, TREE, VERSIONS, meanings, types};
pub use metadata::Metadata;
pub use singular::singulars;
