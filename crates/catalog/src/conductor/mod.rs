//! The keys by which the Conductor runtime reads components out of a Workers KV
//! namespace, and what each of them means here.
//!
//! | who | binding | key |
//! | --- | --- | --- |
//! | its `ComponentLoader` | `COMPONENTS` | `prompts/extraction@production` |
//! | its SDK | `COMPONENTS_KV` | `prompts/extraction/production`, `prompts/extraction/_versions` |
//! | its value resolver | `EDGIT` | `components/prompts/extraction/production` |
//! | its value resolver | `COMPONENTS` | `prompts/extraction/production` |
//!
//! The reference may be any that HTTP takes. A key without one stands for
//! `latest`, as in Conductor, and a type may be in the singular, as Conductor's
//! `ComponentRef` writes it.

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
