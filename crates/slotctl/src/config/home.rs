//! Who has the namespaces.

/// Who has the namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// A `wrangler dev`, which takes any text as an id.
    Local,
    /// Cloudflare, where an id has 32 hexadecimal digits.
    Cloudflare,
}
