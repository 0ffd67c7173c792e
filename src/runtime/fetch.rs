//! `fetch`: HTTP requests.

use std::cell::RefCell;
use std::rc::Rc;

use catalog::key::Key;
use js_sys::{ArrayBuffer, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::kv::{self, Content, KvStore, Reads};
use super::reply::{Analytics, LaneMethod, Names, Prepared};
use super::task;
use super::waiting::Waiting;
use crate::config::{Config, ScriptVersion};
use crate::http::{Body, MAX_BODY, Payload, Request, split};
use crate::lane::{self, Lane, Missing, Recalled, rehearsal};
use crate::resolve::Resolver;
use crate::resolve::backend::Read;

/// An isolate serves one script version with one environment for all its life.
pub(super) struct Isolate {
    pub(super) resolver: Resolver<KvStore>,
    pub(super) lane: RefCell<Lane<JsValue, Prepared>>,
    /// Answers of the lane whose contents are read.
    pub(super) waiting: RefCell<Waiting<(Rc<Prepared>, Missing)>>,
    pub(super) analytics: Option<Analytics>,
    pub(super) names: Names,
}

thread_local! {
    static ISOLATE: RefCell<Option<Rc<Isolate>>> = const { RefCell::new(None) };
}

pub(super) fn isolate() -> Option<Rc<Isolate>> {
    ISOLATE.with_borrow(Clone::clone)
}

/// Begins the read of the slot that a URL stands for, if the fast lane knows it, and of
/// the content that it will need.
#[wasm_bindgen]
pub fn ahead(method: LaneMethod, url: &str, headers: &web_sys::Headers) -> Option<Reads> {
    let method = method.name()?;
    let (isolate, reads, missed) = read_slot(url)?;
    if missed {
        let header = |name: &str| isolate.names.header(headers, name);
        let asked = asked(method, url, &header, Payload::Bytes(Vec::new()));
        let expected = isolate.lane.borrow_mut().expects(&isolate.resolver, url, &asked);
        if let Some(digest) = expected {
            isolate.resolver.backend.read_along(digest, &reads);
        }
    }
    Some(reads)
}

/// The read, and whether the last one of the same had to read a content too.
pub(super) fn read_slot(url: &str) -> Option<(Rc<Isolate>, Reads, bool)> {
    let isolate = isolate()?;
    let (name, missed) = isolate.lane.borrow_mut().ahead(url)?;
    let reads = isolate.resolver.backend.slot(&name).ok()?;
    Some((isolate, reads, missed))
}

/// The answer of the fast lane, given what [`ahead`] read; `undefined` where it has none.
/// Where its content is not in memory: the promise of that, read after what [`ahead`]
/// began, for [`complete`] with the same number.
#[wasm_bindgen]
pub fn recall(
    number: u32,
    method: LaneMethod,
    url: &str,
    headers: &web_sys::Headers,
    record: &JsValue,
    reads: Option<Reads>,
) -> JsValue {
    let recalled = recalled(method, url, headers, record);
    recalled.and_then(|recalled| finish(number, recalled, reads)).unwrap_or_default()
}

fn recalled(
    method: LaneMethod,
    url: &str,
    headers: &web_sys::Headers,
    record: &JsValue,
) -> Option<Recalled<Prepared, Content>> {
    let isolate = isolate()?;
    let header = |name: &str| isolate.names.header(headers, name);
    let asked = asked(method.name()?, url, &header, Payload::Bytes(Vec::new()));
    let mut lane = isolate.lane.borrow_mut();
    lane.recall(&isolate.resolver, url, &asked, Some(record))
}

fn finish(
    number: u32,
    recalled: Recalled<Prepared, Content>,
    reads: Option<Reads>,
) -> Option<JsValue> {
    let isolate = isolate()?;
    let Recalled { answer, body, .. } = recalled;
    match body {
        lane::Body::Empty => send(&isolate, &answer, None),
        lane::Body::Content(content) => send(&isolate, &answer, Some(&content)),
        lane::Body::Missing(missing) => {
            let read = isolate.resolver.backend.content_of(missing.digest, reads).ok()?;
            isolate.waiting.borrow_mut().put(number, (answer, missing));
            Some(read.into())
        }
    }
}

/// The answer that [`recall`] has a number's content read for, given that content and its
/// SHA-256; `undefined` where the full path has to say what is wrong.
#[wasm_bindgen]
pub fn complete(number: u32, content: ArrayBuffer, hash: &JsValue) -> JsValue {
    completed(number, content, hash).unwrap_or_default()
}

fn completed(number: u32, content: ArrayBuffer, hash: &JsValue) -> Option<JsValue> {
    let isolate = isolate()?;
    let (answer, missing) = isolate.waiting.borrow_mut().take(number)?;
    let content = Content::new(content);
    let content = isolate.resolver.arrived(&missing, content, kv::digest(hash))?;
    send(&isolate, &answer, Some(&content))
}

/// The lane's answers are no `Result`s but values or `undefined`, after which the full
/// path says what is wrong: one handle crosses over in place of an array of three.
fn send(isolate: &Isolate, answer: &Prepared, content: Option<&Content>) -> Option<JsValue> {
    let response = answer.response(content).ok()?;
    answer.report(isolate.analytics.as_ref());
    Some(response)
}

/// The answer to a request, or a promise to be awaited first (see [`task`]); `record` is
/// what [`ahead`] brought: a text, `null` for absence, `undefined` where nothing was
/// read, else the error.
#[wasm_bindgen]
pub fn answer(
    number: u32,
    request: web_sys::Request,
    env: Env,
    record: JsValue,
) -> Result<JsValue, JsValue> {
    task::begin(number, answered(request, env, record))
}

async fn answered(
    request: web_sys::Request,
    env: Env,
    record: JsValue,
) -> Result<JsValue, JsValue> {
    let isolate = Isolate::of(&env);
    let payload = match request.body() {
        Some(body) => Box::pin(payload(body)).await?,
        None => Payload::Bytes(Vec::new()),
    };
    let (method, url, headers) = (request.method(), request.url(), request.headers());
    let header = |name: &str| isolate.names.header(&headers, name);
    let asked = asked(&method, &url, &header, payload);
    let read_ahead = isolate.read_ahead(&url, record);
    let (prepared, body) = isolate.answer(&asked, &url, read_ahead).await?;
    prepared.report(isolate.analytics.as_ref());
    prepared.first_response(body)
}

/// Answers a request that nobody made, in an isolate that nobody else sees, without any
/// read. V8 compiles a function when it is first called: what is called here while the
/// isolate starts, the first request does not wait for. `env` has no bindings.
#[wasm_bindgen]
pub fn rehearse(number: u32, env: Env) -> Result<JsValue, JsValue> {
    task::begin(number, async move {
        let isolate = Isolate::new(&env);
        let read = isolate.resolver.rehearsal(&Content::new(ArrayBuffer::new(0)));
        let asked = asked("GET", rehearsal::URL, &|_| None, Payload::Bytes(Vec::new()));
        let (prepared, _) = isolate.answer(&asked, rehearsal::URL, read).await?;
        // The code that would free it is called nowhere else.
        std::mem::forget(isolate);
        // The runtime makes none with a body while there is no request.
        prepared.response(None)
    })
}

impl Isolate {
    /// The isolate's, which begins with the first request.
    pub(super) fn of(env: &Env) -> Rc<Self> {
        isolate().unwrap_or_else(|| Self::begin(env))
    }

    fn begin(env: &Env) -> Rc<Self> {
        let isolate = Rc::new(Self::new(env));
        ISOLATE.replace(Some(isolate.clone()));
        isolate
    }

    fn new(env: &Env) -> Self {
        let config = Config::read(&|name| text(env, name), script_version(env));
        let store = KvStore::of(env, config.kv_timeout, config.slot_cache_ttl);
        let analytics = Analytics::of(env, &config.script_version);
        Self {
            resolver: Resolver::new(config, store),
            lane: RefCell::default(),
            waiting: RefCell::default(),
            analytics,
            names: Names::default(),
        }
    }

    /// The full path: the answer but for its body, which the lane learns, and the body.
    async fn answer(
        &self,
        asked: &Request<'_>,
        url: &str,
        read_ahead: Option<(Key, Read<Vec<u8>>)>,
    ) -> Result<(Rc<Prepared>, Body<Content>), JsValue> {
        let (answer, trace) = self.resolver.answer_with(asked, read_ahead).await;
        let line = trace.log(asked.method, answer.status, &self.resolver.config.script_version);
        let prepared = Rc::new(Prepared::new(&answer, &line, self.analytics.is_some())?);
        let heard = (answer.status, &trace);
        let mut lane = self.lane.borrow_mut();
        if lane.learn(&self.resolver, url, asked, heard, &prepared, JsValue::from_str) {
            prepared.keep()?;
        }
        Ok((prepared, answer.body))
    }

    pub(super) fn read_ahead(&self, url: &str, record: JsValue) -> Option<(Key, Read<Vec<u8>>)> {
        if record.is_undefined() {
            return None;
        }
        let key = self.lane.borrow_mut().key(url)?;
        Some((key, kv::text(record)))
    }
}

fn asked<'a>(
    method: &'a str,
    url: &'a str,
    header: &'a dyn Fn(&str) -> Option<String>,
    payload: Payload,
) -> Request<'a> {
    let (host, path, query) = split(url);
    Request { method, host, path, query, header, payload }
}

/// Reads the body, but not more of it than is ever used.
async fn payload(body: web_sys::ReadableStream) -> Result<Payload, JsValue> {
    let mut bytes = Vec::new();
    let reader = kv::reader(&body)?;
    while let Some(chunk) = kv::chunk(&reader).await? {
        bytes.extend(chunk.to_vec());
        if bytes.len() > MAX_BODY {
            return Ok(Payload::TooLarge);
        }
    }
    Ok(Payload::Bytes(bytes))
}

fn script_version(env: &Env) -> ScriptVersion {
    let metadata = Reflect::get(env, &"CF_VERSION_METADATA".into()).unwrap_or_default();
    let member = |name| text(&metadata, name).unwrap_or_default();
    ScriptVersion { id: member("id"), tag: member("tag"), timestamp: member("timestamp") }
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}
