//! Settings in the environment of the Worker.

use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::secret::SecretBinding;
use crate::config::raw::RawSetting;

/// Reads a setting by the type that the runtime gives it.
pub(super) fn read(env: &Env, name: &str) -> RawSetting {
    let Ok(value) = Reflect::get(env, &name.into()) else { return RawSetting::Unreadable };
    if value.is_undefined() {
        return RawSetting::Unset;
    }
    if let Some(text) = value.as_string() {
        return RawSetting::Text(text);
    }
    let json = is_data(&value).then(|| JSON::stringify(&value).ok()).flatten();
    json.map_or(RawSetting::Unreadable, |json| RawSetting::Json(json.into()))
}

/// Returns the binding of a secret that is read with `get()`.
pub(super) fn stored(env: &Env, name: &str) -> Option<SecretBinding> {
    let value = Reflect::get(env, &name.into()).ok()?;
    if !value.is_object() || is_data(&value) {
        return None;
    }
    let get = Reflect::get(&value, &"get".into()).ok()?;
    get.is_function().then(|| value.unchecked_into())
}

/// Tells if a value has a JSON form. A binding, which is an object of a class, has none.
fn is_data(value: &JsValue) -> bool {
    let plain = || {
        let prototype = Object::get_prototype_of(value);
        prototype == Object::get_prototype_of(&Object::new())
    };
    !value.is_object() || Array::is_array(value) || plain()
}
