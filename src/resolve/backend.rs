//! What the resolver asks of the platform.

use catalog::digest::Digest;
use catalog::key::Namespace;

/// A namespace did not answer, or not with something that can be a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable(pub String);

/// What was read: the value, its absence, or neither.
pub type Read<T> = Result<Option<T>, Unavailable>;

/// Workers KV, a clock, chance and the platform's SHA-256.
///
/// `cache_ttl` is how many seconds this location may keep what it finds, absence
/// included; Workers KV takes 30 at least. The Worker runs on one thread, so no
/// future here needs to be `Send`.
#[allow(async_fn_in_trait)]
pub trait Backend {
    /// A content's bytes, in the form in which the platform sends them fastest.
    type Content: Clone + 'static;

    /// Reads a record.
    async fn record(&self, namespace: Namespace, key: &str, cache_ttl: u32) -> Read<Vec<u8>>;

    /// Reads up to a hundred records at once; the answers stand in the order of the keys.
    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        cache_ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable>;

    /// Reads a content from `COMPONENTS`, with the SHA-256 of what was read.
    async fn content(&self, key: &str, cache_ttl: u32) -> Read<(Self::Content, Digest)>;

    /// How many bytes of memory a content takes up.
    fn size(&self, content: &Self::Content) -> usize;

    /// A copy of a content's bytes.
    fn bytes(&self, content: &Self::Content) -> Vec<u8>;

    /// 32 random bits.
    fn draw(&self) -> u32;

    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> f64;
}
