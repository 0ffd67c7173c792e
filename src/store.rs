//! Workers KV, the clock and SHA-256 of the Workers runtime.

use catalog::digest::Digest;
use catalog::key::Namespace;
use js_sys::{ArrayBuffer, Date, JsString, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use crate::backend::{Backend, Unavailable};

#[wasm_bindgen]
extern "C" {
    /// The runtime's own `KVNamespace`. The `worker` crate's wrapper copies every
    /// value into Wasm memory; contents stay handles here.
    #[derive(Clone)]
    type KvNamespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvNamespace, key: &str, options: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = digest, catch)]
    fn subtle_digest(algorithm: &str, data: &ArrayBuffer) -> Result<Promise, JsValue>;
}

/// The bindings of one script version.
pub(crate) struct KvStore {
    slots: KvNamespace,
    components: KvNamespace,
}

impl KvStore {
    /// Takes the namespaces out of the environment. One that is not bound fails at
    /// every read, as one that does not answer.
    pub(crate) fn of(env: &Env) -> Self {
        let binding = |namespace: Namespace| {
            let value = Reflect::get(env, &namespace.binding().into()).unwrap_or_default();
            value.unchecked_into()
        };
        Self { slots: binding(Namespace::Slots), components: binding(Namespace::Components) }
    }

    /// Reads `key`; `null` is absence, a rejected promise unavailability.
    async fn read(
        &self,
        namespace: Namespace,
        key: &str,
        kind: &str,
        cache_ttl: u32,
    ) -> Result<Option<JsValue>, Unavailable> {
        let options = Object::new();
        set(&options, "type", &kind.into())?;
        set(&options, "cacheTtl", &cache_ttl.into())?;
        let namespace = match namespace {
            Namespace::Slots => &self.slots,
            Namespace::Components => &self.components,
        };
        let value = settle(namespace.get(key, &options)).await?;
        Ok((!value.is_null_or_undefined()).then_some(value))
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

impl Backend for KvStore {
    type Content = ArrayBuffer;

    async fn record(
        &self,
        namespace: Namespace,
        key: &str,
        cache_ttl: u32,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let value = self.read(namespace, key, "text", cache_ttl).await?;
        Ok(value.map(|text| String::from(text.unchecked_into::<JsString>()).into_bytes()))
    }

    async fn content(&self, key: &str, cache_ttl: u32) -> Result<Option<ArrayBuffer>, Unavailable> {
        let value = self.read(Namespace::Components, key, "arrayBuffer", cache_ttl).await?;
        Ok(value.map(JsValue::unchecked_into))
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

    fn now(&self) -> f64 {
        Date::now()
    }
}
