//! Settings and secrets: `READ_TOKENS`, `HOST_SLOTS`, `CORS_ORIGINS`, numbers.
#![no_main]

use catalog::access::{ReadTokens, Scope};
use catalog::digest::Digest;
use component_resolver::config::raw::RawSetting;
use component_resolver::config::{Config, MIN_CACHE_TTL, ScriptVersion};
use libfuzzer_sys::fuzz_target;

/// All that an error of `READ_TOKENS` may say: it never quotes the secret.
const ERRORS: [&str; 3] =
    ["the JSON does not parse", "a key is not 64 hexadecimal digits", "a scope is "];

const BEARERS: [&str; 3] = ["all", "prod", ""];

fuzz_target!(|text: &str| {
    let _ = text.parse::<Scope>();
    match text.parse::<ReadTokens>() {
        Ok(tokens) => {
            for bearer in BEARERS {
                let hash = Digest::of(bearer.as_bytes()).to_string();
                let given = unescaped(text).contains(&hash);
                assert!(given || tokens.grant(bearer).is_none(), "{bearer:?} was given to nobody");
            }
        }
        Err(error) => {
            let prefix = "READ_TOKENS is not a JSON object from SHA-256 to a list of scopes: ";
            let said = error.to_string();
            let why = said.strip_prefix(prefix).expect("it says what it is about");
            assert!(ERRORS.iter().any(|known| why.starts_with(known)), "{why}");
        }
    }
    for raw in [RawSetting::Text(text.to_owned()), RawSetting::Json(text.to_owned())] {
        let config = Config::read(&|_| raw.clone(), ScriptVersion::default());
        assert!(config.needs_token(), "what is set must not count as not set");
        assert!(config.slot_cache_ttl >= MIN_CACHE_TTL);
        assert!(config.record_cache_ttl() >= MIN_CACHE_TTL);
        if let Ok(hosts) = &config.hosts {
            let _ = hosts.slot(text);
        }
    }
});

/// The text with JSON's escapes undone, in lower case.
fn unescaped(text: &str) -> String {
    let parsed = serde_json::from_str::<serde_json::Value>(text);
    let keys = parsed.iter().filter_map(|value| value.as_object()).flat_map(|map| map.keys());
    keys.fold(String::new(), |all, key| all + key).to_ascii_lowercase()
}
