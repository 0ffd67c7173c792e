//! The fast lane gives the same responses as the full path: status, every header, body and
//! reads of KV, for generated records, methods and headers, while slots move, contents are
//! evicted and KV fails.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::Key;
use catalog::resolution::Read;
use component_resolver::config::IMMUTABLE_CACHE_TTL;
use component_resolver::config::{Config, ScriptVersion};
use component_resolver::http::router::Handled;
use component_resolver::http::{Body, NO_BODY, Request, Response};
use component_resolver::lane::asker::{METHODS, RequestAsker};
use component_resolver::lane::rehearsal;
use component_resolver::lane::urls::{UrlNumber, UrlTable};
use component_resolver::lane::{Lane, Lesson, Recalled, RecalledContent};
use component_resolver::resolve::backend::Backend;
use component_resolver::resolve::reader::ReadAhead;
use component_resolver::trace::ContentSource;
use pollster::block_on;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use support::MapBackend;
use support::resolver::{Resolver, body_bytes};

const HOST: &str = "resolver.example";
const CONTENTS: [&str; 3] = ["first", "second", "third"];
const PATHS: [&str; 4] = [
    "/components/prompts/extraction@production",
    "/components/prompts/extraction",
    "/components/prompts/extraction@v1.0.0",
    "/components/prompts/extraction@none",
];

/// A request and the changes before it.
#[derive(Clone, Debug)]
struct Exchange {
    record: Option<usize>,
    failing: &'static [&'static str],
    seconds: u32,
    random: u32,
    method: &'static str,
    path: &'static str,
    headers: BTreeMap<&'static str, String>,
}

/// A slot record with one to three targets, with or without segments.
fn record() -> impl Strategy<Value = Value> {
    let arm = |slot: &str, at: usize, weight: Option<u32>| {
        let mut arm = json!({
            "slot": slot, "version": format!("v1.{at}.0"),
            "digest": Digest::of(CONTENTS[at].as_bytes()), "size": CONTENTS[at].len(),
            "type": "text/plain", "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed",
            "date": "2026-11-20T23:59:27Z",
        });
        if let Some(weight) = weight {
            arm["weight"] = weight.into();
        }
        arm
    };
    (1_usize..=3, 0_u32..=100_000, 0_usize..3, any::<bool>()).prop_map(
        move |(count, first, turn, segmented)| {
            let weights = match count {
                1 => vec![100_000],
                2 => vec![first, 100_000 - first],
                _ => vec![first, (100_000 - first) / 2, 100_000 - first - (100_000 - first) / 2],
            };
            let slots = ["canary", "beta", "production"];
            let targets = weights.iter().enumerate();
            let targets: Vec<Value> = targets
                .map(|(at, weight)| arm(slots[3 - count + at], (turn + at) % 3, Some(*weight)))
                .collect();
            let mut record = json!({ "format": 1, "slot": "production", "targets": targets });
            if segmented {
                record["segments"] = json!({ "beta": arm("ring-1", turn, None) });
            }
            record
        },
    )
}

fn headers() -> impl Strategy<Value = BTreeMap<&'static str, String>> {
    let tags = CONTENTS.map(|content| format!("\"{}\"", Digest::of(content.as_bytes())));
    let matches = [&tags[..], &["*".into(), format!("W/{}", tags[0]), "\"x\"".into()]].concat();
    let versions = ["v1.0.0", "v1.2.0", "v9.0.0", "nothing", " "].map(str::to_owned).to_vec();
    let segments = ["beta", "other, beta", ""].map(str::to_owned).to_vec();
    let keys: Vec<String> = (0..20).map(|at| format!("caller-{at}")).collect();
    let field = |name: &'static str, values: Vec<String>| {
        proptest::option::weighted(0.3, select(values)).prop_map(move |value| (name, value))
    };
    let fields = (
        field("If-None-Match", matches.clone()),
        field("Component-Version-Override", versions),
        field("Component-Segment", segments),
        field("Component-Version-Key", keys.clone()),
        field("Cloudflare-Workers-Version-Key", keys),
        field("Origin", vec!["https://a.example".into()]),
        proptest::option::weighted(0.1, select(matches)).prop_map(|value| ("If-Match", value)),
    );
    fields.prop_map(|(a, b, c, d, e, f, g)| {
        [a, b, c, d, e, f, g].into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    })
}

fn turn() -> impl Strategy<Value = Exchange> {
    let failing = select(vec![&[][..], &[], &[], &[], &["SLOTS"], &["COMPONENTS"]]);
    let methods = select(vec!["GET", "GET", "GET", "HEAD", "OPTIONS"]);
    let record = proptest::option::weighted(0.2, 0_usize..3);
    let seconds = select(vec![0, 0, 1, 40, 200]);
    (record, failing, seconds, any::<u32>(), methods, select(PATHS.to_vec()), headers()).prop_map(
        |(record, failing, seconds, random, method, path, headers)| Exchange {
            record,
            failing,
            seconds,
            random,
            method,
            path,
            headers,
        },
    )
}

fn resolver(vars: &[(&str, &str)]) -> Resolver<MapBackend> {
    let var = |name: &str| {
        let found = vars.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned()).into()
    };
    let version = ScriptVersion { id: "script".into(), ..ScriptVersion::default() };
    let backend = MapBackend::default();
    let mut components = BTreeMap::new();
    for (at, content) in CONTENTS.iter().enumerate() {
        let digest = Digest::of(content.as_bytes());
        components.insert(Key::Content(digest).to_string(), json!(content));
        let record = json!({
            "format": 1, "version": format!("v1.{at}.0"), "digest": digest,
            "size": content.len(), "type": "text/plain",
            "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed", "date": "2026-11-20T23:59:27Z",
            "author": "Ada", "path": "a.txt",
        });
        components.insert(format!("prompts/extraction@v1.{at}.0"), record);
    }
    backend.put(&BTreeMap::from([("COMPONENTS".to_owned(), components)]));
    Resolver::new(Config::read(&var, version), backend)
}

/// The table of the URLs that the lane knows, like that of `known.js`.
#[derive(Default)]
struct Urls {
    urls: RefCell<HashMap<String, (u32, Option<String>)>>,
    numbers: Cell<u32>,
}

impl Urls {
    /// Returns the number of a URL and the key to read for it.
    fn get(&self, url: &str) -> Option<(UrlNumber, Option<String>)> {
        let (number, key) = self.urls.borrow().get(url)?.clone();
        Some((number.into(), key))
    }
}

impl UrlTable for Urls {
    type Text = String;

    fn text(&self, text: &str) -> String {
        text.to_owned()
    }

    fn add(&self, url: &str, key: Option<&str>) -> UrlNumber {
        self.numbers.set(self.numbers.get() + 1);
        let known = (self.numbers.get(), key.map(str::to_owned));
        self.urls.borrow_mut().insert(url.to_owned(), known);
        self.numbers.get().into()
    }

    fn number(&self, url: &str) -> Option<UrlNumber> {
        self.get(url).map(|(number, _)| number)
    }

    fn remove(&self, url: &str, number: UrlNumber) {
        if self.number(url) == Some(number) {
            self.urls.borrow_mut().remove(url);
        }
    }
}

type Sent = (u16, Vec<(&'static str, String)>, Vec<u8>);
type Prepared = (u16, Vec<(&'static str, String)>);

fn sent(response: Response<Vec<u8>>) -> Sent {
    (response.status, response.headers, body_bytes(response.body))
}

/// Answers a request like the entry: read ahead, recall, else the full path.
fn by_lane(
    resolver: &Resolver<MapBackend>,
    lane: &mut Lane<Urls, Prepared>,
    request: &Request<'_>,
) -> (Sent, bool) {
    let url = format!("https://{}{}", request.host, request.path);
    let asker = RequestAsker { config: &resolver.config, request };
    // `entry.js` hands a request with If-Match to the full path.
    let known = METHODS.contains(&request.method) && (request.header)("If-Match").is_none();
    let known = lane.table().get(&url).filter(|_| known);
    let read: Option<Read<Vec<u8>>> = known.clone().and_then(|(_, key)| key).map(|key| {
        let namespace = catalog::key::Namespace::Slots;
        block_on(resolver.reader.backend.record(namespace, &key, resolver.config.slot_cache_ttl))
    });
    let text = match &read {
        Some(Ok(Some(bytes))) => Some(String::from_utf8(bytes.clone()).unwrap()),
        _ => None,
    };
    let number = known.map(|(number, _)| number);
    let expected = number.and_then(|number| lane.expects(&resolver.reader, number, &asker));
    let recalled =
        number.and_then(|number| lane.recall(&resolver.reader, number, &asker, text.as_ref()));
    if let (Some(expected), Some(recalled)) = (expected, &recalled) {
        // A read is wasted only if the slot has moved.
        assert!(matches!(&recalled.content, RecalledContent::Missing(m) if m.digest == expected));
    }
    if let Some(response) = recalled.and_then(|recalled| completed(resolver, recalled)) {
        return (response, true);
    }
    let ahead = read.map(|read| ReadAhead { key: lane.key(&url).unwrap(), read });
    let Handled { response, trace, basis } = resolver.answer(request, ahead);
    if let Some(basis) = basis {
        let prepared = Rc::new((response.status, response.headers.clone()));
        let lesson = Lesson { status: response.status, trace: &trace, basis };
        lane.learn(&resolver.reader, &url, &asker, lesson, &prepared);
    }
    (sent(response), false)
}

/// A response of the lane with its content, which is read if it is missing.
fn completed(
    resolver: &Resolver<MapBackend>,
    recalled: Recalled<Prepared, Vec<u8>>,
) -> Option<Sent> {
    let body = match recalled.content {
        RecalledContent::Empty => Vec::new(),
        RecalledContent::InMemory(content) => content,
        RecalledContent::Missing(missing) => {
            let key = Key::Content(missing.digest).to_string();
            let read = block_on(resolver.reader.backend.content(&key, IMMUTABLE_CACHE_TTL));
            let (content, digest) = read.ok().flatten()?;
            resolver.reader.accept(&missing, content, digest)?
        }
    };
    let (status, headers) = (*recalled.prepared).clone();
    Some((status, headers, body))
}

fn play(records: &[Value], turns: &[Exchange], vars: &[(&str, &str)]) -> usize {
    let (with, without) = (resolver(vars), resolver(vars));
    let (mut lane, mut recalled) = (Lane::new(Urls::default()), 0);
    let mut slot = &records[0];
    for (at, turn) in turns.iter().enumerate() {
        slot = turn.record.map_or(slot, |record| &records[record % records.len()]);
        for resolver in [&with, &without] {
            let slots =
                BTreeMap::from([("prompts/extraction@production".to_owned(), slot.clone())]);
            resolver.reader.backend.put(&BTreeMap::from([("SLOTS".to_owned(), slots)]));
            let failing = turn.failing.iter().map(|name| (*name).to_owned()).collect();
            resolver.reader.backend.failing.replace(failing);
            let clock = resolver.reader.backend.clock.get() + f64::from(turn.seconds) * 1000.0;
            resolver.reader.backend.clock.set(clock);
            resolver.reader.backend.random.set(Some(turn.random));
            resolver.reader.backend.reads.take();
        }
        let header = |name: &str| turn.headers.get(name).cloned();
        let request = || Request {
            method: turn.method,
            host: HOST,
            path: turn.path,
            query: "",
            header: &header,
            body: &NO_BODY,
        };
        let (answer, by_lane) = by_lane(&with, &mut lane, &request());
        let expected = sent(without.answer(&request(), None).response);
        assert_eq!(answer, expected, "turn {at}: {turn:?}");
        recalled += usize::from(by_lane);
        if turn.failing.is_empty() {
            assert_eq!(
                *with.reader.backend.reads.borrow(),
                *without.reader.backend.reads.borrow(),
                "turn {at}"
            );
        }
    }
    recalled
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_lane_answers_as_the_full_path(
        records in prop::collection::vec(record(), 1..4),
        turns in prop::collection::vec(turn(), 1..60),
        vars in select(vec![
            &[][..],
            &[("CONTENT_MEMORY", "0")],
            &[("CONTENT_MEMORY", "210")],
            &[("CORS_ORIGINS", "https://a.example")],
            &[("READ_TOKENS", "{}")],
        ]),
    ) {
        play(&records, &turns, vars);
    }
}

/// The property would also hold for a lane that never answers.
#[test]
fn the_lane_answers_a_slot_from_the_second_request_on() {
    let record = json!({
        "format": 1, "slot": "production", "targets": [{
            "slot": "production", "version": "v1.0.0", "weight": 100_000,
            "digest": Digest::of(CONTENTS[0].as_bytes()), "size": 5, "type": "text/plain",
            "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed", "date": "2026-11-20T23:59:27Z",
        }],
    });
    let turn = |method, path| Exchange {
        record: None,
        failing: &[],
        seconds: 0,
        random: 0,
        method,
        path,
        headers: BTreeMap::new(),
    };
    for (method, path, first) in [("GET", PATHS[0], 2), ("HEAD", PATHS[0], 1), ("GET", PATHS[2], 2)]
    {
        let turns = vec![turn(method, path); 10];
        // The first full response reads the content, the second has it in memory.
        assert_eq!(play(std::slice::from_ref(&record), &turns, &[]), 10 - first, "{method} {path}");
    }
}

/// The lane uses no record that memory has evicted.
#[test]
fn an_evicted_record_is_learned_again() {
    let resolver = resolver(&[]);
    // Two of them exceed the memory for records.
    let slot = |name: &str| {
        let record = json!({
            "format": 1, "slot": name, "targets": [{
                "slot": name, "version": "v1.0.0", "weight": 100_000,
                "digest": Digest::of(CONTENTS[0].as_bytes()), "size": 5, "type": "text/plain",
                "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed", "date": "2026-11-20T23:59:27Z",
            }],
        });
        (format!("prompts/extraction@{name}"), json!(format!("{record}{}", " ".repeat(2_500_000))))
    };
    let slots = BTreeMap::from([slot("production"), slot("staging")]);
    resolver.reader.backend.put(&BTreeMap::from([("SLOTS".to_owned(), slots)]));
    let mut lane = Lane::new(Urls::default());
    let mut ask = |slot: &str| {
        let path = format!("/components/prompts/extraction@{slot}");
        let request = Request {
            method: "GET",
            host: HOST,
            path: &path,
            query: "",
            header: &|_| None,
            body: &NO_BODY,
        };
        let ((status, ..), by_lane) = by_lane(&resolver, &mut lane, &request);
        assert_eq!(status, 200, "{slot}");
        by_lane
    };
    let asked = ["production", "production", "production", "staging", "production", "production"];
    assert_eq!(asked.map(&mut ask), [false, false, true, false, false, true]);
}

/// The lane and the table know the same URLs, also if the lane has evicted some.
#[test]
fn the_table_is_bounded_like_the_lane() {
    let resolver = resolver(&[]);
    let record = json!({
        "format": 1, "slot": "production", "targets": [{
            "slot": "production", "version": "v1.0.0", "weight": 100_000,
            "digest": Digest::of(CONTENTS[0].as_bytes()), "size": 5, "type": "text/plain",
            "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed", "date": "2026-11-20T23:59:27Z",
        }],
    });
    let slots = BTreeMap::from([("prompts/extraction@production".to_owned(), record)]);
    resolver.reader.backend.put(&BTreeMap::from([("SLOTS".to_owned(), slots)]));
    let mut lane = Lane::new(Urls::default());
    let mut ask = |host: &str, method| {
        let (path, query, body) = (PATHS[0], "", &NO_BODY);
        let request = Request { method, host, path, query, header: &|_| None, body };
        let (_, by_lane) = by_lane(&resolver, &mut lane, &request);
        (by_lane, lane.table().urls.borrow().len())
    };
    // One response takes up 4,000 bytes of the 8 MiB of the lane.
    let known = (0..3_000).map(|at| ask(&format!("host-{at}"), "HEAD").1).max().unwrap();
    assert!((1_000..2_100).contains(&known), "{known} URLs");
    assert_eq!(ask("host-0", "HEAD"), (false, known));
    assert_eq!(ask("host-2999", "HEAD"), (true, known));
    // Two responses to one URL take up the place of another URL.
    assert_eq!(ask("host-2999", "GET"), (false, known - 1));
}

#[test]
fn a_rehearsal_answers_without_any_read() {
    let resolver = resolver(&[]);
    let read = rehearsal::prepare(&resolver.reader, &Vec::new());
    let path = rehearsal::URL.strip_prefix("https://rehearsal").unwrap();
    let body = &NO_BODY;
    let request = Request { method: "GET", host: HOST, path, query: "", header: &|_| None, body };
    let Handled { response, trace, .. } = resolver.answer(&request, read);
    assert_eq!((response.status, trace.content), (200, ContentSource::Memory));
    assert!(matches!(response.body, Body::Content(content) if content.is_empty()));
    assert_eq!(*resolver.reader.backend.reads.borrow(), [""; 0]);
}
