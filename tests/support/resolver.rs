//! A resolver that runs natively, over any backend whose contents are bytes.

use base64ct::{Base64, Encoding};
use component_resolver::config::Config;
use component_resolver::http::router::{self, Handled};
use component_resolver::http::{Body, JsonPart, Request};
use component_resolver::resolve::backend::Backend;
use component_resolver::resolve::reader::{ReadAhead, Reader};
use pollster::block_on;
use serde_json::Value;

/// A resolver of one isolate.
pub(crate) struct Resolver<B: Backend> {
    pub(crate) config: Config,
    pub(crate) reader: Reader<B>,
}

impl<B: Backend<Body = Vec<u8>>> Resolver<B> {
    /// A resolver with an empty memory.
    pub(crate) fn new(config: Config, backend: B) -> Self {
        Self { reader: Reader::new(&config, backend), config }
    }

    /// Answers a request by the full path.
    pub(crate) fn answer(
        &self,
        request: &Request<'_>,
        ahead: Option<ReadAhead>,
    ) -> Handled<Vec<u8>> {
        block_on(router::answer(&self.config, &self.reader, request, ahead))
    }
}

/// Returns the bytes of a body.
pub(crate) fn body_bytes(body: Body<Vec<u8>>) -> Vec<u8> {
    match body {
        Body::Empty => Vec::new(),
        Body::Text(text) => text.into_bytes(),
        Body::Content(bytes) => bytes,
        Body::Json(parts) => parts.into_iter().flat_map(part_bytes).collect(),
    }
}

fn part_bytes(part: JsonPart<Vec<u8>>) -> Vec<u8> {
    let member = match part {
        JsonPart::Text(text) => text,
        JsonPart::Content(bytes) => match String::from_utf8(bytes) {
            Ok(text) => format!(r#""content":{}"#, Value::from(text)),
            Err(error) => {
                format!(r#""contentBase64":"{}""#, Base64::encode_string(error.as_bytes()))
            }
        },
    };
    member.into_bytes()
}
