//! The body of a request, read from its stream.

use std::pin::Pin;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

use super::kv::within;
use super::task::settled;
use crate::http::{MAX_BODY, Payload, RequestBody};

#[wasm_bindgen]
extern "C" {
    /// A reader of a request body.
    type Reader;

    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader) -> Result<js_sys::Promise, JsValue>;
}

/// The body of a request. Nothing of it is in Wasm memory before it is read.
pub(super) struct StreamBody {
    /// The stream; `None` for a request without a body.
    pub(super) stream: Option<ReadableStream>,
    /// The time within which each chunk has to arrive, in milliseconds.
    pub(super) patience: u32,
}

impl RequestBody for StreamBody {
    fn read(&self) -> Pin<Box<dyn Future<Output = Payload> + '_>> {
        Box::pin(async { self.payload().await.unwrap_or(Payload::Incomplete) })
    }
}

impl StreamBody {
    async fn payload(&self) -> Result<Payload, JsValue> {
        let mut bytes = Vec::new();
        let Some(stream) = &self.stream else { return Ok(Payload::Bytes(bytes)) };
        let reader: Reader = ReadableStreamDefaultReader::new(stream)?.unchecked_into();
        while let Some(chunk) = self.chunk(&reader).await? {
            if bytes.len() + chunk.length() as usize > MAX_BODY {
                return Ok(Payload::TooLarge);
            }
            bytes.extend(chunk.to_vec());
        }
        Ok(Payload::Bytes(bytes))
    }

    /// Reads the next bytes; `None` at the end.
    async fn chunk(&self, reader: &Reader) -> Result<Option<Uint8Array>, JsValue> {
        let result = settled(within(&reader.read()?, self.patience)).await?;
        let member = |name: &str| Reflect::get(&result, &name.into());
        match member("done")?.as_bool() {
            Some(true) => Ok(None),
            Some(false) => member("value")?.dyn_into().map(Some),
            // The result of `within` may be an error.
            None => Err(result),
        }
    }
}
