//! The Worker's settings: the `[vars]` of `wrangler.toml`, the secrets and the
//! version metadata.

use catalog::access::ReadTokens;
use catalog::refusal::Refusal;
use catalog::slot::Slot;
use serde::Serialize;
use vecmap::VecMap;

/// Settings of one script version; they do not change while an isolate lives.
#[derive(Clone, Debug)]
pub struct Config {
    /// `SLOT_CACHE_TTL`: seconds for which a location may serve a slot's old pointer.
    pub slot_cache_ttl: u32,
    /// `VERSION_CACHE_TTL`: seconds until a revocation takes effect.
    pub version_cache_ttl: u32,
    /// `CONTENT_MEMORY`: bytes of contents that an isolate keeps.
    pub content_memory: usize,
    /// `KV_TIMEOUT_MS`: milliseconds after which a read of a record counts as failed.
    pub kv_timeout: u32,
    /// `HOST_SLOTS` and `DEFAULT_SLOT`: the slot of a request without a reference.
    pub hosts: Setting<HostSlots>,
    /// `READ_TOKENS`: the tokens that may read. Without them, every caller may read.
    pub tokens: Setting<Option<ReadTokens>>,
    /// `CORS_ORIGINS`: the origins whose pages may read.
    pub origins: Origins,
    /// The running version of the Worker.
    pub script_version: ScriptVersion,
}

/// A setting, or the refusal of every request that needs it. A setting that is set but
/// invalid must not count as unset.
pub type Setting<T> = Result<T, Refusal>;

/// The slot that each host serves.
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
            Some(json) => serde_json::from_str(json).map_err(|_| invalid("HOST_SLOTS"))?,
        };
        let default = default.unwrap_or_else(|| "production".to_owned());
        let default = default.trim().parse().map_err(|_| invalid("DEFAULT_SLOT"))?;
        Ok(Self { hosts, default })
    }

    /// Returns the slot of `host`, which may include a port. Hosts are compared in lower case.
    pub fn slot(&self, host: &str) -> &Slot {
        let host = host.to_ascii_lowercase();
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        self.hosts.get(&host).or_else(|| self.hosts.get(name)).unwrap_or(&self.default)
    }
}

/// The origins whose pages may read responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// No origin: no CORS header is sent.
    Off,
    /// Every origin.
    Any,
    /// These origins.
    Listed(Vec<String>),
}

impl Origins {
    /// Reads `CORS_ORIGINS`: `*`, or origins separated by commas or white space.
    pub fn read(text: &str) -> Self {
        let origins = text.split([',', ' ', '\t', '\n']).map(str::trim).filter(|o| !o.is_empty());
        let origins: Vec<String> = origins.map(str::to_owned).collect();
        match origins.as_slice() {
            [] => Self::Off,
            origins if origins.iter().any(|origin| origin == "*") => Self::Any,
            _ => Self::Listed(origins),
        }
    }
}

/// A version of the Worker, as Cloudflare's version metadata binding names it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ScriptVersion {
    /// The id of the version, a UUID.
    pub id: String,
    /// The tag of the upload; empty without one.
    pub tag: String,
    /// The time of the upload, RFC 3339.
    pub timestamp: String,
}

/// The shortest `cacheTtl` that Workers KV accepts, in seconds.
pub const MIN_CACHE_TTL: u32 = 30;

/// The `cacheTtl` of a content, which never changes, in seconds: a year.
pub const IMMUTABLE_CACHE_TTL: u32 = 31_536_000;

impl Config {
    /// Reads the settings. `var` looks one up by its name. A number that is unset or invalid
    /// gets its default.
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

    /// Returns the seconds for which a location may keep a version record: half of
    /// `VERSION_CACHE_TTL`. An isolate keeps it for the other half.
    pub fn record_cache_ttl(&self) -> u32 {
        self.version_cache_ttl / 2
    }

    /// Returns the milliseconds for which an isolate uses a version record without reading it
    /// again.
    pub fn record_memory(&self) -> f64 {
        f64::from(self.version_cache_ttl - self.record_cache_ttl()) * 1000.0
    }

    /// Tells if a bearer token is needed to read.
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
    fn hosts_select_slots() {
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
    fn invalid_settings_do_not_count_as_unset() {
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
    fn origins_are_off_any_or_listed() {
        assert_eq!(Origins::read(" "), Origins::Off);
        assert_eq!(Origins::read("*"), Origins::Any);
        let listed = vec!["https://a.example".to_owned(), "https://b.example".to_owned()];
        assert_eq!(Origins::read("https://a.example, https://b.example"), Origins::Listed(listed));
    }

    #[test]
    fn numbers_have_minimums_and_defaults() {
        let settings = config(&[("SLOT_CACHE_TTL", "5"), ("VERSION_CACHE_TTL", "soon")]);
        assert_eq!((settings.slot_cache_ttl, settings.version_cache_ttl), (30, 300));
        assert_eq!(settings.record_cache_ttl(), 150);
    }
}
