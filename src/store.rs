//! Workers KV, the clock, chance and SHA-256 of the Workers runtime.

use catalog::digest::Digest;
use catalog::key::Namespace;
use futures_util::future::{Either, select};
use js_sys::{Array, ArrayBuffer, Date, JsString, Map, Object, Promise, Reflect, Uint8Array};
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Delay, Env};

use crate::backend::{Backend, Read, Unavailable};

#[wasm_bindgen]
extern "C" {
    /// The runtime's own `KVNamespace`. The `worker` crate's wrapper copies every
    /// value into Wasm memory; contents stay handles here.
    #[derive(Clone)]
    type KvNamespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvNamespace, keys: &JsValue, options: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = digest, catch)]
    fn subtle_digest(algorithm: &str, data: &ArrayBuffer) -> Result<Promise, JsValue>;
}

/// The bindings of one script version.
pub(crate) struct KvStore {
    slots: KvNamespace,
    components: KvNamespace,
    timeout: Duration,
}

/// A content may be as large as 25 MiB, so its read may take longer than a record's.
const CONTENT_PATIENCE: u32 = 5;

impl KvStore {
    /// Takes the namespaces out of the environment. One that is not bound fails at
    /// every read, as one that does not answer. `timeout` is in milliseconds.
    pub(crate) fn of(env: &Env, timeout: u32) -> Self {
        let binding = |namespace: Namespace| {
            let value = Reflect::get(env, &namespace.binding().into()).unwrap_or_default();
            value.unchecked_into()
        };
        Self {
            slots: binding(Namespace::Slots),
            components: binding(Namespace::Components),
            timeout: Duration::from_millis(timeout.into()),
        }
    }

    /// Reads a key, or several where `keys` is an array.
    async fn read(
        &self,
        namespace: Namespace,
        keys: &JsValue,
        kind: &str,
        cache_ttl: u32,
        timeout: Duration,
    ) -> Result<JsValue, Unavailable> {
        let options = Object::new();
        set(&options, "type", &kind.into())?;
        set(&options, "cacheTtl", &cache_ttl.into())?;
        let namespace = match namespace {
            Namespace::Slots => &self.slots,
            Namespace::Components => &self.components,
        };
        let reading = pin!(settle(namespace.get(keys, &options)));
        match select(reading, Delay::from(timeout)).await {
            Either::Left((value, _)) => value,
            Either::Right(_) => Err(Unavailable(format!("no answer within {timeout:?}"))),
        }
    }
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), Unavailable> {
    Reflect::set(object, &name.into(), value).map(|_| ()).map_err(unavailable)
}

async fn settle(promise: Result<Promise, JsValue>) -> Result<JsValue, Unavailable> {
    let promise = promise.map_err(unavailable)?;
    JsFuture::from(promise).await.map_err(unavailable)
}

fn unavailable(error: JsValue) -> Unavailable {
    let message = Reflect::get(&error, &"message".into()).ok().and_then(|text| text.as_string());
    Unavailable(message.unwrap_or_else(|| "the namespace failed without a message".to_owned()))
}

/// `null` is absence; whatever is neither that nor of the kind asked for, rubbish.
fn present<T: JsCast>(value: JsValue) -> Read<T> {
    if value.is_null_or_undefined() {
        return Ok(None);
    }
    let rubbish = |_| Unavailable("the namespace returned another type than asked for".to_owned());
    value.dyn_into().map(Some).map_err(rubbish)
}

fn text(value: JsValue) -> Read<Vec<u8>> {
    Ok(present::<JsString>(value)?.map(|text| String::from(text).into_bytes()))
}

impl Backend for KvStore {
    type Content = ArrayBuffer;

    async fn record(&self, namespace: Namespace, key: &str, cache_ttl: u32) -> Read<Vec<u8>> {
        text(self.read(namespace, &key.into(), "text", cache_ttl, self.timeout).await?)
    }

    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        cache_ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        let array: Array = keys.iter().map(|key| JsValue::from_str(key)).collect();
        let found = self.read(namespace, &array, "text", cache_ttl, self.timeout).await?;
        let Some(found) = present::<Map>(found)? else {
            return Err(Unavailable("a bulk read returned nothing".to_owned()));
        };
        keys.iter().map(|key| text(found.get(&key.into()))).collect()
    }

    async fn content(&self, key: &str, cache_ttl: u32) -> Read<ArrayBuffer> {
        let timeout = self.timeout * CONTENT_PATIENCE;
        let kind = "arrayBuffer";
        present(self.read(Namespace::Components, &key.into(), kind, cache_ttl, timeout).await?)
    }

    async fn digest(&self, content: &ArrayBuffer) -> Result<Digest, Unavailable> {
        let bytes = settle(subtle_digest("SHA-256", content)).await?;
        let mut digest = [0; 32];
        Uint8Array::new(&bytes).copy_to(&mut digest);
        Ok(Digest::from_raw(digest))
    }

    fn size(&self, content: &ArrayBuffer) -> usize {
        content.byte_length() as usize
    }

    fn bytes(&self, content: &ArrayBuffer) -> Vec<u8> {
        Uint8Array::new(content).to_vec()
    }

    fn draw(&self) -> u32 {
        // The runtime's generator does not fail inside a request.
        getrandom::u32().unwrap_or_default()
    }

    fn now(&self) -> f64 {
        Date::now()
    }
}
