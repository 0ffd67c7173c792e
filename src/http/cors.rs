//! Cross-origin reads (the CORS protocol of the Fetch standard), off by default.

use crate::config::Origins;
use crate::config::raw::Setting;
use crate::http::headers::ORIGIN;
use crate::http::{Body, Response};

/// The headers that a page may read besides the safelisted ones.
const EXPOSED: &str = "Component-Assignment, Component-Commit, Component-Slot, Component-Stale, \
                       Component-Version, Content-Location, ETag, Repr-Digest, Retry-After, \
                       Script-Version, Script-Version-Tag, Server-Timing";

/// The headers that a page may send.
const ALLOWED: &str = "Authorization, Cloudflare-Workers-Version-Key, \
                       Cloudflare-Workers-Version-Overrides, Component-Segment, \
                       Component-Version-Key, Component-Version-Override, Content-Type, \
                       If-Match, If-None-Match";

/// Adds the headers that a page of `origin` needs to read the response. If the setting is
/// invalid, no page can read it.
pub(crate) fn admit<B>(
    origins: &Setting<Origins>,
    response: Response<B>,
    origin: Option<&str>,
) -> Response<B> {
    let (allow, response) = match origins {
        Ok(Origins::Off) => return response,
        Ok(Origins::Any) => ("*", response),
        Err(_) => return response.varying(ORIGIN),
        Ok(Origins::Listed(origins)) => {
            let response = response.varying(ORIGIN);
            match origin.filter(|origin| origins.iter().any(|listed| listed == origin)) {
                Some(origin) => (origin, response),
                None => return response,
            }
        }
    };
    response
        .with("Access-Control-Allow-Origin", allow)
        .with("Access-Control-Expose-Headers", EXPOSED)
}

/// Answers `OPTIONS`: the methods of a resource, and for a preflight the headers that a
/// page may send.
pub(crate) fn options<B>(
    origins: &Setting<Origins>,
    allow: &'static str,
    preflight: bool,
) -> Response<B> {
    let response = Response::new(204, Body::Empty).with("Allow", allow);
    if matches!(origins, Ok(Origins::Off) | Err(_)) || !preflight {
        return response;
    }
    response
        .with("Access-Control-Allow-Methods", allow)
        .with("Access-Control-Allow-Headers", ALLOWED)
        .with("Access-Control-Max-Age", "86400")
}
