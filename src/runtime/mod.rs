//! Everything that knows JavaScript and the `worker` crate.

pub mod fetch;
mod kv;
mod reply;
pub mod rpc;
pub mod task;
mod waiting;
