//! What one call may carry.

/// What one call may carry.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Pairs in a bulk write, keys in a bulk delete.
    pub pairs: usize,
    /// Bytes of a bulk write's body.
    pub bytes: usize,
    /// The largest value that is sent among others; a larger one gets a call of
    /// its own, in which it needs no encoding.
    pub inline: usize,
}

/// Cloudflare's: 10,000 pairs and 100 MB a bulk write.
pub(crate) const CLOUDFLARE: CallLimits =
    CallLimits { pairs: 10_000, bytes: 100_000_000, inline: 1 << 20 };

/// `wrangler dev` takes time that grows with the square of the pairs (10,000: 74
/// seconds, 1,000: 1.2) and fails on Base64 of more than about 3 MiB.
pub(crate) const LOCAL: CallLimits = CallLimits { pairs: 1_000, ..CLOUDFLARE };
