//! The interface between the resolver and its platform.

use catalog::digest::Digest;
use catalog::key::Namespace;
use catalog::resolution::{Read, Unavailable};

/// Workers KV, a clock, randomness and the platform's SHA-256.
///
/// `cache_ttl` is the number of seconds for which this location may keep the result of a read,
/// absence included. Workers KV accepts at least 30. The Worker runs on one thread, so no
/// future here needs to be `Send`.
#[allow(async_fn_in_trait)]
pub trait Backend {
    /// The bytes of a content, in the form in which the platform sends them fastest.
    type Content: Clone + 'static;

    /// The bytes of a response: a content, or the stream of one that is never in memory.
    type Body: From<Self::Content> + 'static;

    /// Reads a record.
    async fn record(&self, namespace: Namespace, key: &str, cache_ttl: u32) -> Read<Vec<u8>>;

    /// Reads up to a hundred records at once and returns them in the order of the keys.
    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        cache_ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable>;

    /// Reads a content from `COMPONENTS` and returns it with the SHA-256 of its bytes.
    async fn content(&self, key: &str, cache_ttl: u32) -> Read<(Self::Content, Digest)>;

    /// Begins to read a content of `size` bytes from `COMPONENTS`. The stream breaks off before
    /// its last bytes if the content has another SHA-256 or size.
    async fn stream(
        &self,
        key: &str,
        cache_ttl: u32,
        digest: &Digest,
        size: u64,
    ) -> Read<Self::Body>;

    /// Reads a content from `COMPONENTS` without keeping it and returns its SHA-256 and its size
    /// in bytes.
    async fn digest(&self, key: &str, cache_ttl: u32) -> Read<(Digest, u64)>;

    /// Tells if a stream of this content broke off because its bytes were wrong, and nothing has
    /// called [`Backend::trust`] since.
    fn doubts(&self, digest: &Digest) -> bool;

    /// Records that the bytes of this content are right.
    fn trust(&self, digest: &Digest);

    /// Waits for a number of milliseconds.
    async fn pause(&self, milliseconds: u32);

    /// Returns the bytes of the contents of more than [`MAX_KEPT`] bytes in responses that are
    /// being sent.
    ///
    /// [`MAX_KEPT`]: super::memory::MAX_KEPT
    fn sending(&self) -> u64;

    /// Returns the memory that a content takes up, in bytes.
    fn size(&self, content: &Self::Content) -> usize;

    /// Tells if callers have a rate limit.
    fn has_limit(&self) -> bool;

    /// Counts a caller `count` times. Returns false if its rate limit is exceeded. A limiter that
    /// fails admits everybody.
    async fn admits(&self, key: &str, count: u32) -> bool;

    /// Returns 32 random bits.
    fn random(&self) -> u32;

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> f64;
}
