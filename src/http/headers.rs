//! The names of the headers that several files read or write.

/// A version that the caller wants instead of the assigned one.
pub const OVERRIDE: &str = "Component-Version-Override";

/// The groups of the caller, separated by commas.
pub const SEGMENT: &str = "Component-Segment";

/// The version key of the caller. The second name is Cloudflare's own, so that one key
/// gives affinity to a version of the Worker and of the component.
pub const KEYS: [&str; 2] = ["Component-Version-Key", "Cloudflare-Workers-Version-Key"];

/// The entity tags that the caller demands (RFC 9110, section 13.1.1).
pub const IF_MATCH: &str = "If-Match";

/// The entity tags that the caller has (RFC 9110, section 13.1.2).
pub const IF_NONE_MATCH: &str = "If-None-Match";

/// The origin of the page that sends the request (RFC 6454).
pub const ORIGIN: &str = "Origin";

/// The address of the client, which Cloudflare sets and a client cannot. `X-Forwarded-For` begins
/// with whatever the client has sent.
pub const CLIENT_ADDRESS: &str = "CF-Connecting-IP";

/// The bearer token (RFC 6750).
pub const AUTHORIZATION: &str = "Authorization";
