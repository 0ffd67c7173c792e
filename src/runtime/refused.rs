//! Requests that are refused before or after the full path: too many, from one caller or from all.

use catalog::refusal::Refusal;
use wasm_bindgen::prelude::*;
use worker::Env;

use super::fetch::request;
use super::isolate::Isolate;
use super::reply::Prepared;
use super::task;
use crate::http::headers::ORIGIN;
use crate::http::{NO_BODY, limit, respond, split};
use crate::trace::Trace;

/// Returns the response to a request that was given up because too many requests wait.
///
/// # Errors
///
/// An error of the runtime.
#[wasm_bindgen]
pub fn overloaded(request: &web_sys::Request, env: &Env) -> Result<JsValue, JsValue> {
    refuse(&Isolate::of(env), request, &Refusal::Overloaded)
}

/// Counts a request against the rate limit of its caller. Returns the response if the limit is
/// exceeded, else `undefined`, or a promise to await first (see [`task`]).
///
/// # Errors
///
/// An error of the runtime.
#[wasm_bindgen]
pub fn limited(number: u32, raw: web_sys::Request, env: Env) -> Result<JsValue, JsValue> {
    task::begin(number, async move {
        let isolate = Isolate::ready(&env).await;
        let (method, url, headers) = (raw.method(), raw.url(), raw.headers());
        let header = |name: &str| isolate.names.header(&headers, name);
        let request = request(&method, &url, &header, &NO_BODY);
        match limit::admit(&isolate.config, &isolate.reader, &request, 1).await {
            Ok(()) => Ok(JsValue::UNDEFINED),
            Err(refusal) => refuse(&isolate, &raw, &refusal),
        }
    })
}

fn refuse(
    isolate: &Isolate,
    request: &web_sys::Request,
    refusal: &Refusal,
) -> Result<JsValue, JsValue> {
    let (method, url) = (request.method(), request.url());
    let trace = Trace { code: Some(refusal.code()), ..Trace::default() };
    let origin = isolate.names.header(&request.headers(), ORIGIN);
    let (_, path, _) = split(&url);
    let response = respond::problem(refusal, path, &isolate.config.script_version);
    let response = respond::finish(response, &isolate.config, origin.as_deref());
    let response = if method == "HEAD" { response.without_body() } else { response };
    let line = trace.log(&method, response.status, &isolate.config.script_version);
    let prepared = Prepared::new(&response, &line, isolate.analytics.is_some())?;
    prepared.report(isolate.analytics.as_ref());
    prepared.first_response(response.body)
}
