//! Who asks, read from a request: what a split depends on.

use catalog::assign::{Caller, Wanted};
use catalog::digest::Digest;
use catalog::record::SlotRecord;

use crate::config::Config;
use crate::http::Request;
use crate::http::cors::Origins;
use crate::http::respond;
use crate::lane::LANE_METHODS;

/// The headers that take part in a split, in the order of the rules.
pub const OVERRIDE: &str = "Component-Version-Override";
/// The caller's groups, a list.
pub const SEGMENT: &str = "Component-Segment";
/// The caller's version key; the second is Cloudflare's own, so that one key gives
/// affinity to the Worker's version and to the component's.
pub const KEYS: [&str; 2] = ["Component-Version-Key", "Cloudflare-Workers-Version-Key"];

/// Reads the override, the segments and the version key of a request. A parameter
/// of the query goes before a header, and what is empty counts as not sent.
pub fn of(request: &Request<'_>) -> Caller {
    Caller { wanted: wanted(request), segments: segments(request), key: key(request) }
}

/// As [`of`], but only what decides in this slot.
pub fn of_slot(request: &Request<'_>, slot: &SlotRecord) -> Caller {
    let segments = if slot.segments.is_empty() { Vec::new() } else { segments(request) };
    let key = if slot.targets.len() > 1 { key(request) } else { None };
    Caller { wanted: wanted(request), segments, key }
}

fn wanted(request: &Request<'_>) -> Option<Wanted> {
    header(request, OVERRIDE).map(|text| match text.trim().parse() {
        Ok(version) => Wanted::Version(version),
        Err(_) => Wanted::Nothing,
    })
}

fn segments(request: &Request<'_>) -> Vec<String> {
    let lists = [parameter(request, "segment"), header(request, SEGMENT)];
    let segments = lists.iter().flatten().flat_map(|list| list.split(','));
    let segments = segments.map(str::trim).filter(|group| !group.is_empty());
    segments.map(str::to_owned).collect()
}

fn key(request: &Request<'_>) -> Option<String> {
    let header = || KEYS.iter().find_map(|name| header(request, name));
    parameter(request, "key").or_else(header)
}

fn header(request: &Request<'_>, name: &str) -> Option<String> {
    (request.header)(name).filter(|value| !value.trim().is_empty())
}

fn parameter(request: &Request<'_>, name: &str) -> Option<String> {
    request.parameter(name).filter(|value| !value.is_empty())
}

/// Who asks the fast lane: all that counts of a question beside its URL.
pub trait Asker {
    /// The method, whose answer it wants.
    fn method(&self) -> &str;

    /// Whether nothing of it counts but what the others here say.
    fn is_usual(&self, config: &Config) -> bool;

    /// The caller, as far as it decides in this slot.
    fn caller(&self, slot: &SlotRecord) -> Caller;

    /// Whether it has this content already.
    fn has(&self, digest: &Digest) -> bool;
}

impl Asker for Request<'_> {
    fn method(&self) -> &str {
        self.method
    }

    fn is_usual(&self, config: &Config) -> bool {
        LANE_METHODS.contains(&self.method)
            && self.query.is_empty()
            && !config.needs_token()
            && (config.origins == Origins::Off || (self.header)("Origin").is_none())
    }

    fn caller(&self, slot: &SlotRecord) -> Caller {
        of_slot(self, slot)
    }

    fn has(&self, digest: &Digest) -> bool {
        respond::has_current(self, digest)
    }
}

/// A call over a service binding: it needs no token, and always wants the content.
impl Asker for Caller {
    fn method(&self) -> &str {
        "GET"
    }

    fn is_usual(&self, _: &Config) -> bool {
        true
    }

    fn caller(&self, _: &SlotRecord) -> Caller {
        self.clone()
    }

    fn has(&self, _: &Digest) -> bool {
        false
    }
}
