//! component-resolver: serves the right version of a component at the edge.
//!
//! A thin shell around `catalog`: this file, `rpc` and `store` know the platform,
//! the rest is plain Rust that runs natively too, which `tests/contract.rs` does.

pub mod access;
pub mod backend;
pub mod batch;
pub mod caller;
pub mod conditional;
pub mod config;
pub mod cors;
pub mod http;
pub mod listing;
mod lookup;
pub mod memory;
pub mod reading;
pub mod resolve;
pub mod respond;
pub mod router;
pub mod rpc;
mod store;
pub mod trace;

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::StreamExt;
use js_sys::{Array, ArrayBuffer, Object, Reflect};
use wasm_bindgen::prelude::*;
use worker::{ByteStream, Context, Env, event};

use crate::config::{Config, ScriptVersion};
use crate::http::{Answer, Body, MAX_BODY, Payload, Request};
use crate::resolve::Resolver;
use crate::store::KvStore;
use crate::trace::LogLine;

thread_local! {
    /// An isolate serves one script version with one environment for all its life.
    static RESOLVER: RefCell<Option<Rc<Resolver<KvStore>>>> = const { RefCell::new(None) };
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn log(line: &str);

    /// An Analytics Engine data set, where one is bound.
    type DataSet;

    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write_data_point(this: &DataSet, point: &Object) -> Result<(), JsValue>;
}

#[event(fetch)]
async fn fetch(
    request: worker::Request,
    env: Env,
    _context: Context,
) -> worker::Result<web_sys::Response> {
    let resolver = resolver(&env);
    let payload = payload(&request).await?;
    let raw = request.inner();
    let (method, url, headers) = (raw.method(), raw.url(), raw.headers());
    let header = |name: &str| headers.get(name).ok().flatten();
    let (host, path, query) = split(&url);
    let asked = Request { method: &method, host, path, query, header: &header, payload };
    let (answer, trace) = resolver.answer(&asked).await;
    report(&env, &trace.log(&method, answer.status, &resolver.config.script_version));
    respond(answer).map_err(worker::Error::from)
}

/// Host, path and query of an absolute URL, which is how the runtime gives it.
fn split(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    (host, if path.is_empty() { "/" } else { path }, query)
}

/// Reads the body, but not more of it than is ever used.
async fn payload(request: &worker::Request) -> worker::Result<Payload> {
    let mut bytes = Vec::new();
    let Some(body) = request.inner().body() else { return Ok(Payload::Bytes(bytes)) };
    let mut stream = ByteStream::from(body);
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk?);
        if bytes.len() > MAX_BODY {
            return Ok(Payload::TooLarge);
        }
    }
    Ok(Payload::Bytes(bytes))
}

fn resolver(env: &Env) -> Rc<Resolver<KvStore>> {
    RESOLVER.with_borrow_mut(|kept| {
        let make = || {
            let config = Config::read(&|name| text(env, name), script_version(env));
            let store = KvStore::of(env, config.kv_timeout);
            Rc::new(Resolver::new(config, store))
        };
        kept.get_or_insert_with(make).clone()
    })
}

fn script_version(env: &Env) -> ScriptVersion {
    let metadata = Reflect::get(env, &"CF_VERSION_METADATA".into()).unwrap_or_default();
    let member = |name| text(&metadata, name).unwrap_or_default();
    ScriptVersion { id: member("id"), tag: member("tag"), timestamp: member("timestamp") }
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}

/// Logs the request, and counts it where Analytics Engine is bound as `ANALYTICS`.
fn report(env: &Env, line: &LogLine<'_>) {
    log(&line.json());
    let set: JsValue = Reflect::get(env, &"ANALYTICS".into()).unwrap_or_default();
    if set.is_undefined() {
        return;
    }
    let point = Object::new();
    let list = |values: &mut dyn Iterator<Item = JsValue>| values.collect::<Array>();
    for (member, values) in [
        ("indexes", list(&mut line.blobs().into_iter().take(1).map(JsValue::from_str))),
        ("blobs", list(&mut line.blobs().into_iter().map(JsValue::from_str))),
        ("doubles", list(&mut line.doubles().into_iter().map(JsValue::from_f64))),
    ] {
        let _ = Reflect::set(&point, &member.into(), &values);
    }
    // A data point that is not taken must not cost the caller the answer.
    if let Err(error) = set.unchecked_into::<DataSet>().write_data_point(&point) {
        let why = text(&error, "message").unwrap_or_default();
        log(&serde_json::json!({ "analytics": why }).to_string());
    }
}

fn respond(answer: Answer<ArrayBuffer>) -> Result<web_sys::Response, JsValue> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(&headers);
    match answer.body {
        Body::Empty => web_sys::Response::new_with_opt_str_and_init(None, &init),
        Body::Text(text) => web_sys::Response::new_with_opt_str_and_init(Some(&text), &init),
        Body::Content(bytes) => {
            web_sys::Response::new_with_opt_buffer_source_and_init(Some(&bytes), &init)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_its_parts() {
        for (url, parts) in [
            ("https://a.example:8787/b?c=d#e", ("a.example:8787", "/b", "c=d")),
            ("https://a.example", ("a.example", "/", "")),
            ("https://a.example?x=/y", ("a.example", "/", "x=/y")),
            ("http://a.example/b%3F?c?d", ("a.example", "/b%3F", "c?d")),
        ] {
            assert_eq!(split(url), parts, "{url}");
        }
    }
}
