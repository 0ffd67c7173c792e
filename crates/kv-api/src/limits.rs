//! The limits of one call.

/// The limits of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// The number of pairs in a bulk write or of keys in a bulk delete.
    pub pairs: usize,
    /// The size in bytes of the body of a bulk write.
    pub bytes: usize,
    /// The size in bytes of the largest value in a bulk write. A larger value is written by its
    /// own call, in which it needs no encoding.
    pub inline: usize,
}

/// Cloudflare's limits: 10,000 pairs and 100 MB per bulk write.
pub(crate) const CLOUDFLARE: CallLimits =
    CallLimits { pairs: 10_000, bytes: 100_000_000, inline: 1 << 20 };

/// The limits for `wrangler dev`. Its time grows with the square of the number of pairs
/// (10,000: 74 seconds, 1,000: 1.2 seconds), and it fails on Base64 of more than about 3 MiB.
pub(crate) const LOCAL: CallLimits = CallLimits { pairs: 1_000, ..CLOUDFLARE };
