//! The errors that calls throw.

use catalog::refusal::Refusal;
use catalog::wording::detail;
use js_sys::{Error, Reflect, TypeError};
use wasm_bindgen::prelude::*;

/// The error of a call, with its status and code for the log.
pub(super) struct CallFailure {
    pub(super) status: u16,
    pub(super) code: Option<&'static str>,
    pub(super) error: JsValue,
}

impl CallFailure {
    pub(super) fn argument(message: &str) -> Self {
        Self { status: 400, code: None, error: TypeError::new(message).into() }
    }

    /// Creates the error for a value that cannot be converted to the requested type, or for an
    /// unknown type.
    pub(super) fn conversion(error: JsValue) -> Self {
        Self { status: 400, code: None, error }
    }

    /// Creates an error of Workers KV with the same text as the error of the binding.
    pub(super) fn kv(operation: &str, status: u16, why: &str) -> Self {
        let error = Error::new(&format!("KV {operation} failed: {status} {why}"));
        Self { status, code: None, error: error.into() }
    }

    pub(super) fn refusal(operation: &str, refusal: &Refusal) -> Self {
        let (status, code) = (refusal.status(), refusal.code());
        let failure = Self::kv(operation, status, &format!("{} ({code})", detail(refusal)));
        let _ = Reflect::set(&failure.error, &"code".into(), &code.into());
        let _ = Reflect::set(&failure.error, &"status".into(), &status.into());
        Self { code: Some(code), ..failure }
    }
}

impl From<JsValue> for CallFailure {
    fn from(error: JsValue) -> Self {
        Self { status: 500, code: None, error }
    }
}

pub(super) fn read_only(operation: &str) -> CallFailure {
    let why = "component-resolver is read-only: move a slot with Git, then run slotctl sync";
    CallFailure::kv(operation, 405, why)
}
