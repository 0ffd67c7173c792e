//! All code that depends on JavaScript and the `worker` crate.

mod body;
mod content;
pub mod fetch;
mod held;
mod isolate;
mod known;
mod kv;
mod limiter;
mod method;
pub mod refused;
mod reply;
pub mod rpc;
mod secret;
mod setting;
mod stream;
pub mod task;
mod waiting;
