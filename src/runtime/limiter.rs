//! The rate limiting binding of Cloudflare.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::task::settled;
use crate::config::Config;

#[wasm_bindgen(module = "/src/runtime/limit.js")]
extern "C" {
    fn admits(
        limiter: &JsValue,
        key: &str,
        count: u32,
        patience: u32,
        script_version: &str,
    ) -> Promise;
}

/// The limiter that is bound as `RATE_LIMITER`.
pub(super) struct Limiter {
    binding: JsValue,
    /// The time within which it has to answer, in milliseconds.
    patience: u32,
    /// The id of the script version, for the log.
    script_version: String,
}

impl Limiter {
    /// Returns the limiter, or `None` if nothing is bound.
    pub(super) fn of(binding: JsValue, config: &Config) -> Option<Self> {
        let script_version = config.script_version.id.clone();
        let patience = config.kv_timeout;
        (!binding.is_undefined()).then(|| Self { binding, patience, script_version })
    }

    /// Counts a caller `count` times. Returns false if its limit is exceeded.
    pub(super) async fn admits(&self, key: &str, count: u32) -> bool {
        let Self { binding, patience, script_version } = self;
        let counted = settled(admits(binding, key, count, *patience, script_version)).await;
        counted.ok().and_then(|admitted| admitted.as_bool()).unwrap_or(true)
    }
}
