//! The Worker's settings: the `[vars]` of `wrangler.toml` and the version metadata.

use serde::Serialize;

/// Settings of one script version; they do not change while an isolate lives.
#[derive(Clone, Debug)]
pub struct Config {
    /// `SLOT_CACHE_TTL`: seconds for which a location may serve a slot's old pointer.
    pub slot_cache_ttl: u32,
    /// `VERSION_CACHE_TTL`: seconds that a revocation may take.
    pub version_cache_ttl: u32,
    /// `CONTENT_MEMORY`: bytes of contents kept in an isolate.
    pub content_memory: usize,
    /// Which version of the Worker this is.
    pub script_version: ScriptVersion,
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
    /// Reads the settings; `var` looks one up by its name. What is not set or not
    /// a whole number has its default.
    pub fn read(var: &dyn Fn(&str) -> Option<String>, script_version: ScriptVersion) -> Self {
        let number = |name, default: u32| {
            var(name).and_then(|text| text.trim().parse().ok()).unwrap_or(default)
        };
        Self {
            slot_cache_ttl: number("SLOT_CACHE_TTL", MIN_CACHE_TTL).max(MIN_CACHE_TTL),
            version_cache_ttl: number("VERSION_CACHE_TTL", 300).max(2 * MIN_CACHE_TTL),
            content_memory: number("CONTENT_MEMORY", 16 << 20) as usize,
            script_version,
        }
    }

    /// Seconds that a location may keep a version record. An isolate keeps it for
    /// the other half, so that both together are `VERSION_CACHE_TTL`.
    pub fn record_cache_ttl(&self) -> u32 {
        self.version_cache_ttl / 2
    }
}
