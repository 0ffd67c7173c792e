//! Secrets of Cloudflare's Secrets Store, which the Worker has to read.

use js_sys::{Date, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::kv::within;
use super::reply::log_line;
use super::task::settled;
use crate::config::Config;
use crate::config::read_access::READ_TOKENS;
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

    /// Reads the secret if it is due. If the read fails, that is logged once, and the last tokens
    /// stay for a while. Without known tokens, every request is refused.
    pub(super) async fn refresh(&self, config: &Config) {
        if !self.schedule.begin(Date::now()) {
            return;
        }
        if let Some(text) = self.read(config.kv_timeout).await {
            config.access.replace(&text);
            self.schedule.succeed(Date::now());
            return;
        }
        if self.schedule.fail() {
            log_line(&UnreadSecret {
                secret: READ_TOKENS,
                code: "SECRET_UNREADABLE",
                script_version: &config.script_version.id,
            });
        }
        if !self.schedule.is_known() {
            config.access.refuse();
        }
    }

    /// Returns the text of the secret. `patience` is in milliseconds.
    async fn read(&self, patience: u32) -> Option<String> {
        let reading = Promise::resolve(&self.binding.get().ok()?);
        settled(within(&reading, patience)).await.ok()?.as_string()
    }
}

/// The log line for a secret that could not be read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnreadSecret<'a> {
    secret: &'static str,
    code: &'static str,
    script_version: &'a str,
}
