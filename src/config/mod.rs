//! The Worker's settings: the `[vars]` of `wrangler.toml`, the secrets and the
//! version metadata.

mod hosts;
mod origins;
pub mod raw;
pub mod read_access;
pub mod schedule;

use catalog::refusal::Refusal;
use serde::Serialize;

pub use self::hosts::HostSlots;
pub use self::origins::Origins;
use self::raw::{Invalid, RawSetting, Setting};
use self::read_access::ReadAccess;

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
    pub access: ReadAccess,
    /// `CORS_ORIGINS`: the origins whose pages may read.
    pub origins: Setting<Origins>,
    /// The refusal of every request for a component if a number is set but invalid.
    pub numbers: Setting<()>,
    /// The running version of the Worker.
    pub script_version: ScriptVersion,
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
    /// Reads the settings. `setting` looks one up by its name. A number that is unset gets its
    /// default.
    pub fn read(setting: &dyn Fn(&str) -> RawSetting, script_version: ScriptVersion) -> Self {
        let mut numbers = Ok(());
        let mut number = |name, default: u32| {
            setting(name).number().map_or_else(
                |error| {
                    numbers = numbers.clone().and(Err(refusal(name)(error)));
                    default
                },
                |number| number.unwrap_or(default),
            )
        };
        Self {
            slot_cache_ttl: number("SLOT_CACHE_TTL", MIN_CACHE_TTL).max(MIN_CACHE_TTL),
            version_cache_ttl: number("VERSION_CACHE_TTL", 300).max(2 * MIN_CACHE_TTL),
            content_memory: number("CONTENT_MEMORY", 16 << 20) as usize,
            kv_timeout: number("KV_TIMEOUT_MS", 2_000).max(1),
            numbers,
            hosts: hosts(&setting("HOST_SLOTS"), &setting("DEFAULT_SLOT")),
            access: ReadAccess::read(&setting(read_access::READ_TOKENS)),
            origins: origins(&setting("CORS_ORIGINS")),
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
        self.access.needs_token()
    }
}

/// Returns the refusal of the requests that need the setting.
fn refusal(name: &'static str) -> impl Fn(Invalid) -> Refusal {
    move |Invalid| Refusal::ConfigurationInvalid { name }
}

fn hosts(hosts: &RawSetting, default: &RawSetting) -> Setting<HostSlots> {
    let default = default.text().map_err(refusal("DEFAULT_SLOT"))?;
    let default = default.unwrap_or("production").trim().parse();
    let default = default.map_err(|_| refusal("DEFAULT_SLOT")(Invalid))?;
    let hosts = hosts.document().and_then(|json| HostSlots::read(json, default));
    hosts.map_err(refusal("HOST_SLOTS"))
}

fn origins(origins: &RawSetting) -> Setting<Origins> {
    origins.list().and_then(|list| Origins::read(&list)).map_err(refusal("CORS_ORIGINS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, RawSetting)]) -> Config {
        let setting = |name: &str| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map_or(RawSetting::Unset, |(_, value)| value.clone())
        };
        Config::read(&setting, ScriptVersion::default())
    }

    fn text(text: &str) -> RawSetting {
        RawSetting::Text(text.to_owned())
    }

    fn json(text: &str) -> RawSetting {
        RawSetting::Json(text.to_owned())
    }

    #[test]
    fn unset_settings_have_defaults() {
        let config = config(&[]);
        assert!(!config.needs_token());
        assert_eq!((config.numbers.clone(), config.origins.clone()), (Ok(()), Ok(Origins::Off)));
        assert_eq!(config.hosts.unwrap().slot("a.example").as_str(), "production");
        assert_eq!((config.slot_cache_ttl, config.version_cache_ttl), (30, 300));
    }

    #[test]
    fn settings_are_read_by_their_type() {
        let config = config(&[
            ("HOST_SLOTS", json(r#"{"green.example.com":"green"}"#)),
            ("DEFAULT_SLOT", text("live")),
            ("CORS_ORIGINS", json(r#"["https://a.example/"]"#)),
            ("SLOT_CACHE_TTL", json("120")),
            ("VERSION_CACHE_TTL", text("600")),
        ]);
        let hosts = config.hosts.unwrap();
        assert_eq!(hosts.slot("green.example.com").as_str(), "green");
        assert_eq!(hosts.slot("a.example").as_str(), "live");
        let listed = Origins::Listed(vec!["https://a.example".to_owned()]);
        assert_eq!((config.origins, config.numbers), (Ok(listed), Ok(())));
        assert_eq!((config.slot_cache_ttl, config.version_cache_ttl), (120, 600));
    }

    #[test]
    fn invalid_settings_do_not_count_as_unset() {
        for (name, value) in [
            ("HOST_SLOTS", text("{")),
            ("HOST_SLOTS", text(r#"{"a":"v1"}"#)),
            ("HOST_SLOTS", json("null")),
            ("HOST_SLOTS", RawSetting::Unreadable),
            ("DEFAULT_SLOT", text("v1")),
            ("DEFAULT_SLOT", json(r#"["production"]"#)),
            ("CORS_ORIGINS", text("a.example")),
            ("CORS_ORIGINS", json("null")),
            ("SLOT_CACHE_TTL", text("soon")),
            ("VERSION_CACHE_TTL", json("null")),
            ("CONTENT_MEMORY", RawSetting::Unreadable),
            ("KV_TIMEOUT_MS", json("1.5")),
        ] {
            let config = config(&[(name, value.clone())]);
            let invalid = [config.hosts.err(), config.origins.err(), config.numbers.err()];
            let invalid: Vec<Refusal> = invalid.into_iter().flatten().collect();
            assert_eq!(invalid, [Refusal::ConfigurationInvalid { name }], "{value:?}");
        }
    }

    #[test]
    fn the_first_invalid_number_is_named() {
        let config = config(&[("KV_TIMEOUT_MS", text("x")), ("SLOT_CACHE_TTL", text("x"))]);
        let first = Refusal::ConfigurationInvalid { name: "SLOT_CACHE_TTL" };
        assert_eq!(config.numbers, Err(first));
    }

    #[test]
    fn numbers_have_minimums() {
        let settings = config(&[("SLOT_CACHE_TTL", text("5")), ("VERSION_CACHE_TTL", json("0"))]);
        assert_eq!((settings.slot_cache_ttl, settings.version_cache_ttl), (30, 60));
        assert_eq!(settings.record_cache_ttl(), 30);
    }
}
