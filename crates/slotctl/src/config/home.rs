//! The service that has the namespaces.

/// The service that has the namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// `wrangler dev`, which accepts any text as an id.
    Local,
    /// Cloudflare, where an id has 32 hexadecimal digits.
    Cloudflare,
}
