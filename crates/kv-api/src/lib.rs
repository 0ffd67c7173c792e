//! A client of the Workers KV REST API: Cloudflare's, and the one that
//! `wrangler dev` serves for its local namespaces, which is the same but for its
//! address and its limits.
//!
//! In scope: calls, pages, batches, limits, retries, the envelope of the answers.
//!
//! Out of scope: the meaning of keys and values (`crates/catalog`), which namespace
//! is which (`crates/slotctl`), Git. Nothing here writes to a terminal.
//!
//! Every call can be made twice without harm (a write names its value), so a call
//! is retried whenever its outcome is unknown.

mod account;
mod batch;
mod client;
mod envelope;
mod error;
mod http;
mod limits;
mod namespace;
mod pacer;
mod retry;
mod token;

#[cfg(test)]
mod tests;

pub use account::{Bound, NamespaceInfo};
pub use batch::{Batch, Pair};
pub use client::{KvApi, Patience};
pub use error::ApiError;
pub use http::RetryNotice;
pub use limits::CallLimits;
pub use namespace::{KvNamespace, ListedKey};
pub use token::Token;
