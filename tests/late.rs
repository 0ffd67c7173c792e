//! The look for an exact version in the slots of its component: how much it reads, and what it
//! must not find.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;

use catalog::digest::Digest;
use component_resolver::config::raw::RawSetting;
use component_resolver::config::{Config, ScriptVersion};
use component_resolver::http::{NO_BODY, Payload, Request};
use serde_json::{Value, json};

use support::MapBackend;
use support::resolver::{Resolver, body_bytes};

const CONTENT: &str = "content";

fn snapshot(version: &str) -> Value {
    json!({
        "version": version, "digest": Digest::of(CONTENT.as_bytes()), "size": CONTENT.len(),
        "type": "text/plain", "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed",
        "date": "2026-11-20T23:59:27Z",
    })
}

fn with(mut object: Value, members: Value) -> Value {
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}

fn slot(slot: &str, version: &str) -> Value {
    let target = with(snapshot(version), json!({ "slot": slot, "weight": 100_000 }));
    json!({ "format": 1, "slot": slot, "targets": [target] })
}

fn version(version: &str, revoked: Value) -> Value {
    let record = with(snapshot(version), json!({ "format": 1, "author": "Ada", "path": "a.txt" }));
    if revoked.is_null() { record } else { with(record, json!({ "revoked": revoked })) }
}

/// A catalog with these slots, which lead to v1.0.0.
fn catalog(slots: &[String]) -> Value {
    let entry =
        |name: &String| (name.clone(), json!({ "record": slot(name, "v1.0.0"), "moves": [] }));
    let slots: serde_json::Map<String, Value> = slots.iter().map(entry).collect();
    json!({ "format": 1, "versions": [version("v1.0.0", Value::Null)], "slots": slots })
}

type Records = BTreeMap<String, Value>;

fn resolver(slots: Records, components: Records, tokens: Option<&str>) -> Resolver<MapBackend> {
    let setting = |name: &str| match tokens {
        Some(tokens) if name == "READ_TOKENS" => RawSetting::Text(tokens.to_owned()),
        _ => RawSetting::Unset,
    };
    let backend = MapBackend::default();
    backend
        .put(&BTreeMap::from([("SLOTS".to_owned(), slots), ("COMPONENTS".to_owned(), components)]));
    Resolver::new(Config::read(&setting, ScriptVersion::default()), backend)
}

/// Resolves references; returns the version or the code of the error of each.
fn resolve(resolver: &Resolver<MapBackend>, refs: &[String]) -> Vec<String> {
    post(resolver, &json!({ "refs": refs }))
}

fn post(resolver: &Resolver<MapBackend>, body: &Value) -> Vec<String> {
    let body = Payload::Bytes(body.to_string().into_bytes());
    let header = |name: &str| (name == "Content-Type").then(|| "application/json".to_owned());
    let request = Request {
        method: "POST",
        host: "resolver.example",
        path: "/resolve",
        query: "",
        header: &header,
        body: &body,
    };
    let answer = body_bytes(resolver.answer(&request, None).response.body);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let shown = |entry: &Value| {
        let version = entry["version"].as_str();
        version.or(entry["error"]["code"].as_str()).unwrap().to_owned()
    };
    answer["resolved"].as_array().unwrap().iter().map(shown).collect()
}

/// The keys of each read of `SLOTS`.
fn slot_reads(resolver: &Resolver<MapBackend>) -> Vec<usize> {
    let reads = resolver.reader.backend.reads.borrow();
    let reads = reads.iter().filter_map(|read| read.strip_prefix("SLOTS ["));
    reads.map(|keys| keys.split(']').next().unwrap().split(' ').count()).collect()
}

#[test]
fn a_look_reads_ten_slots_of_a_component_and_a_hundred_in_all() {
    let slots: Vec<String> = (0..15).map(|at| format!("ring-{at}")).collect();
    let names: Vec<String> = (0..20).map(|at| format!("prompts/p{at}")).collect();
    let catalogs: Records = names.iter().map(|name| (name.clone(), catalog(&slots))).collect();
    let resolver = resolver(Records::new(), catalogs, None);
    let unknown: Vec<String> = names.iter().map(|name| format!("{name}@v2.0.0")).collect();
    assert_eq!(resolve(&resolver, &unknown[..1]), ["VERSION_UNKNOWN"]);
    assert_eq!(resolve(&resolver, &unknown), ["VERSION_UNKNOWN"; 20]);
    assert_eq!(slot_reads(&resolver), [10, 100]);
}

/// The number of keys that all reads of the resolver ask for.
fn keys_read(resolver: &Resolver<MapBackend>) -> usize {
    let reads = resolver.reader.backend.reads.take();
    // `<namespace> <key> <cacheTtl>` or `<namespace> [<key> <key>…] <cacheTtl>`.
    reads.iter().map(|read| read.split(' ').count() - 2).sum()
}

/// The keys of docs/scale.md: the version, the catalog, one to ten slots and the ranges record. For
/// a GET, the Worker has read the version once before (tests/worker/large-catalog.test.mjs).
#[test]
fn a_refused_version_reads_four_to_thirteen_keys() {
    let names: Vec<String> = (0..100).map(|at| format!("prompts/p{at}")).collect();
    let unknown: Vec<String> = names.iter().map(|name| format!("{name}@v2.0.0")).collect();
    for (slots, one, hundred) in [(0, 4, 400), (1, 5, 400), (15, 13, 400)] {
        let slots: Vec<String> = (0..slots).map(|at| format!("ring-{at}")).collect();
        let catalogs: Records = names.iter().map(|name| (name.clone(), catalog(&slots))).collect();
        let resolver = resolver(Records::new(), catalogs, None);
        assert_eq!(resolve(&resolver, &unknown[..1]), ["VERSION_UNKNOWN"]);
        assert_eq!(keys_read(&resolver), one, "{slots:?}");
        assert_eq!(resolve(&resolver, &unknown), ["VERSION_UNKNOWN"; 100]);
        assert_eq!(keys_read(&resolver), hundred, "{slots:?}");
    }
}

#[test]
fn a_slot_of_another_component_says_nothing() {
    let slots = Records::from([
        ("prompts/a@production".to_owned(), slot("production", "v1.0.0")),
        ("prompts/b@production".to_owned(), slot("production", "v2.0.0")),
    ]);
    let resolver = resolver(slots, Records::new(), None);
    let refs = ["prompts/a@v2.0.0", "prompts/b@v2.0.0"].map(str::to_owned);
    assert_eq!(resolve(&resolver, &refs), ["COMPONENT_UNKNOWN", "v2.0.0"]);
}

/// A location may see a revocation before the slot that was moved for it.
#[test]
fn a_revoked_version_is_not_looked_for() {
    let slots = Records::from([("prompts/a@production".to_owned(), slot("production", "v1.0.0"))]);
    let components =
        Records::from([("prompts/a@v1.0.0".to_owned(), version("v1.0.0", json!("leaks")))]);
    let resolver = resolver(slots, components, None);
    let refs = ["prompts/a@v1.0.0", "prompts/a@v2.0.0"].map(str::to_owned);
    assert_eq!(resolve(&resolver, &refs), ["VERSION_REVOKED", "COMPONENT_UNKNOWN"]);
    assert_eq!(slot_reads(&resolver), [1]);
    assert_eq!(resolve(&resolver, &refs[..1]), ["VERSION_REVOKED"]);
    assert_eq!(slot_reads(&resolver), [1]);
}

/// A token for one slot does not read exact versions, whatever the slot names.
#[test]
fn a_version_that_the_caller_may_not_read_is_not_looked_for() {
    let slots = Records::from([("prompts/a@production".to_owned(), slot("production", "v1.0.0"))]);
    let tokens = json!({ Digest::of(b"token").to_string(): ["prompts/*@production"] });
    let resolver = resolver(slots, Records::new(), Some(&tokens.to_string()));
    let header = |name: &str| (name == "Authorization").then(|| "Bearer token".to_owned());
    let status = |path: &str| {
        let request = Request {
            method: "HEAD",
            host: "resolver.example",
            path,
            query: "",
            header: &header,
            body: &NO_BODY,
        };
        resolver.answer(&request, None).response.status
    };
    assert_eq!(status("/components/prompts/a@production"), 200);
    assert_eq!(status("/components/prompts/a@v1.0.0"), 404);
    assert_eq!(slot_reads(&resolver), [0; 0]);
}

/// Two seconds are left for pauses: 250 and 1000 milliseconds for the first content, 250 for each
/// of the next three.
#[test]
fn the_contents_of_one_request_share_its_pauses() {
    let slots = Records::from([("prompts/a@production".to_owned(), slot("production", "v1.0.0"))]);
    let resolver = resolver(slots, Records::new(), None);
    let refs = vec!["prompts/a@production"; 20];
    let codes = post(&resolver, &json!({ "refs": refs, "content": true }));
    assert_eq!(codes, ["CONTENT_MISSING"; 20]);
    assert_eq!(resolver.reader.backend.clock.get() as u32, 2_000);
    let reads = resolver.reader.backend.reads.borrow();
    let contents = reads.iter().filter(|read| read.starts_with("COMPONENTS sha256/"));
    assert_eq!(contents.count(), 20 * 2 + 5);
}
