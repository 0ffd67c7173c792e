//! Contents as objects of the runtime. Their bytes stay outside of Wasm memory.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, JsString};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;

/// A content: a handle of its bytes, which stay outside of Wasm memory, and of its text after
/// the first request for it.
#[derive(Clone)]
pub(crate) struct ContentHandle(Rc<Forms>);

struct Forms {
    bytes: ArrayBuffer,
    text: OnceCell<JsString>,
}

impl ContentHandle {
    pub(crate) fn new(bytes: ArrayBuffer) -> Self {
        Self(Rc::new(Forms { bytes, text: OnceCell::new() }))
    }

    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> &ArrayBuffer {
        &self.0.bytes
    }

    /// Returns the text, if it is kept.
    pub(crate) fn text(&self) -> Option<&JsString> {
        self.0.text.get()
    }

    /// Keeps the text, which then counts as a part of the content's size.
    pub(crate) fn keep_text(&self, text: JsString) {
        // A text that is already kept is the same.
        let _ = self.0.text.set(text);
    }
}

/// The bytes of a response.
pub(crate) enum ContentBody {
    /// A content whose digest was checked.
    Whole(ContentHandle),
    /// A content whose digest is checked while it is sent.
    Stream(ReadableStream),
}

impl From<ContentHandle> for ContentBody {
    fn from(content: ContentHandle) -> Self {
        Self::Whole(content)
    }
}

impl AsRef<JsValue> for ContentBody {
    fn as_ref(&self) -> &JsValue {
        match self {
            Self::Whole(content) => content.bytes().as_ref(),
            Self::Stream(stream) => stream.as_ref(),
        }
    }
}
