//! `get` of one key on the fast lane.

use catalog::digest::Digest;
use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::argument::ReadOptions;
use super::value::{convert_with, decode};
use crate::lane::urls::UrlNumber;
use crate::lane::{Recalled, RecalledContent};
use crate::runtime::content::ContentHandle;
use crate::runtime::isolate::{Isolate, isolate};

/// Returns the value of the fast lane for the key of a known URL, given its record, or
/// `undefined`.
#[wasm_bindgen(js_name = recallValue)]
pub fn recall_value(url: u32, options: &JsValue, record: &JsValue) -> JsValue {
    recalled(url.into(), options, record).unwrap_or_default()
}

fn recalled(url: UrlNumber, options: &JsValue, record: &JsValue) -> Option<JsValue> {
    let isolate = isolate()?;
    // The full path reports invalid options.
    let ReadOptions { kind, caller } = ReadOptions::read("GET", options).ok()?;
    let mut lane = isolate.lane.borrow_mut();
    let Recalled { prepared, digest, content } =
        lane.recall(&isolate.reader, url, &caller, Some(record))?;
    drop(lane);
    let RecalledContent::InMemory(content) = content else { return None };
    let text = || text_of(&isolate, &digest, &content);
    // The caller would interpret `null` as: the lane has no value.
    let value =
        convert_with(content.bytes(), &kind, &text).ok().filter(|value| !value.is_null())?;
    prepared.report(isolate.analytics.as_ref());
    Some(value)
}

/// Returns the text of a content in memory. The text of a short content is kept.
fn text_of(
    isolate: &Isolate,
    digest: &Digest,
    content: &ContentHandle,
) -> Result<JsString, JsValue> {
    if let Some(text) = content.text() {
        return Ok(text.clone());
    }
    let text = decode(content.bytes())?;
    if isolate.reader.is_short(content) {
        content.keep_text(text.clone());
        // Its size has changed.
        isolate.reader.keep_content(*digest, content);
    }
    Ok(text)
}

/// Returns the URL under which the lane remembers a key, as `entry.js` looks it up. No URL of
/// HTTP has this prefix.
pub(super) fn lane_url(key: &str) -> String {
    format!("rpc:{key}")
}
