//! The caller of a request, as far as an assignment depends on it.

use catalog::assign::{self, Caller, VersionOverride};
use catalog::record::SlotRecord;

use crate::http::Request;
use crate::http::headers::{KEYS, OVERRIDE, SEGMENT};

/// Reads the override, the segments and the version key of a request. A query parameter
/// takes precedence over a header, and an empty value counts as not sent.
pub fn of(request: &Request<'_>) -> Caller {
    Caller {
        version_override: version_override(request),
        segments: segments(request),
        key: key(request),
    }
}

/// Like [`of`], but reads only what decides in this slot.
pub fn of_slot(request: &Request<'_>, slot: &SlotRecord) -> Caller {
    let segments = if slot.segments.is_empty() { Vec::new() } else { segments(request) };
    let key = if slot.targets.len() > 1 { key(request) } else { None };
    Caller { version_override: version_override(request), segments, key }
}

fn version_override(request: &Request<'_>) -> Option<VersionOverride> {
    header(request, OVERRIDE).map(|text| match text.trim().parse() {
        Ok(version) => VersionOverride::Version(version),
        Err(_) => VersionOverride::Invalid,
    })
}

fn segments(request: &Request<'_>) -> Vec<String> {
    let lists = [parameter(request, "segment"), header(request, SEGMENT)];
    assign::segments(lists.iter().flatten().flat_map(|list| list.split(',')))
}

fn key(request: &Request<'_>) -> Option<String> {
    let header = |name: &&str| assign::version_key(&(request.header)(name)?);
    let parameter = request.parameter("key").and_then(|key| assign::version_key(&key));
    parameter.or_else(|| KEYS.iter().find_map(header))
}

fn header(request: &Request<'_>, name: &str) -> Option<String> {
    (request.header)(name).filter(|value| !value.trim().is_empty())
}

fn parameter(request: &Request<'_>, name: &str) -> Option<String> {
    request.parameter(name).filter(|value| !value.is_empty())
}
