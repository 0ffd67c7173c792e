//! Secrets of Cloudflare's Secrets Store, which the Worker has to read.

use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;

use super::kv::within;
use super::task::settled;
use crate::config::read_access::ReadAccess;
use crate::config::schedule::Schedule;

#[wasm_bindgen]
extern "C" {
    /// A binding with an asynchronous `get()`, as the Secrets Store has it.
    pub(super) type SecretBinding;

    #[wasm_bindgen(method, catch)]
    fn get(this: &SecretBinding) -> Result<JsValue, JsValue>;
}

/// The tokens of `READ_TOKENS` in the Secrets Store.
pub(super) struct StoredTokens {
    binding: SecretBinding,
    schedule: Schedule,
}

impl StoredTokens {
    pub(super) fn new(binding: SecretBinding) -> Self {
        Self { binding, schedule: Schedule::default() }
    }

    /// Reads the secret if it is due. `patience` is in milliseconds. If the read fails, the
    /// last tokens stay. Without earlier tokens, every request is refused.
    pub(super) async fn refresh(&self, access: &ReadAccess, patience: u32) {
        if !self.schedule.begin(Date::now()) {
            return;
        }
        if let Some(text) = self.read(patience).await {
            access.replace(&text);
            self.schedule.succeed(Date::now());
        }
    }

    async fn read(&self, patience: u32) -> Option<String> {
        let reading = Promise::resolve(&self.binding.get().ok()?);
        settled(within(&reading, patience)).await.ok()?.as_string()
    }
}
