//! The conformance vectors in `tests/vectors/http/`, run natively.
//!
//! `tests/worker/contract.test.mjs` runs the same files against the built Wasm in
//! workerd. `tests/vectors/README.md` describes them.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64ct::{Base64, Encoding};
use component_resolver::config::raw::RawSetting;
use component_resolver::config::{Config, ScriptVersion};
use component_resolver::http::{MAX_BODY, NO_BODY, Payload, Request, Response};
use serde::Deserialize;
use serde_json::Value;

use support::resolver::{Resolver, body_bytes};
use support::{MapBackend, bytes};

#[derive(Deserialize)]
struct Script {
    kv: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default)]
    vars: BTreeMap<String, Value>,
    always: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    failing: BTreeSet<String>,
    /// KV values changed before the request; null deletes.
    #[serde(default)]
    put: BTreeMap<String, BTreeMap<String, Value>>,
    request: Ask,
    reads: Option<Vec<String>>,
    answer: Expected,
}

#[derive(Deserialize)]
struct Ask {
    #[serde(default = "get")]
    method: String,
    #[serde(default = "host")]
    host: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

fn host() -> String {
    "resolver.example".to_owned()
}

fn get() -> String {
    "GET".to_owned()
}

#[derive(Deserialize)]
struct Expected {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(rename = "bodyBase64")]
    body_base64: Option<String>,
    json: Option<Value>,
}

/// A time after the dates of the versions, in milliseconds since 1970.
const NOW: f64 = 1_800_000_000_000.0;

fn resolver(script: &Script) -> Resolver<MapBackend> {
    let version = ScriptVersion {
        id: script.always["script-version"].clone(),
        tag: script.always["script-version-tag"].clone(),
        timestamp: "2026-11-20T00:00:00Z".into(),
    };
    let config = Config::read(&|name| raw(script.vars.get(name)), version);
    let backend = MapBackend::default();
    backend.put(&script.kv);
    backend.clock.set(NOW);
    Resolver::new(config, backend)
}

fn raw(value: Option<&Value>) -> RawSetting {
    match value {
        None => RawSetting::Unset,
        Some(Value::String(text)) => RawSetting::Text(text.clone()),
        Some(json) => RawSetting::Json(json.to_string()),
    }
}

fn run(resolver: &Resolver<MapBackend>, case: &Case) -> Response<Vec<u8>> {
    resolver.reader.backend.put(&case.put);
    resolver.reader.backend.failing.replace(case.failing.clone());
    resolver.reader.backend.reads.take();
    let header = |name: &str| {
        let found = case.request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    };
    let (path, query) = case.request.path.split_once('?').unwrap_or((&case.request.path, ""));
    let body = case.request.body.as_ref().map(bytes).unwrap_or_default();
    let handled = resolver.answer(
        &Request {
            method: &case.request.method,
            host: &case.request.host,
            path,
            query,
            header: &header,
            body: &if body.len() > MAX_BODY { Payload::TooLarge } else { Payload::Bytes(body) },
        },
        None,
    );
    handled.response
}

fn check(script: &Script, case: &Case, resolver: &Resolver<MapBackend>) {
    let answer = run(resolver, case);
    let name = &case.name;
    assert_eq!(answer.status, case.answer.status, "{name}: {answer:?}");
    let mut expected = script.always.clone();
    expected.extend(case.answer.headers.clone());
    // The platform counts a body's bytes; only HEAD has to say it.
    let said =
        answer.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut said: BTreeMap<String, String> = said.collect();
    if case.request.method != "HEAD" {
        expected.remove("content-length");
        said.remove("content-length");
    }
    assert_eq!(said, expected, "{name}");
    if let Some(reads) = &case.reads {
        assert_eq!(&*resolver.reader.backend.reads.borrow(), reads, "{name}");
    }
    let body = body_bytes(answer.body);
    match &case.answer.json {
        Some(json) => assert_eq!(&serde_json::from_slice::<Value>(&body).unwrap(), json, "{name}"),
        None => assert_eq!(body, case.answer.bytes(), "{name}"),
    }
}

impl Expected {
    fn bytes(&self) -> Vec<u8> {
        match &self.body_base64 {
            Some(text) => Base64::decode_vec(text).unwrap(),
            None => self.body.clone().unwrap_or_default().into_bytes(),
        }
    }
}

#[test]
fn answers_match_the_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/http");
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let script: Script =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let resolver = resolver(&script);
        for case in &script.cases {
            check(&script, case, &resolver);
            cases += 1;
        }
    }
    assert!(cases > 0, "no vectors were found");
}

/// A version record that was too old and has been read again counts as fresh, also for
/// requests that need no content.
#[test]
fn an_old_version_record_is_read_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/http/answers.json");
    let script: Script = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let resolver = resolver(&script);
    let head = || {
        resolver.reader.backend.reads.take();
        let handled = resolver.answer(
            &Request {
                method: "HEAD",
                host: "resolver.example",
                path: "/components/prompts/extraction@v1.0.0",
                query: "",
                header: &|_| None,
                body: &NO_BODY,
            },
            None,
        );
        assert_eq!(handled.response.status, 200);
        resolver.reader.backend.reads.borrow().len()
    };
    assert_eq!((head(), head()), (1, 0));
    resolver.reader.backend.clock.set(NOW + 200_000.0);
    assert_eq!((head(), head()), (1, 0));
}
