//! Who asks, read from a request: what a split depends on.

use catalog::assign::{Caller, Wanted};

use crate::http::Request;

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
    let header = |name: &str| (request.header)(name).filter(|value| !value.trim().is_empty());
    let parameter = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
    let wanted = header(OVERRIDE).map(|text| match text.trim().parse() {
        Ok(version) => Wanted::Version(version),
        Err(_) => Wanted::Nothing,
    });
    let lists = [parameter("segment"), header(SEGMENT)];
    let segments = lists.iter().flatten().flat_map(|list| list.split(','));
    let segments = segments.map(str::trim).filter(|group| !group.is_empty());
    let key = parameter("key").or_else(|| KEYS.iter().find_map(|name| header(name)));
    Caller { wanted, segments: segments.map(str::to_owned).collect(), key }
}
