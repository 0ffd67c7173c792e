//! The bodies of requests.

use std::future::ready;
use std::pin::Pin;

/// The largest request body that is read, in bytes: a hundred references of maximum
/// length.
pub const MAX_BODY: usize = 64 << 10;

/// A read body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// These bytes, not more than [`MAX_BODY`].
    Bytes(Vec<u8>),
    /// More than [`MAX_BODY`] bytes.
    TooLarge,
    /// The body ended early, or did not arrive in time.
    Incomplete,
}

/// A body that can be read once.
pub trait RequestBody {
    /// Reads the body, up to [`MAX_BODY`] bytes.
    fn read(&self) -> Pin<Box<dyn Future<Output = Payload> + '_>>;
}

/// The body of a request without one.
pub static NO_BODY: Payload = Payload::Bytes(Vec::new());

impl RequestBody for Payload {
    fn read(&self) -> Pin<Box<dyn Future<Output = Payload> + '_>> {
        Box::pin(ready(self.clone()))
    }
}
