//! A client of the Workers KV REST API of Cloudflare and of `wrangler dev`, which serves the
//! same API for its local namespaces at another address and with other limits.
//!
//! In scope: calls, pages, batches, limits, retries, the envelope of the answers.
//!
//! Out of scope: the meaning of keys and values (`crates/catalog`), the choice of a namespace
//! (`crates/slotctl`), Git. Nothing here writes to a terminal.
//!
//! All calls are idempotent (a write contains its value), so a call is retried whenever its
//! outcome is unknown.

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
