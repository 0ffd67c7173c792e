//! Futures that are code of their own.

use std::pin::Pin;

/// What comes of a future, without the code of it.
pub(crate) type Apart<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Keeps a future out of the one that awaits it.
///
/// All that an `async fn` awaits is compiled into it, and V8 compiles a function when it
/// is called first: what the usual request never awaits makes a cold answer slower.
pub(crate) fn apart<'a, T>(future: impl Future<Output = T> + 'a) -> Apart<'a, T> {
    Box::pin(future)
}
