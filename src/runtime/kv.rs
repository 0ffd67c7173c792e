//! Workers KV, the clock, randomness and SHA-256 of the Workers runtime.

use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::resolution::{Read, Unavailable};
use js_sys::{Array, ArrayBuffer, Date, JSON, JsString, Map, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;
use worker::Env;

use crate::config::{Config, IMMUTABLE_CACHE_TTL};
use crate::resolve::backend::Backend;
use crate::runtime::content::{ContentBody, ContentHandle};
use crate::runtime::known::KnownUrls;
use crate::runtime::limiter::Limiter;
use crate::runtime::reply;
use crate::runtime::stream;
use crate::runtime::task::{self, settled};

#[wasm_bindgen]
extern "C" {
    /// The `KVNamespace` of the runtime. The wrapper of the `worker` crate copies every value
    /// into Wasm memory; contents stay handles here.
    #[derive(Clone)]
    type KvNamespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvNamespace, keys: &JsValue, options: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = digest, catch)]
    fn subtle_digest(algorithm: &str, data: &ArrayBuffer) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/runtime/within.js")]
extern "C" {
    /// Adds a time-out to a promise. The result never rejects: its value may be an error, which
    /// is an object. It is written in JavaScript because a timer that is set and cleared there
    /// costs a quarter of one that is controlled by a future.
    pub(super) fn within(promise: &Promise, milliseconds: u32) -> Promise;

    /// A promise that settles after this time.
    fn pause(milliseconds: u32) -> Promise;

    /// The reads of one request, one after another, with one timer for all.
    pub type Reads;

    #[wasm_bindgen(method)]
    fn along(this: &Reads, second: &Promise);

    #[wasm_bindgen(method, js_name = nextBegun)]
    fn next_begun(this: &Reads, milliseconds: u32) -> Option<Promise>;

    #[wasm_bindgen(method)]
    fn next(this: &Reads, promise: &Promise, milliseconds: u32) -> Promise;
}

/// The bindings of one script version.
pub(crate) struct KvStore {
    slots: KvNamespace,
    components: KvNamespace,
    /// The time-out of a read of a record, in milliseconds.
    timeout: u32,
    /// The options for reading a slot record.
    slot_options: JsValue,
    /// The options for the first read of a content.
    content_options: JsValue,
    /// The id of the script version, for the log.
    script_version: String,
    /// The rate limiter, if one is bound.
    limiter: Option<Limiter>,
}

/// The time-out of a read of a content, as a multiple of the time-out of a record: a content
/// may have 25 MiB.
const CONTENT_PATIENCE: u32 = 5;

impl KvStore {
    /// Finds the namespaces in the environment. A namespace that is not bound fails at every
    /// read, like one that does not answer.
    pub(super) fn of(env: &Env, config: &Config, limiter: Option<Limiter>) -> Self {
        let timeout = config.kv_timeout;
        let binding = |namespace: Namespace| {
            let value = Reflect::get(env, &namespace.binding().into()).unwrap_or_default();
            value.unchecked_into()
        };
        task::set_patience(timeout.saturating_mul(CONTENT_PATIENCE));
        Self {
            slots: binding(Namespace::Slots),
            components: binding(Namespace::Components),
            timeout,
            slot_options: options("text", config.slot_cache_ttl),
            content_options: options("arrayBuffer", IMMUTABLE_CACHE_TTL),
            script_version: config.script_version.id.clone(),
            limiter,
        }
    }

    /// Creates a table of URLs whose slot records are read from this store.
    pub(crate) fn known_urls(&self) -> KnownUrls {
        KnownUrls::of(&self.slots, &self.slot_options, self.timeout)
    }

    /// Begins to read a content together with a slot record.
    pub(crate) fn read_along(&self, digest: Digest, reads: &Reads) {
        if let Ok(promise) = self.begin_content(digest) {
            reads.along(&promise);
        }
    }

    /// Reads a content after the reads of a request, or continues the read that was begun
    /// together with them.
    pub(crate) fn content_of(
        &self,
        digest: Digest,
        reads: Option<&Reads>,
    ) -> Result<Promise, JsValue> {
        let patience = self.content_timeout();
        let Some(reads) = reads else { return Ok(within(&self.begin_content(digest)?, patience)) };
        if let Some(read) = reads.next_begun(patience) {
            return Ok(read);
        }
        Ok(reads.next(&self.begin_content(digest)?, patience))
    }

    fn begin_content(&self, digest: Digest) -> Result<Promise, JsValue> {
        self.components.get(&Key::Content(digest).to_string().into(), &self.content_options)
    }

    /// Returns the time-out of a read of a content, in milliseconds.
    fn content_timeout(&self) -> u32 {
        self.timeout.saturating_mul(CONTENT_PATIENCE)
    }

    /// Reads a content in the form that the options ask for.
    async fn component<T: JsCast>(&self, key: &str, options: &JsValue) -> Read<T> {
        let timeout = self.content_timeout();
        present(self.read(Namespace::Components, &key.into(), options, timeout).await?)
    }

    /// Reads a key, or several if `keys` is an array.
    async fn read(
        &self,
        namespace: Namespace,
        keys: &JsValue,
        options: &JsValue,
        timeout: u32,
    ) -> Result<JsValue, Unavailable> {
        let namespace = match namespace {
            Namespace::Slots => &self.slots,
            Namespace::Components => &self.components,
        };
        let promise = namespace.get(keys, options).map_err(unavailable)?;
        settle(within(&promise, timeout)).await
    }
}

fn options(kind: &str, cache_ttl: u32) -> JsValue {
    // The text is valid JSON.
    JSON::parse(&format!(r#"{{"type":"{kind}","cacheTtl":{cache_ttl}}}"#)).unwrap_or_default()
}

async fn settle(promise: Promise) -> Result<JsValue, Unavailable> {
    settled(promise).await.map_err(unavailable)
}

fn unavailable(error: JsValue) -> Unavailable {
    let message = Reflect::get(&error, &"message".into()).ok().and_then(|text| text.as_string());
    let unknown = || "the namespace returned neither a value nor an error message".to_owned();
    Unavailable(message.unwrap_or_else(unknown))
}

/// Converts a value: `null` is absence, and a value of another type is an error.
fn present<T: JsCast>(value: JsValue) -> Read<T> {
    if value.is_null_or_undefined() {
        return Ok(None);
    }
    value.dyn_into().map(Some).map_err(unavailable)
}

/// Converts the result of reading a text: the text, `null`, or the error.
pub(crate) fn text(value: JsValue) -> Read<Vec<u8>> {
    Ok(present::<JsString>(value)?.map(|text| String::from(text).into_bytes()))
}

/// Converts the SHA-256 digest of the runtime.
pub(crate) fn digest(hash: &JsValue) -> Digest {
    let mut digest = [0; 32];
    Uint8Array::new(hash).copy_to(&mut digest);
    Digest::from_raw(digest)
}

impl Backend for KvStore {
    type Content = ContentHandle;
    type Body = ContentBody;

    async fn record(&self, namespace: Namespace, key: &str, cache_ttl: u32) -> Read<Vec<u8>> {
        text(self.read(namespace, &key.into(), &options("text", cache_ttl), self.timeout).await?)
    }

    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        cache_ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        let array: Array = keys.iter().map(|key| JsValue::from_str(key)).collect();
        let options = options("text", cache_ttl);
        let found = self.read(namespace, &array, &options, self.timeout).await?;
        let Some(found) = present::<Map>(found)? else {
            return Err(Unavailable("the bulk read returned nothing".to_owned()));
        };
        keys.iter().map(|key| text(found.get(&key.into()))).collect()
    }

    async fn content(&self, key: &str, cache_ttl: u32) -> Read<(ContentHandle, Digest)> {
        let options = match cache_ttl {
            IMMUTABLE_CACHE_TTL => self.content_options.clone(),
            _ => options("arrayBuffer", cache_ttl),
        };
        let Some(content) = self.component::<ArrayBuffer>(key, &options).await? else {
            return Ok(None);
        };
        let hash = settle(subtle_digest("SHA-256", &content).map_err(unavailable)?).await?;
        Ok(Some((ContentHandle::new(content), digest(&hash))))
    }

    async fn stream(
        &self,
        key: &str,
        cache_ttl: u32,
        digest: &Digest,
        size: u64,
    ) -> Read<ContentBody> {
        let read = self.component(key, &options("stream", cache_ttl)).await?;
        let Self { timeout, script_version, .. } = self;
        let check = |stream: ReadableStream| {
            stream::checked(&stream, size as f64, &digest.to_string(), *timeout, script_version)
        };
        Ok(read.map(check).map(ContentBody::Stream))
    }

    async fn digest(&self, key: &str, cache_ttl: u32) -> Read<(Digest, u64)> {
        let read = self.component(key, &options("stream", cache_ttl)).await?;
        let Some(stream) = read else { return Ok(None) };
        let found = settle(within(&stream::digest_of(&stream), self.content_timeout())).await?;
        let size = |found: &Array| found.get(1).as_f64().unwrap_or_default() as u64;
        Ok(present::<Array>(found)?.map(|found| (self::digest(&found.get(0)), size(&found))))
    }

    fn doubts(&self, digest: &Digest) -> bool {
        stream::doubts(&digest.to_string())
    }

    fn trust(&self, digest: &Digest) {
        stream::trust(&digest.to_string());
    }

    async fn pause(&self, milliseconds: u32) {
        // The promise never rejects.
        let _ = settled(pause(milliseconds)).await;
    }

    fn sending(&self) -> u64 {
        reply::sending() as u64
    }

    fn size(&self, content: &ContentHandle) -> usize {
        // V8 takes two bytes for a unit of UTF-16, or one if all are Latin-1.
        let text = content.text().map_or(0, |text| 2 * text.length() as usize);
        content.bytes().byte_length() as usize + text
    }

    fn has_limit(&self) -> bool {
        self.limiter.is_some()
    }

    async fn admits(&self, key: &str, count: u32) -> bool {
        match &self.limiter {
            Some(limiter) => limiter.admits(key, count).await,
            None => true,
        }
    }

    fn random(&self) -> u32 {
        // The runtime's generator does not fail inside a request.
        getrandom::u32().unwrap_or_default()
    }

    fn now(&self) -> f64 {
        Date::now()
    }
}
