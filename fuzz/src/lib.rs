//! What the fuzz targets share: a resolver on the KV of the conformance vectors,
//! and requests written down as text, so that the corpus can be read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use catalog::digest::Digest;
use catalog::key::Namespace;
use catalog::resolution::{Read, Unavailable};
use component_resolver::config::{Config, ScriptVersion};
use component_resolver::http::router::{self, Handled};
use component_resolver::http::{Body, JsonPart, MAX_BODY, Payload, Request, Response};
use component_resolver::resolve::backend::Backend;
use component_resolver::resolve::reader::Reader;
use component_resolver::trace::Trace;
use serde_json::Value;

const SPLITS: &str = include_str!("../../tests/vectors/http/splits.json");
const ACCESS: &str = include_str!("../../tests/vectors/http/access.json");

type Values = BTreeMap<(Namespace, String), Vec<u8>>;

/// KV as a map.
#[derive(Clone, Copy)]
pub struct MapBackend(&'static Values);

impl MapBackend {
    fn get(&self, namespace: Namespace, key: &str) -> Option<Vec<u8>> {
        self.0.get(&(namespace, key.to_owned())).cloned()
    }
}

impl Backend for MapBackend {
    type Content = Vec<u8>;
    type Body = Vec<u8>;

    async fn record(&self, namespace: Namespace, key: &str, _ttl: u32) -> Read<Vec<u8>> {
        Ok(self.get(namespace, key))
    }

    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        _ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        assert!(keys.len() <= 100, "Workers KV reads a hundred keys at once");
        Ok(keys.iter().map(|key| self.get(namespace, key)).collect())
    }

    async fn content(&self, key: &str, _ttl: u32) -> Read<(Vec<u8>, Digest)> {
        let content = self.get(Namespace::Components, key);
        Ok(content.map(|content| (content.clone(), Digest::of(&content))))
    }

    async fn stream(&self, key: &str, _ttl: u32, _: &Digest, _size: u64) -> Read<Vec<u8>> {
        Ok(self.get(Namespace::Components, key))
    }

    async fn digest(&self, key: &str, _ttl: u32) -> Read<(Digest, u64)> {
        let content = self.get(Namespace::Components, key);
        Ok(content.map(|content| (Digest::of(&content), content.len() as u64)))
    }

    fn doubts(&self, _: &Digest) -> bool {
        false
    }

    fn trust(&self, _: &Digest) {}

    async fn pause(&self, _milliseconds: u32) {}

    fn sending(&self) -> u64 {
        0
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
        1 << 31
    }

    fn now(&self) -> f64 {
        0.0
    }
}

/// Two Workers that need no start: one open, one that needs tokens.
pub struct World {
    kv: MapBackend,
    open: Config,
    guarded: Config,
}

thread_local! {
    static WORLD: &'static World = Box::leak(Box::default());
}

impl World {
    /// Returns the Workers of this thread, which every input meets.
    pub fn shared() -> &'static Self {
        WORLD.with(|world| *world)
    }

    /// Reads the vectors.
    pub fn new() -> Self {
        let mut values = Values::new();
        for text in [ACCESS, SPLITS] {
            fill(&mut values, &json(text)["kv"]);
        }
        let tokens = json(ACCESS)["vars"]["READ_TOKENS"].as_str().map(str::to_owned);
        let script = ScriptVersion { id: "fuzz".to_owned(), ..ScriptVersion::default() };
        let guarded = |name: &str| tokens.clone().filter(|_| name == "READ_TOKENS").into();
        Self {
            kv: MapBackend(Box::leak(Box::new(values))),
            open: Config::read(&|_| None.into(), script.clone()),
            guarded: Config::read(&guarded, script),
        }
    }

    /// A Worker that has nothing in memory yet.
    pub fn resolver(&self, tokens: bool) -> Resolver<'_> {
        let config = if tokens { &self.guarded } else { &self.open };
        Resolver { config, reader: Reader::new(config, self.kv) }
    }
}

/// A Worker with its memory.
pub struct Resolver<'a> {
    config: &'a Config,
    reader: Reader<MapBackend>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the vectors are JSON")
}

fn fill(values: &mut Values, kv: &Value) {
    for namespace in [Namespace::Slots, Namespace::Components] {
        let stored = kv[namespace.binding()].as_object().expect("a namespace is an object");
        for (key, value) in stored {
            values.insert((namespace, key.clone()), stored_bytes(value));
        }
    }
}

/// A text as it is, the bytes of a base64 text, or compact JSON.
fn stored_bytes(value: &Value) -> Vec<u8> {
    match (value, value["$base64"].as_str()) {
        (Value::String(text), _) => text.clone().into_bytes(),
        (_, Some(text)) => Base64::decode_vec(text).expect("it is base64"),
        _ => value.to_string().into_bytes(),
    }
}

/// A request: `METHOD target`, `Name: value` lines, an empty line, a body.
#[derive(Clone, Debug)]
pub struct Written {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Written {
    /// Reads whatever bytes there are.
    pub fn read(data: &[u8]) -> Self {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = end.map_or((data, &b""[..]), |at| (&data[..at], &data[at + 2..]));
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split('\n');
        let first = lines.next().unwrap_or_default();
        let (method, target) = first.split_once(' ').unwrap_or(("GET", first));
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: lines.filter_map(header).collect(),
            body: body.to_vec(),
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.clone())
    }

    /// Hands the request to `work` in the form in which the Worker gets it.
    pub fn with<T>(&self, work: impl FnOnce(&Request<'_>) -> T) -> T {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let body = self.body.clone();
        work(&Request {
            method: &self.method,
            host: &self.header("Host").unwrap_or_default(),
            path,
            query,
            header: &|name| self.header(name),
            body: &if body.len() > MAX_BODY { Payload::TooLarge } else { Payload::Bytes(body) },
        })
    }

    /// Its answer.
    pub fn ask(&self, resolver: &Resolver<'_>) -> (Response<Vec<u8>>, Trace) {
        let Resolver { config, reader } = resolver;
        let answer = |request: &Request<'_>| {
            pollster::block_on(router::answer(config, reader, request, None))
        };
        let Handled { response, trace, .. } = self.with(answer);
        (response, trace)
    }
}

/// The value of a header of an answer.
pub fn said<'a>(answer: &'a Response<Vec<u8>>, name: &str) -> Option<&'a str> {
    let mut named = answer.headers.iter().filter(|(known, _)| *known == name);
    named.next().map(|(_, value)| value.as_str())
}

/// The bytes of an answer.
pub fn bytes(answer: &Response<Vec<u8>>) -> Cow<'_, [u8]> {
    match &answer.body {
        Body::Empty => b"".into(),
        Body::Text(text) => text.as_bytes().into(),
        Body::Content(bytes) => bytes.into(),
        Body::Json(parts) => parts.iter().map(part_text).collect::<String>().into_bytes().into(),
    }
}

/// A part of a JSON text, as the platform sends it.
fn part_text(part: &JsonPart<Vec<u8>>) -> Cow<'_, str> {
    match part {
        JsonPart::Text(text) => text.into(),
        JsonPart::Content(bytes) => match str::from_utf8(bytes) {
            Ok(text) => format!(r#""content":{}"#, Value::from(text)).into(),
            Err(_) => format!(r#""contentBase64":"{}""#, Base64::encode_string(bytes)).into(),
        },
    }
}

/// Asserts that a value is written in a form that reads back as the same value.
pub fn round_trip<T>(value: &T)
where
    T: std::str::FromStr + ToString + PartialEq + std::fmt::Debug,
    T::Err: std::fmt::Debug + PartialEq,
{
    let text = value.to_string();
    assert_eq!(text.parse::<T>().as_ref(), Ok(value), "{text:?}");
}
