//! The Worker's settings: the `[vars]` of `wrangler.toml`, the secrets and the
//! version metadata.

use catalog::access::ReadTokens;
use catalog::json;
use catalog::refusal::Refusal;
use catalog::slot::Slot;
use serde::Serialize;
use vecmap::VecMap;

use crate::http::cors::Origins;

/// Settings of one script version; they do not change while an isolate lives.
#[derive(Clone, Debug)]
pub struct Config {
    /// `SLOT_CACHE_TTL`: seconds for which a location may serve a slot's old pointer.
    pub slot_cache_ttl: u32,
    /// `VERSION_CACHE_TTL`: seconds that a revocation may take.
    pub version_cache_ttl: u32,
    /// `CONTENT_MEMORY`: bytes of contents kept in an isolate.
    pub content_memory: usize,
    /// `KV_TIMEOUT_MS`: milliseconds after which a read of a record counts as failed.
    pub kv_timeout: u32,
    /// `HOST_SLOTS` and `DEFAULT_SLOT`: the slot of a request without a reference.
    pub hosts: Setting<HostSlots>,
    /// `READ_TOKENS`: who may read; `None` lets everybody.
    pub tokens: Setting<Option<ReadTokens>>,
    /// `CORS_ORIGINS`: the origins whose pages may read.
    pub origins: Origins,
    /// Which version of the Worker this is.
    pub script_version: ScriptVersion,
}

/// A setting, or the refusal of every request that needs it: one that is set but
/// can't be read must not count as one that is not set.
pub type Setting<T> = Result<T, Refusal>;

/// Which slot a host stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSlots {
    hosts: VecMap<String, Slot>,
    default: Slot,
}

impl HostSlots {
    fn read(hosts: Option<String>, default: Option<String>) -> Setting<Self> {
        let invalid = |name| Refusal::ConfigurationInvalid { name };
        let hosts = match hosts.as_deref().map(str::trim) {
            None | Some("") => VecMap::new(),
            Some(json) => json::read(json.as_bytes()).map_err(|_| invalid("HOST_SLOTS"))?,
        };
        let default = default.unwrap_or_else(|| "production".to_owned());
        let default = default.trim().parse().map_err(|_| invalid("DEFAULT_SLOT"))?;
        Ok(Self { hosts, default })
    }

    /// The slot of `host`, which may carry a port; hosts are compared in lower case.
    pub fn slot(&self, host: &str) -> &Slot {
        let host = host.to_ascii_lowercase();
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        self.hosts.get(&host).or_else(|| self.hosts.get(name)).unwrap_or(&self.default)
    }
}

/// A version of the Worker, as Cloudflare's version metadata binding names it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ScriptVersion {
    /// The version's id, a UUID.
    pub id: String,
    /// The tag that it was uploaded with; empty if none.
    pub tag: String,
    /// When it was uploaded, RFC 3339.
    pub timestamp: String,
}

/// The shortest `cacheTtl` that Workers KV takes, in seconds.
pub const MIN_CACHE_TTL: u32 = 30;

/// A content never changes: a year, in seconds.
pub const IMMUTABLE_CACHE_TTL: u32 = 31_536_000;

impl Config {
    /// Reads the settings; `var` looks one up by its name. A number that is not
    /// set or is none has its default.
    pub fn read(var: &dyn Fn(&str) -> Option<String>, script_version: ScriptVersion) -> Self {
        let number = |name, default: u32| {
            var(name).and_then(|text| text.trim().parse().ok()).unwrap_or(default)
        };
        let read_tokens = |text: String| text.parse();
        let tokens = var("READ_TOKENS").map(read_tokens).transpose();
        Self {
            slot_cache_ttl: number("SLOT_CACHE_TTL", MIN_CACHE_TTL).max(MIN_CACHE_TTL),
            version_cache_ttl: number("VERSION_CACHE_TTL", 300).max(2 * MIN_CACHE_TTL),
            content_memory: number("CONTENT_MEMORY", 16 << 20) as usize,
            kv_timeout: number("KV_TIMEOUT_MS", 2_000).max(1),
            hosts: HostSlots::read(var("HOST_SLOTS"), var("DEFAULT_SLOT")),
            tokens: tokens.map_err(|_| Refusal::ConfigurationInvalid { name: "READ_TOKENS" }),
            origins: Origins::read(var("CORS_ORIGINS").as_deref().unwrap_or("")),
            script_version,
        }
    }

    /// Seconds that a location may keep a version record. An isolate keeps it for
    /// the other half, so that both together are `VERSION_CACHE_TTL`.
    pub fn record_cache_ttl(&self) -> u32 {
        self.version_cache_ttl / 2
    }

    /// Milliseconds for which an isolate uses a version record without reading it again.
    pub fn record_memory(&self) -> f64 {
        f64::from(self.version_cache_ttl - self.record_cache_ttl()) * 1000.0
    }

    /// Whether a bearer token is needed to read.
    pub fn needs_token(&self) -> bool {
        !matches!(self.tokens, Ok(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Config {
        let var = |name: &str| {
            vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Config::read(&var, ScriptVersion::default())
    }

    #[test]
    fn hosts_stand_for_slots() {
        let hosts = r#"{"green.example.com":"green","localhost:8787":"staging"}"#;
        let hosts = config(&[("HOST_SLOTS", hosts), ("DEFAULT_SLOT", "live")]).hosts.unwrap();
        for (host, slot) in [
            ("green.example.com", "green"),
            ("GREEN.example.com:443", "green"),
            ("localhost:8787", "staging"),
            ("localhost", "live"),
            ("", "live"),
        ] {
            assert_eq!(hosts.slot(host).as_str(), slot, "{host}");
        }
    }

    #[test]
    fn what_is_set_and_unreadable_is_not_unset() {
        for (name, value) in [
            ("HOST_SLOTS", "{"),
            ("HOST_SLOTS", r#"{"a":"v1"}"#),
            ("DEFAULT_SLOT", "v1"),
            ("READ_TOKENS", "{}x"),
            ("READ_TOKENS", ""),
        ] {
            let config = config(&[(name, value)]);
            assert!(config.hosts.is_err() || config.tokens.is_err(), "{name}={value}");
        }
        assert!(!config(&[]).needs_token());
        assert!(config(&[("READ_TOKENS", "x")]).needs_token());
    }

    #[test]
    fn numbers_have_floors_and_defaults() {
        let settings = config(&[("SLOT_CACHE_TTL", "5"), ("VERSION_CACHE_TTL", "soon")]);
        assert_eq!((settings.slot_cache_ttl, settings.version_cache_ttl), (30, 300));
        assert_eq!(settings.record_cache_ttl(), 150);
    }
}
