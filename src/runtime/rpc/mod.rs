//! RPC over a service binding, in the shape of Workers' `KVNamespace`.
//!
//! `entry.js` makes the exported functions methods of the Worker's default
//! entrypoint. What they take, give and throw is what Cloudflare's binding does,
//! as `types/index.d.ts` writes it down; `tests/worker/rpc.test.mjs` asks both.

mod argument;
mod failure;
mod value;

use std::rc::Rc;

use catalog::assign::Caller;
use catalog::digest::Digest;
use js_sys::{Array, JsString, Map, Reflect};
use wasm_bindgen::prelude::*;

use self::argument::{Options, read_caller, within};
use self::failure::{Failure, read_only};
use self::value::{bulk_value, bytes, convert, convert_with, decode, member, object, parsed};
use crate::lane::{Body, Recalled};
use crate::runtime::fetch::{Isolate, isolate, read_slot};
use crate::runtime::kv::{Content, Reads};
use crate::runtime::reply::Prepared;
use crate::runtime::task;
use crate::trace::Trace;

/// The most keys of a bulk read and of a listing's page that Workers KV has.
const MAX_KEYS: u32 = 100;
const MAX_PAGE: u32 = 1_000;

#[wasm_bindgen(module = "/src/runtime/rpc/caller.js")]
extern "C" {
    #[wasm_bindgen(js_name = forCaller)]
    fn bind_caller(resolver: &JsValue, caller: &JsValue) -> JsValue;
}

/// What a call comes to, or a promise to be awaited first (see [`task`]).
type Answer = Result<JsValue, JsValue>;

/// Begins the read of the slot that a key stands for, if the fast lane knows it.
#[wasm_bindgen(js_name = aheadOf)]
pub fn ahead_of(key: &str) -> Option<Reads> {
    read_slot(&lane_url(key)).map(|(_, reads, _)| reads)
}

/// The value of the fast lane, given what [`ahead_of`] read of the same key;
/// `undefined` where it has none.
#[wasm_bindgen(js_name = recallValue)]
pub fn recall_value(key: &str, options: &JsValue, record: &JsValue) -> JsValue {
    recalled(&lane_url(key), options, record).unwrap_or_default()
}

fn recalled(url: &str, options: &JsValue, record: &JsValue) -> Option<JsValue> {
    let isolate = isolate()?;
    // The full path says what is wrong with them.
    let Options { kind, caller } = Options::read("GET", options).ok()?;
    let mut lane = isolate.lane.borrow_mut();
    let Recalled { answer, digest, body } =
        lane.recall(&isolate.resolver, url, &caller, Some(record))?;
    drop(lane);
    let Body::Content(content) = body else { return None };
    let text = || isolate.text(&digest, &content);
    // `null` would be taken for none.
    let value =
        convert_with(content.bytes(), &kind, &text).ok().filter(|value| !value.is_null())?;
    answer.report(isolate.analytics.as_ref());
    Some(value)
}

impl Isolate {
    /// The text of a content in memory; a short one is made once.
    fn text(&self, digest: &Digest, content: &Content) -> Result<JsString, JsValue> {
        if let Some(text) = content.text() {
            return Ok(text.clone());
        }
        let text = decode(content.bytes())?;
        if self.resolver.is_short(content) {
            content.keep_text(text.clone());
            // It is larger now.
            self.resolver.keep_content(*digest, content);
        }
        Ok(text)
    }
}

/// Under what the lane remembers a key: no URL of HTTP begins so.
fn lane_url(key: &str) -> String {
    format!("rpc:{key}")
}

/// `get(key | keys, type | options)`; `record` is what [`ahead_of`] brought.
#[wasm_bindgen]
pub fn get(number: u32, this: JsValue, keys: JsValue, options: JsValue, record: JsValue) -> Answer {
    call(number, this, Asked::Read { keys, options, described: false, record })
}

/// `getWithMetadata(key | keys, type | options)`.
#[wasm_bindgen(js_name = getWithMetadata)]
pub fn get_with_metadata(number: u32, this: JsValue, keys: JsValue, options: JsValue) -> Answer {
    call(number, this, Asked::Read { keys, options, described: true, record: JsValue::UNDEFINED })
}

/// `list({ prefix, limit, cursor })`.
#[wasm_bindgen]
pub fn list(number: u32, this: JsValue, options: JsValue) -> Answer {
    call(number, this, Asked::List { options })
}

/// Refused: what is in KV is made of Git tags.
#[wasm_bindgen]
pub fn put(number: u32, this: JsValue) -> Answer {
    call(number, this, Asked::Write("PUT"))
}

/// Refused: what is in KV is made of Git tags.
#[wasm_bindgen(js_name = deleteKey)]
pub fn delete(number: u32, this: JsValue) -> Answer {
    call(number, this, Asked::Write("DELETE"))
}

/// `forCaller({ key, segments, override })`: the same methods for one caller.
#[wasm_bindgen(js_name = forCaller)]
pub fn for_caller(this: JsValue, caller: JsValue) -> Answer {
    match read_caller(&caller) {
        Ok(_) => Ok(bind_caller(&this, &caller)),
        // Logged as every other call that is refused.
        Err(failure) => Call::new(&this).end(Err(failure)),
    }
}

/// What a call asks for.
enum Asked {
    Read { keys: JsValue, options: JsValue, described: bool, record: JsValue },
    List { options: JsValue },
    Write(&'static str),
}

fn call(number: u32, entrypoint: JsValue, asked: Asked) -> Answer {
    task::begin(number, async move {
        let mut call = Call::new(&entrypoint);
        let answered = match &asked {
            Asked::Read { keys, options, described, record } => {
                call.read_ahead(keys, record);
                call.read(keys, options, *described).await
            }
            Asked::List { options } => Box::pin(call.list(options)).await,
            Asked::Write(operation) => Err(read_only(operation)),
        };
        call.end(answered)
    })
}

/// A call while it is answered.
struct Call {
    isolate: Rc<Isolate>,
    trace: Trace,
    /// What the fast lane may learn: the answer to this key and caller.
    lesson: Option<(String, Caller)>,
}

/// What a call gives, and the status that the log says of it.
type Answered = Result<(JsValue, u16), Failure>;

impl Call {
    fn new(entrypoint: &JsValue) -> Self {
        let isolate = Isolate::of(member(entrypoint, "env").unchecked_ref());
        Self { isolate, trace: Trace::default(), lesson: None }
    }

    fn read_ahead(&mut self, key: &JsValue, record: &JsValue) {
        if let (Some(key), false) = (key.as_string(), record.is_undefined()) {
            self.trace.read_ahead = self.isolate.read_ahead(&lane_url(&key), record.clone());
        }
    }

    fn end(self, answered: Answered) -> Result<JsValue, JsValue> {
        let Self { isolate, mut trace, lesson } = self;
        let (result, status) = match answered {
            Ok((value, status)) => (Ok(value), status),
            Err(failure) => {
                trace.code = failure.code;
                (Err(failure.error), failure.status)
            }
        };
        let line = trace.log("RPC", status, &isolate.resolver.config.script_version);
        let prepared = Rc::new(Prepared::call(&line, isolate.analytics.is_some()));
        if let Some((key, caller)) = lesson {
            let (heard, text) = ((status, &trace), JsValue::from_str);
            let mut lane = isolate.lane.borrow_mut();
            lane.learn(&isolate.resolver, &lane_url(&key), &caller, heard, &prepared, text);
        }
        prepared.report(isolate.analytics.as_ref());
        result
    }

    async fn read(&mut self, keys: &JsValue, options: &JsValue, described: bool) -> Answered {
        match keys.dyn_ref::<Array>() {
            Some(keys) => Box::pin(self.read_all(keys, options, described)).await,
            None => self.read_one(keys, options, described).await,
        }
    }

    async fn read_one(&mut self, key: &JsValue, options: &JsValue, described: bool) -> Answered {
        let key = key.as_string().ok_or_else(|| {
            Failure::argument("A key is a string, or an array of at most 100 strings.")
        })?;
        if key.is_empty() {
            return Err(Failure::argument("Key name cannot be empty."));
        }
        if key == "." || key == ".." {
            return Err(Failure::argument(&format!("\"{key}\" is not allowed as a key name.")));
        }
        within(&key)?;
        let Options { kind, caller } = Options::read("GET", options)?;
        let found = self.isolate.resolver.lookup(&key, &caller, described, &mut self.trace).await;
        let found = found.map_err(|refusal| Failure::refusal("GET", &refusal))?;
        let status = if found.is_some() { 200 } else { 404 };
        let (value, metadata) = match found {
            Some(held) => {
                let value = convert(bytes(held.value), &kind).map_err(Failure::asked)?;
                (value, parsed(held.metadata)?)
            }
            None => (JsValue::NULL, JsValue::NULL),
        };
        if !described {
            self.lesson = (status == 200).then_some((key, caller));
            return Ok((value, status));
        }
        let cache = ("cacheStatus", JsValue::NULL);
        Ok((object(&[("value", value), ("metadata", metadata), cache])?, status))
    }

    async fn read_all(&mut self, keys: &Array, options: &JsValue, described: bool) -> Answered {
        let refuse = |why: &str| Failure::kv("GET_BULK", 400, why);
        let Options { kind, caller } = Options::read("GET_BULK", options)?;
        if kind != "text" && kind != "json" {
            return Err(refuse(&format!(
                "\"{kind}\" is not a valid type. Use \"json\" or \"text\""
            )));
        }
        match keys.length() {
            0 => return Err(refuse("You must request a minimum of 1 key")),
            1..=MAX_KEYS => {}
            _ => return Err(refuse(&format!("You can request a maximum of {MAX_KEYS} keys"))),
        }
        let texts: Option<Vec<String>> = keys.iter().map(|key| key.as_string()).collect();
        let texts = texts.ok_or_else(|| Failure::argument("Every key is a string."))?;
        let found =
            self.isolate.resolver.lookup_all(&texts, &caller, described, &mut self.trace).await;
        let found = found.map_err(|refusal| Failure::refusal("GET_BULK", &refusal))?;
        let answer = Map::new();
        for (key, held) in keys.iter().zip(found) {
            answer.set(&key, &bulk_value(held, &kind, described)?);
        }
        Ok((answer.into(), 200))
    }

    async fn list(&mut self, options: &JsValue) -> Answered {
        let text = |name| member(options, name).as_string().unwrap_or_default();
        let (prefix, cursor) = (text("prefix"), text("cursor"));
        within(&prefix)?;
        let limit = member(options, "limit").as_f64().filter(|limit| *limit >= 1.0);
        let limit = limit.map_or(MAX_PAGE, |limit| limit as u32);
        if limit > MAX_PAGE {
            let why = format!(
                "Invalid key_count_limit of {limit}. Please specify an integer less than {MAX_PAGE}."
            );
            return Err(Failure::kv("GET", 400, &why));
        }
        let page =
            self.isolate.resolver.keys(&prefix, &cursor, limit as usize, &mut self.trace).await;
        let page = page.map_err(|refusal| Failure::refusal("GET", &refusal))?;
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
        Ok((answer, 200))
    }
}
