//! RPC over a service binding, with the methods of `KVNamespace`.
//!
//! `entry.js` makes the exported functions methods of the Worker's default entrypoint. Their
//! arguments, values and errors are those of Cloudflare's binding, as `types/index.d.ts`
//! describes them; `tests/worker/rpc.test.mjs` compares both.

mod argument;
mod failure;
pub mod lane;
mod value;

use std::rc::Rc;

use catalog::assign::Caller;
use catalog::refusal::Refusal;
use catalog::resolution::Basis;
use js_sys::{Array, Map};
use wasm_bindgen::prelude::*;

use self::argument::{ReadOptions, check_length, read_caller};
use self::failure::{CallFailure, read_only};
use self::lane::lane_url;
use self::value::{bulk_value, convert, member, object, page_value, parsed};
use crate::lane::Lesson;
use crate::resolve::reader::ReadAhead;
use crate::rpc::lookup;
use crate::runtime::isolate::Isolate;
use crate::runtime::reply::Prepared;
use crate::runtime::task;
use crate::trace::Trace;

/// The most keys of a bulk read and of a page of a listing, as in Workers KV.
const MAX_KEYS: u32 = 100;
const MAX_PAGE: u32 = 1_000;

#[wasm_bindgen(module = "/src/runtime/rpc/caller.js")]
extern "C" {
    #[wasm_bindgen(js_name = forCaller)]
    fn bind_caller(resolver: &JsValue, caller: &JsValue) -> JsValue;
}

/// The value of a call, or a promise to await first (see [`task`]).
type JsResult = Result<JsValue, JsValue>;

/// `get(key | keys, type | options)`; `record` is the slot record, if it was read ahead.
///
/// # Errors
///
/// The JavaScript error that the binding would throw, or that of a refusal.
#[wasm_bindgen]
pub fn get(
    number: u32,
    this: JsValue,
    keys: JsValue,
    options: JsValue,
    record: JsValue,
) -> JsResult {
    call(number, this, Operation::Read { keys, options, described: false, record })
}

/// `getWithMetadata(key | keys, type | options)`.
///
/// # Errors
///
/// The JavaScript error that the binding would throw, or that of a refusal.
#[wasm_bindgen(js_name = getWithMetadata)]
pub fn get_with_metadata(number: u32, this: JsValue, keys: JsValue, options: JsValue) -> JsResult {
    call(
        number,
        this,
        Operation::Read { keys, options, described: true, record: JsValue::UNDEFINED },
    )
}

/// `list({ prefix, limit, cursor })`.
///
/// # Errors
///
/// The JavaScript error that the binding would throw, or that of a refusal.
#[wasm_bindgen]
pub fn list(number: u32, this: JsValue, options: JsValue) -> JsResult {
    call(number, this, Operation::List { options })
}

/// Refuses to write: the contents of KV come from Git tags.
///
/// # Errors
///
/// Always.
#[wasm_bindgen]
pub fn put(number: u32, this: JsValue) -> JsResult {
    call(number, this, Operation::Write("PUT"))
}

/// Refuses to write: the contents of KV come from Git tags.
///
/// # Errors
///
/// Always.
#[wasm_bindgen(js_name = deleteKey)]
pub fn delete(number: u32, this: JsValue) -> JsResult {
    call(number, this, Operation::Write("DELETE"))
}

/// `forCaller({ key, segments, override })`: the same methods for one caller.
///
/// # Errors
///
/// A `TypeError` if the caller has another shape.
#[wasm_bindgen(js_name = forCaller)]
pub fn for_caller(this: JsValue, caller: JsValue) -> JsResult {
    match read_caller(&caller) {
        Ok(_) => Ok(bind_caller(&this, &caller)),
        // A refused call is logged.
        Err(failure) => RpcCall::new(&this).end(Err(failure)),
    }
}

/// Throws the error of a call that was given up because too many requests wait.
///
/// # Errors
///
/// Always.
#[wasm_bindgen(js_name = giveUp)]
pub fn give_up(this: JsValue) -> JsResult {
    RpcCall::new(&this).end(Err(CallFailure::refusal("GET", &Refusal::Overloaded)))
}

/// The operation of a call.
enum Operation {
    Read { keys: JsValue, options: JsValue, described: bool, record: JsValue },
    List { options: JsValue },
    Write(&'static str),
}

fn call(number: u32, entrypoint: JsValue, operation: Operation) -> JsResult {
    task::begin(number, async move {
        let mut call = RpcCall::new(&entrypoint);
        let answered = match &operation {
            Operation::Read { keys, options, described, record } => {
                call.read_ahead(keys, record);
                call.read(keys, options, *described).await
            }
            Operation::List { options } => Box::pin(call.list(options)).await,
            Operation::Write(operation) => Err(read_only(operation)),
        };
        call.end(answered)
    })
}

/// A call in progress.
struct RpcCall {
    isolate: Rc<Isolate>,
    trace: Trace,
    /// The record of the slot, if it was read before.
    ahead: Option<ReadAhead>,
    /// The key, the caller and the basis of a value that the fast lane may learn.
    lesson: Option<(String, Caller, Basis)>,
}

/// The value of a call and its status for the log.
type CallResult = Result<(JsValue, u16), CallFailure>;

impl RpcCall {
    fn new(entrypoint: &JsValue) -> Self {
        let isolate = Isolate::of(member(entrypoint, "env").unchecked_ref());
        Self { isolate, trace: Trace::default(), ahead: None, lesson: None }
    }

    fn read_ahead(&mut self, key: &JsValue, record: &JsValue) {
        if let (Some(key), false) = (key.as_string(), record.is_undefined()) {
            self.ahead = self.isolate.read_ahead(&lane_url(&key), record.clone());
        }
    }

    fn end(self, result: CallResult) -> JsResult {
        let Self { isolate, mut trace, lesson, .. } = self;
        let (result, status) = match result {
            Ok((value, status)) => (Ok(value), status),
            Err(failure) => {
                trace.code = failure.code;
                (Err(failure.error), failure.status)
            }
        };
        let line = trace.log("RPC", status, &isolate.config.script_version);
        let prepared = Rc::new(Prepared::call(&line, isolate.analytics.is_some()));
        if let Some((key, caller, basis)) = lesson {
            let lesson = Lesson { status, trace: &trace, basis };
            let (url, mut lane) = (lane_url(&key), isolate.lane.borrow_mut());
            lane.learn(&isolate.reader, &url, &caller, lesson, &prepared);
        }
        prepared.report(isolate.analytics.as_ref());
        result
    }

    /// Refuses to read if a setting that every read needs is invalid.
    fn check_settings(&self) -> Result<(), CallFailure> {
        let numbers = self.isolate.config.numbers.clone();
        numbers.map_err(|refusal| CallFailure::refusal("GET", &refusal))
    }

    async fn read(&mut self, keys: &JsValue, options: &JsValue, described: bool) -> CallResult {
        self.check_settings()?;
        match keys.dyn_ref::<Array>() {
            Some(keys) => Box::pin(self.read_all(keys, options, described)).await,
            None => self.read_one(keys, options, described).await,
        }
    }

    async fn read_one(&mut self, key: &JsValue, options: &JsValue, described: bool) -> CallResult {
        let key = key.as_string().ok_or_else(|| {
            CallFailure::argument("A key is a string, or an array of at most 100 strings.")
        })?;
        if key.is_empty() {
            return Err(CallFailure::argument("Key name cannot be empty."));
        }
        if key == "." || key == ".." {
            return Err(CallFailure::argument(&format!("\"{key}\" is not allowed as a key name.")));
        }
        check_length(&key)?;
        let ReadOptions { kind, caller } = ReadOptions::read("GET", options)?;
        let caller = Rc::new(caller);
        let stream = kind == "stream";
        let get = lookup::Get { caller: &caller, metadata: described, stream };
        let ahead = self.ahead.take();
        let found = lookup::get(&self.isolate.reader, &key, get, ahead, &mut self.trace).await;
        let found = found.map_err(|refusal| CallFailure::refusal("GET", &refusal))?;
        let status = if found.is_some() { 200 } else { 404 };
        let (value, metadata, basis) = match found {
            Some(entry) => {
                let value = convert(entry.value, &kind).map_err(CallFailure::conversion)?;
                (value, parsed(entry.metadata)?, entry.basis)
            }
            None => (JsValue::NULL, JsValue::NULL, None),
        };
        if !described {
            self.lesson = basis.map(|basis| (key, (*caller).clone(), basis));
            return Ok((value, status));
        }
        let cache = ("cacheStatus", JsValue::NULL);
        Ok((object(&[("value", value), ("metadata", metadata), cache])?, status))
    }

    async fn read_all(&mut self, keys: &Array, options: &JsValue, described: bool) -> CallResult {
        let refuse = |why: &str| CallFailure::kv("GET_BULK", 400, why);
        let ReadOptions { kind, caller } = ReadOptions::read("GET_BULK", options)?;
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
        let texts = texts.ok_or_else(|| CallFailure::argument("Every key is a string."))?;
        let caller = Rc::new(caller);
        let get = lookup::Get { caller: &caller, metadata: described, stream: false };
        let found = lookup::get_all(&self.isolate.reader, &texts, get, &mut self.trace).await;
        let found = found.map_err(|refusal| CallFailure::refusal("GET_BULK", &refusal))?;
        let answer = Map::new();
        for (key, entry) in keys.iter().zip(found) {
            answer.set(&key, &bulk_value(entry, &kind, described)?);
        }
        Ok((answer.into(), 200))
    }

    async fn list(&mut self, options: &JsValue) -> CallResult {
        self.check_settings()?;
        let text = |name| member(options, name).as_string().unwrap_or_default();
        let (prefix, cursor) = (text("prefix"), text("cursor"));
        check_length(&prefix)?;
        let limit = member(options, "limit").as_f64().filter(|limit| *limit >= 1.0);
        let limit = limit.map_or(MAX_PAGE, |limit| limit as u32);
        if limit > MAX_PAGE {
            let why = format!(
                "Invalid key_count_limit of {limit}. Please specify an integer less than {MAX_PAGE}."
            );
            return Err(CallFailure::kv("GET", 400, &why));
        }
        let reader = &self.isolate.reader;
        let page = lookup::list(reader, &prefix, &cursor, limit as usize, &mut self.trace).await;
        let page = page.map_err(|refusal| CallFailure::refusal("GET", &refusal))?;
        Ok((page_value(page)?, 200))
    }
}
