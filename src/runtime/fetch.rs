//! HTTP requests from the runtime.

use std::rc::Rc;

use js_sys::{ArrayBuffer, Date};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::body::StreamBody;
use super::content::{ContentBody, ContentHandle};
use super::isolate::{Isolate, isolate};
use super::kv::{self, Reads};
use super::method::{LaneMethod, method_name};
use super::reply::Prepared;
use super::task;
use crate::http::router::{self, Handled};
use crate::http::{Body, NO_BODY, Request, RequestBody, split};
use crate::lane::asker::RequestAsker;
use crate::lane::{Lesson, RESPONSE_SIZE, Recalled, RecalledContent, rehearsal};
use crate::resolve::reader::ReadAhead;

/// Begins to read the content that the response to a known URL will probably need, during the
/// read of the slot record.
#[wasm_bindgen(js_name = readAlong)]
pub fn read_along(url: u32, method: LaneMethod, headers: &web_sys::Headers, reads: &Reads) {
    let Some(isolate) = isolate() else { return };
    let expected = with_asker(&isolate, method, headers, &mut |asker| {
        isolate.lane.borrow_mut().expects(&isolate.reader, url.into(), asker)
    });
    if let Some(digest) = expected {
        isolate.reader.backend.read_along(digest, reads);
    }
}

/// Returns the response of the fast lane to a known URL, given its record, or `undefined`. If
/// the content is not in memory, returns the promise of its read, which follows `reads`. The
/// value of the promise is passed to [`complete`] with the same number. `reads` are the reads of
/// the request, or `undefined`; an `Option` would be a second call of the Wasm.
#[wasm_bindgen]
pub fn recall(
    number: u32,
    url: u32,
    method: LaneMethod,
    headers: &web_sys::Headers,
    record: &JsValue,
    reads: &JsValue,
) -> JsValue {
    let Some(isolate) = isolate() else { return JsValue::UNDEFINED };
    let recalled = with_asker(&isolate, method, headers, &mut |asker| {
        isolate.lane.borrow_mut().recall(&isolate.reader, url.into(), asker, Some(record))
    });
    recalled.and_then(|recalled| finish(&isolate, number, recalled, reads)).unwrap_or_default()
}

/// Calls `ask` for a request to a URL of the lane, which has no query. The host and the path
/// matter no more once the URL is known.
fn with_asker<T>(
    isolate: &Isolate,
    method: LaneMethod,
    headers: &web_sys::Headers,
    ask: &mut dyn FnMut(&RequestAsker<'_>) -> Option<T>,
) -> Option<T> {
    let header = |name: &str| isolate.names.header(headers, name);
    let (host, path, query) = ("", "", "");
    let method = method_name(method)?;
    let request = &Request { method, host, path, query, header: &header, body: &NO_BODY };
    ask(&RequestAsker { config: &isolate.config, request })
}

fn finish(
    isolate: &Isolate,
    number: u32,
    recalled: Recalled<Prepared, ContentHandle>,
    reads: &JsValue,
) -> Option<JsValue> {
    let Recalled { prepared, content, .. } = recalled;
    match content {
        RecalledContent::Empty => send(isolate, &prepared, None),
        RecalledContent::InMemory(content) => send(isolate, &prepared, Some(&content)),
        RecalledContent::Missing(missing) => {
            let reads = (!reads.is_undefined()).then(|| reads.unchecked_ref());
            let read = isolate.reader.backend.content_of(missing.digest, reads).ok()?;
            let mut waiting = isolate.waiting.borrow_mut();
            waiting.drop_older(task::oldest());
            waiting.put(number, (prepared, missing), RESPONSE_SIZE, Date::now());
            Some(read.into())
        }
    }
}

/// Returns the response for which [`recall`] has read a content, given the content and its
/// SHA-256, if there is one. Returns `undefined` if the full path has to find the error, and `null`
/// if the request was given up because too many requests wait.
#[wasm_bindgen]
pub fn complete(number: u32, content: Option<ArrayBuffer>, hash: &JsValue) -> JsValue {
    let Some(isolate) = isolate() else { return JsValue::UNDEFINED };
    let waited = isolate.waiting.borrow_mut().take(number);
    let Some((prepared, missing)) = waited else { return JsValue::NULL };
    let accepted = content.and_then(|content| {
        isolate.reader.accept(&missing, ContentHandle::new(content), kv::digest(hash))
    });
    let response = accepted.and_then(|content| send(&isolate, &prepared, Some(&content)));
    response.unwrap_or_default()
}

/// Creates a response of the lane. The lane returns values or `undefined`, not `Result`s: one
/// handle crosses the boundary instead of an array of three.
fn send(
    isolate: &Isolate,
    prepared: &Prepared,
    content: Option<&ContentHandle>,
) -> Option<JsValue> {
    let response = prepared.response(content).ok()?;
    prepared.report(isolate.analytics.as_ref());
    Some(response)
}

/// Returns the response of the full path, or a promise to await first (see [`task`]). `record`
/// is the result of the read ahead: the text, `null` for absence, the error, or `undefined` if
/// nothing was read.
///
/// # Errors
///
/// An error of the runtime.
#[wasm_bindgen]
pub fn answer(
    number: u32,
    request: web_sys::Request,
    env: Env,
    record: JsValue,
) -> Result<JsValue, JsValue> {
    task::begin(number, answered(request, env, record))
}

async fn answered(raw: web_sys::Request, env: Env, record: JsValue) -> Result<JsValue, JsValue> {
    let isolate = Isolate::ready(&env).await;
    let body = &StreamBody { stream: raw.body(), patience: isolate.config.kv_timeout };
    let (method, url, headers) = (raw.method(), raw.url(), raw.headers());
    let header = |name: &str| isolate.names.header(&headers, name);
    let request = request(&method, &url, &header, body);
    let ahead = isolate.read_ahead(&url, record);
    let (prepared, body) = full_path(&isolate, &request, &url, ahead).await?;
    prepared.report(isolate.analytics.as_ref());
    prepared.first_response(body)
}

/// Drops what a request on the full path waits with, because its client has cancelled it.
#[wasm_bindgen]
pub fn cancel(number: u32) {
    task::forget(number);
}

/// Answers an artificial request, in an isolate that no request uses, without any read. V8
/// compiles a function when it is first called, so the first request does not wait for
/// functions that were called while the isolate started. `env` has no bindings.
///
/// # Errors
///
/// An error of the runtime.
#[wasm_bindgen]
pub fn rehearse(number: u32, env: Env) -> Result<JsValue, JsValue> {
    task::begin(number, async move {
        let isolate = Isolate::new(&env);
        let ahead = rehearsal::prepare(&isolate.reader, &ContentHandle::new(ArrayBuffer::new(0)));
        let request = request("GET", rehearsal::URL, &|_| None, &NO_BODY);
        let (prepared, _) = full_path(&isolate, &request, rehearsal::URL, ahead).await?;
        // No other function calls the code that would free the isolate, so it is not freed.
        std::mem::forget(isolate);
        // The runtime creates no response with a body outside a request.
        prepared.response(None)
    })
}

/// Runs the full path. Returns the response without its body, which the lane learns, and the
/// body.
async fn full_path(
    isolate: &Isolate,
    request: &Request<'_>,
    url: &str,
    ahead: Option<ReadAhead>,
) -> Result<(Rc<Prepared>, Body<ContentBody>), JsValue> {
    let Isolate { config, reader, .. } = isolate;
    let Handled { response, trace, basis } = router::answer(config, reader, request, ahead).await;
    let line = trace.log(request.method, response.status, &config.script_version);
    let prepared = Rc::new(Prepared::new(&response, &line, isolate.analytics.is_some())?);
    if let Some(basis) = basis {
        let asker = RequestAsker { config, request };
        let lesson = Lesson { status: response.status, trace: &trace, basis };
        let mut lane = isolate.lane.borrow_mut();
        if lane.learn(reader, url, &asker, lesson, &prepared) {
            prepared.keep()?;
        }
    }
    Ok((prepared, response.body))
}

/// Creates a request from its parts as the runtime has them.
pub(super) fn request<'a>(
    method: &'a str,
    url: &'a str,
    header: &'a dyn Fn(&str) -> Option<String>,
    body: &'a dyn RequestBody,
) -> Request<'a> {
    let (host, path, query) = split(url);
    Request { method, host, path, query, header, body }
}
