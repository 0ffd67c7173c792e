//! component-resolver: serves the right version of a component at the edge.
//!
//! A thin shell around `catalog`: this file and `store` know the platform, the
//! rest is plain Rust that runs natively too, which `tests/contract.rs` does.

pub mod backend;
pub mod conditional;
pub mod config;
pub mod http;
pub mod memory;
pub mod resolve;
pub mod respond;
pub mod router;
mod store;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Reflect};
use wasm_bindgen::JsValue;
use worker::{Context, Env, event};

use crate::config::{Config, ScriptVersion};
use crate::http::{Answer, Body, Request};
use crate::resolve::Resolver;
use crate::store::KvStore;

thread_local! {
    /// An isolate serves one script version with one environment for all its life.
    static RESOLVER: RefCell<Option<Rc<Resolver<KvStore>>>> = const { RefCell::new(None) };
}

#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> worker::Result<web_sys::Response> {
    let resolver = resolver(&env);
    let (method, url, headers) = (request.method(), request.url(), request.headers());
    let header = |name: &str| headers.get(name).ok().flatten();
    let answer =
        resolver.answer(&Request { method: &method, path: path(&url), header: &header }).await;
    respond(answer).map_err(worker::Error::from)
}

/// The path of an absolute URL, which is how the runtime gives it.
fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let from_path = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/");
    from_path.split(['?', '#']).next().unwrap_or("/")
}

fn resolver(env: &Env) -> Rc<Resolver<KvStore>> {
    RESOLVER.with_borrow_mut(|kept| {
        let make = || {
            let config = Config::read(&|name| text(env, name), script_version(env));
            Rc::new(Resolver::new(config, KvStore::of(env)))
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
