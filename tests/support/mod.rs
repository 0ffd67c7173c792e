//! KV as a map, for the tests that run natively.

pub(crate) mod resolver;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64, Encoding};
use catalog::digest::Digest;
use catalog::key::Namespace;
use catalog::resolution::{Read, Unavailable};
use component_resolver::resolve::backend::Backend;
use serde_json::Value;

type Values = BTreeMap<(String, String), Vec<u8>>;

/// KV as a map that counts its reads and fails on command.
#[derive(Default)]
pub(crate) struct MapBackend {
    values: RefCell<Values>,
    /// The namespaces that fail.
    pub(crate) failing: RefCell<BTreeSet<String>>,
    /// `<namespace> <key> <cacheTtl>` of each read.
    pub(crate) reads: RefCell<Vec<String>>,
    /// Milliseconds since 1970.
    pub(crate) clock: Cell<f64>,
    /// The random bits; by default the middle, which is the point 50,000.
    pub(crate) random: Cell<Option<u32>>,
}

impl MapBackend {
    /// Writes values; null deletes.
    pub(crate) fn put(&self, kv: &BTreeMap<String, BTreeMap<String, Value>>) {
        for (namespace, values) in kv {
            for (key, value) in values {
                let place = (namespace.clone(), key.clone());
                match value {
                    Value::Null => drop(self.values.borrow_mut().remove(&place)),
                    value => drop(self.values.borrow_mut().insert(place, bytes(value))),
                }
            }
        }
    }

    fn read(
        &self,
        namespace: Namespace,
        key: &str,
        ttl: u32,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let namespace = namespace.binding().to_owned();
        self.reads.borrow_mut().push(format!("{namespace} {key} {ttl}"));
        if self.failing.borrow().contains(&namespace) {
            return Err(Unavailable("failing on command".into()));
        }
        Ok(self.values.borrow().get(&(namespace, key.to_owned())).cloned())
    }
}

/// A value as it is stored: a text, the bytes of a base64 text, or compact JSON.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match (value, value.get("$base64").and_then(Value::as_str)) {
        (Value::String(text), _) => text.clone().into_bytes(),
        (_, Some(text)) => Base64::decode_vec(text).unwrap(),
        _ => value.to_string().into_bytes(),
    }
}

impl Backend for MapBackend {
    type Content = Vec<u8>;
    type Body = Vec<u8>;

    async fn record(
        &self,
        namespace: Namespace,
        key: &str,
        ttl: u32,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        self.read(namespace, key, ttl)
    }

    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        let list = keys.join(" ");
        self.read(namespace, &format!("[{list}]"), ttl)?;
        let values = self.values.borrow();
        let place = |key: &String| (namespace.binding().to_owned(), key.clone());
        Ok(keys.iter().map(|key| values.get(&place(key)).cloned()).collect())
    }

    async fn content(&self, key: &str, ttl: u32) -> Read<(Vec<u8>, Digest)> {
        let content = self.read(Namespace::Components, key, ttl)?;
        Ok(content.map(|content| (content.clone(), Digest::of(&content))))
    }

    async fn stream(&self, key: &str, ttl: u32, digest: &Digest, size: u64) -> Read<Vec<u8>> {
        let read = self.content(key, ttl).await?;
        let is_right =
            |(content, found): &(Vec<u8>, Digest)| found == digest && content.len() as u64 == size;
        // A stream of other bytes breaks off. Here it ends.
        Ok(read.map(|read| if is_right(&read) { read.0 } else { Vec::new() }))
    }

    async fn digest(&self, key: &str, ttl: u32) -> Read<(Digest, u64)> {
        Ok(self.content(key, ttl).await?.map(|(content, found)| (found, content.len() as u64)))
    }

    fn doubts(&self, _: &Digest) -> bool {
        false
    }

    fn trust(&self, _: &Digest) {}

    fn sending(&self) -> u64 {
        0
    }

    async fn pause(&self, milliseconds: u32) {
        self.clock.set(self.clock.get() + f64::from(milliseconds));
    }

    fn size(&self, content: &Vec<u8>) -> usize {
        content.len()
    }

    fn has_limit(&self) -> bool {
        false
    }

    async fn admits(&self, _: &str, _: u32) -> bool {
        true
    }

    fn random(&self) -> u32 {
        self.random.get().unwrap_or(1 << 31)
    }

    fn now(&self) -> f64 {
        self.clock.get()
    }
}
