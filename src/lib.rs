//! component-resolver: serves the right version of a component at the edge.
//!
//! A thin shell around `catalog`. Only `runtime` knows JavaScript and the `worker` crate;
//! everything else is plain Rust that also runs natively, as `tests/contract.rs` does.

pub mod config;
pub mod http;
pub mod lane;
pub mod resolve;
mod rpc;
pub mod runtime;
pub mod trace;
