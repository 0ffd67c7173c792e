//! The methods of the fast lane, as they cross the boundary.

use wasm_bindgen::prelude::*;

use crate::lane::asker::METHODS;

/// A method of the fast lane. It crosses the boundary as a number, not as a string.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum LaneMethod {
    Get = "GET",
    Head = "HEAD",
}

/// Returns the name of a method of the lane, or `None` for any other method.
pub(super) fn method_name(method: LaneMethod) -> Option<&'static str> {
    let [get, head] = METHODS;
    match method {
        LaneMethod::Get => Some(get),
        LaneMethod::Head => Some(head),
        _ => None,
    }
}
