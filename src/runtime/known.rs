//! The table of the URLs that the fast lane knows, in JavaScript.

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;

use crate::lane::asker::METHODS;
use crate::lane::urls::{UrlNumber, UrlTable};

#[wasm_bindgen(module = "/src/runtime/known.js")]
extern "C" {
    /// The table. `entry.js` uses it as well.
    pub(crate) type KnownUrls;

    #[wasm_bindgen(constructor)]
    fn new(methods: &Array, namespace: &JsValue, options: &JsValue, milliseconds: u32)
    -> KnownUrls;

    /// Lets `entry.js` use this table.
    #[wasm_bindgen(method)]
    pub(super) fn serve(this: &KnownUrls);

    #[wasm_bindgen(method, js_name = number)]
    fn number_of(this: &KnownUrls, url: &str) -> Option<u32>;

    #[wasm_bindgen(method, js_name = add)]
    fn add_url(this: &KnownUrls, url: &str, key: Option<&str>) -> u32;

    #[wasm_bindgen(method, js_name = remove)]
    fn remove_url(this: &KnownUrls, url: &str, number: u32);
}

impl KnownUrls {
    /// Creates a table for slot records in `namespace`, which are read with `options` for at
    /// most `milliseconds`.
    pub(super) fn of(namespace: &JsValue, options: &JsValue, milliseconds: u32) -> Self {
        let methods = METHODS.into_iter().map(JsValue::from_str).collect();
        Self::new(&methods, namespace, options, milliseconds)
    }
}

impl UrlTable for KnownUrls {
    type Text = JsValue;

    fn text(&self, text: &str) -> JsValue {
        JsString::from(text).into()
    }

    fn add(&self, url: &str, key: Option<&str>) -> UrlNumber {
        self.add_url(url, key).into()
    }

    fn number(&self, url: &str) -> Option<UrlNumber> {
        self.number_of(url).map(UrlNumber::from)
    }

    fn remove(&self, url: &str, number: UrlNumber) {
        self.remove_url(url, number.into());
    }
}
