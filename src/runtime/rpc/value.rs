//! Values of the runtime, as calls return them.

use std::cell::OnceCell;

use catalog::conductor::Page;
use js_sys::{Array, ArrayBuffer, JSON, JsString, Object, Reflect, TypeError, Uint8Array};
use wasm_bindgen::prelude::*;

use super::failure::CallFailure;
use crate::rpc::lookup::{KvEntry, KvValue};
use crate::runtime::content::ContentBody;

#[wasm_bindgen]
extern "C" {
    type TextDecoder;

    #[wasm_bindgen(constructor, catch)]
    fn new(label: &str, options: &Object) -> Result<TextDecoder, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn decode(this: &TextDecoder, bytes: &ArrayBuffer) -> Result<JsString, JsValue>;

    /// `JSON.parse` of `js_sys` takes a `&str`: the text would go through Wasm memory, which
    /// does not shrink.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn parse_json(text: &JsString) -> Result<JsValue, JsValue>;
}

pub(super) fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

pub(super) fn object(members: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}

pub(super) fn parsed(metadata: Option<impl serde::Serialize>) -> Result<JsValue, JsValue> {
    let json = metadata.and_then(|metadata| serde_json::to_string(&metadata).ok());
    json.map_or(Ok(JsValue::NULL), |json| JSON::parse(&json))
}

/// Converts a value to the requested type.
pub(super) fn convert(value: KvValue<ContentBody>, kind: &str) -> Result<JsValue, JsValue> {
    let bytes = match value {
        // No other type asks for a stream.
        KvValue::Content(ContentBody::Stream(stream)) => return Ok(stream.into()),
        KvValue::Content(ContentBody::Whole(content)) => content.bytes().clone(),
        KvValue::Text(text) => Uint8Array::from(text.as_bytes()).buffer(),
    };
    convert_with(&bytes, kind, &|| decode(&bytes))
}

/// Converts a value to the requested type. `text` returns its text.
pub(super) fn convert_with(
    value: &ArrayBuffer,
    kind: &str,
    text: &dyn Fn() -> Result<JsString, JsValue>,
) -> Result<JsValue, JsValue> {
    match kind {
        "text" => Ok(text()?.into()),
        "json" => parse_json(&text()?),
        "arrayBuffer" => Ok(value.clone().into()),
        "stream" => {
            let response = web_sys::Response::new_with_opt_buffer_source(Some(value))?;
            Ok(response.body().into())
        }
        _ => Err(TypeError::new(
            "Unknown response type. Possible types are \"text\", \"arrayBuffer\", \"json\", and \
             \"stream\".",
        )
        .into()),
    }
}

thread_local! {
    /// Created once: creating it costs as much as decoding a short text.
    static DECODER: OnceCell<TextDecoder> = const { OnceCell::new() };
}

pub(super) fn decode(value: &ArrayBuffer) -> Result<JsString, JsValue> {
    DECODER.with(|decoder| {
        if let Some(decoder) = decoder.get() {
            return decoder.decode(value);
        }
        // A byte order mark is a part of the value.
        let options = object(&[("ignoreBOM", JsValue::TRUE)])?;
        let made = TextDecoder::new("utf-8", options.unchecked_ref())?;
        decoder.get_or_init(|| made).decode(value)
    })
}

pub(super) fn bulk_value(
    entry: Option<KvEntry<ContentBody>>,
    kind: &str,
    described: bool,
) -> Result<JsValue, CallFailure> {
    let Some(KvEntry { value, metadata, .. }) = entry else { return Ok(JsValue::NULL) };
    let value = convert(value, kind).map_err(|_| {
        let why = format!("At least one of the requested keys corresponds to a non-{kind} value");
        CallFailure::kv("GET_BULK", 400, &why)
    })?;
    match described {
        true => Ok(object(&[("value", value), ("metadata", parsed(metadata)?)])?),
        false => Ok(value),
    }
}

/// Returns the value of `list`.
pub(super) fn page_value(page: Page) -> Result<JsValue, JsValue> {
    let last = page.more.then(|| page.keys.last()).flatten();
    let cursor = last.map(|(key, _)| JsValue::from_str(key));
    let keys = Array::new();
    for (key, metadata) in page.keys {
        let name = ("name", JsValue::from(key));
        keys.push(&match metadata {
            Some(_) => object(&[name, ("metadata", parsed(metadata)?)])?,
            None => object(&[name])?,
        });
    }
    let answer = object(&[
        ("keys", keys.into()),
        ("list_complete", cursor.is_none().into()),
        ("cacheStatus", JsValue::NULL),
    ])?;
    if let Some(cursor) = cursor {
        Reflect::set(&answer, &"cursor".into(), &cursor)?;
    }
    Ok(answer)
}
