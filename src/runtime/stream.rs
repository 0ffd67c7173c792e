//! Contents that are sent while they are read.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;

#[wasm_bindgen(module = "/src/runtime/stream.js")]
extern "C" {
    /// A stream that breaks off before its end if it has another digest or size. `patience` is
    /// in milliseconds.
    pub(super) fn checked(
        stream: &ReadableStream,
        size: f64,
        digest: &str,
        patience: u32,
        script_version: &str,
    ) -> ReadableStream;

    /// Returns the SHA-256 of a stream and the number of its bytes, as an array.
    #[wasm_bindgen(js_name = digestOf)]
    pub(super) fn digest_of(stream: &ReadableStream) -> Promise;

    /// Tells if the bytes of this content were wrong when they were last read.
    pub(super) fn doubts(digest: &str) -> bool;

    /// Records that the bytes of this content are right.
    pub(super) fn trust(digest: &str);
}
