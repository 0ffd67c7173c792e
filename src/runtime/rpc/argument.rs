//! The arguments of calls.

use catalog::assign::{self, Caller, VersionOverride};
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::failure::CallFailure;
use super::value::member;
use crate::config::MIN_CACHE_TTL;

/// The longest key of Workers KV, in bytes.
const MAX_KEY: usize = 512;

/// Refuses a key or a prefix that is too long for Workers KV.
pub(super) fn check_length(key: &str) -> Result<(), CallFailure> {
    if key.len() <= MAX_KEY {
        return Ok(());
    }
    let size = key.len();
    let why = format!("UTF-8 encoded length of {size} exceeds key length limit of {MAX_KEY}.");
    Err(CallFailure::kv("GET", 414, &why))
}

/// The second argument of a read.
pub(super) struct ReadOptions {
    pub(super) kind: String,
    pub(super) caller: Caller,
}

impl ReadOptions {
    pub(super) fn read(operation: &str, value: &JsValue) -> Result<Self, CallFailure> {
        let object = value.is_object();
        let kind = if object { member(value, "type").as_string() } else { value.as_string() };
        let kind = kind.unwrap_or_else(|| "text".to_owned());
        if !object {
            return Ok(Self { kind, caller: Caller::default() });
        }
        let ttl = member(value, "cacheTtl");
        // The resolver decides for how long a location may keep a read. A value that the
        // binding refuses is refused all the same. It counts whole seconds.
        let ttl = (!ttl.is_null_or_undefined()).then(|| ttl.as_f64().unwrap_or_default() as i64);
        if let Some(ttl) = ttl.filter(|ttl| *ttl < i64::from(MIN_CACHE_TTL)) {
            let why =
                format!("Invalid cache_ttl of {ttl}. Cache TTL must be at least {MIN_CACHE_TTL}.");
            return Err(CallFailure::kv(operation, 400, &why));
        }
        Ok(Self { kind, caller: read_caller(&member(value, "caller"))? })
    }
}

/// `{ key?: string, segments?: string[], override?: string }`.
pub(super) fn read_caller(value: &JsValue) -> Result<Caller, CallFailure> {
    let shape = || {
        CallFailure::argument(
            "A caller is { key?: string, segments?: string[], override?: string }.",
        )
    };
    let text = |value: JsValue| match value.is_null_or_undefined() {
        true => Ok(None),
        false => value.as_string().map(Some).ok_or_else(shape),
    };
    if value.is_null_or_undefined() {
        return Ok(Caller::default());
    }
    if !value.is_object() {
        return Err(shape());
    }
    let wanted = text(member(value, "override"))?.filter(|version| !version.is_empty());
    let segments = member(value, "segments");
    let segments = match segments.is_null_or_undefined() {
        true => Vec::new(),
        false => {
            let list = segments.dyn_ref::<Array>().ok_or_else(shape)?;
            let list: Option<Vec<String>> = list.iter().map(|group| group.as_string()).collect();
            assign::segments(list.ok_or_else(shape)?.iter().map(String::as_str))
        }
    };
    let caller = Caller {
        version_override: wanted
            .map(|text| text.parse().map_or(VersionOverride::Invalid, VersionOverride::Version)),
        segments,
        key: text(member(value, "key"))?.and_then(|key| assign::version_key(&key)),
    };
    let too_large = |error| CallFailure::argument(&format!("The caller is too large: {error}."));
    caller.check().map(|()| caller).map_err(too_large)
}
