//! The times for which reads and records may be used.

use catalog::key::CacheClass;

use crate::config::{Config, IMMUTABLE_CACHE_TTL};

/// The maximum patience of a request, in milliseconds: two seconds.
const MAX_PATIENCE: u32 = 2_000;

/// The times of an isolate, from its settings.
pub(crate) struct Times {
    /// Seconds for which a location may serve an old slot record.
    slot_cache_ttl: u32,
    /// Seconds for which a location may serve an old version record.
    record_cache_ttl: u32,
    /// Milliseconds for which an isolate uses a version record without reading it again.
    pub(crate) record_memory: f64,
    /// Milliseconds for which a request may wait for what this location does not see yet.
    pub(crate) patience: u32,
}

impl Times {
    /// Returns the times of these settings.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            slot_cache_ttl: config.slot_cache_ttl,
            record_cache_ttl: config.record_cache_ttl(),
            record_memory: config.record_memory(),
            patience: config.kv_timeout.min(MAX_PATIENCE),
        }
    }

    /// Returns the `cacheTtl` of a read, in seconds.
    pub(crate) fn cache_ttl(&self, class: CacheClass) -> u32 {
        match class {
            CacheClass::Mutable => self.slot_cache_ttl,
            CacheClass::Record => self.record_cache_ttl,
            CacheClass::Immutable => IMMUTABLE_CACHE_TTL,
        }
    }
}
