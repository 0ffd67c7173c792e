//! The Wasm memory that is in use.

#[cfg(target_arch = "wasm32")]
use std::alloc::System;

/// Counts the bytes that are allocated, so that requests that wait can be bounded by what they
/// hold. There is no limit here: the platform has one.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: cap::Cap<System> = cap::Cap::new(System, usize::MAX);

/// Returns the number of allocated bytes; 0 on other platforms, where no isolate runs.
pub(crate) fn allocated() -> usize {
    #[cfg(target_arch = "wasm32")]
    return ALLOCATOR.allocated();
    #[cfg(not(target_arch = "wasm32"))]
    0
}
