//! Locations of Workers KV that see each key at another time: after every write, a location may
//! see the old value for up to a minute, whatever it sees of other keys, and keeps what it read
//! for as long as the read allowed.
//!
//! Whatever is moved, deleted and pruned meanwhile, no answer has wrong bytes, no address that
//! was handed out is refused, and nothing that existed all the time is missing.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::resolution::{Read, Unavailable};
use component_resolver::config::raw::RawSetting;
use component_resolver::config::{Config, ScriptVersion};
use component_resolver::http::router;
use component_resolver::http::{Body, NO_BODY, Payload, Request, RequestBody};
use component_resolver::resolve::backend::Backend;
use component_resolver::resolve::reader::Reader;
use pollster::block_on;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const NAME: &str = "prompts/a";

/// The longest time after which a location sees a write, in milliseconds.
const LATE: f64 = 60_000.0;

/// The longest time for which a location shows something that is not there any more or not yet
/// there: it sees the write late and has kept the read before.
const SETTLED: f64 = LATE + 30_000.0;

/// The writes to a key, each with its time.
type Writes = BTreeMap<(Namespace, String), Vec<(f64, Option<Vec<u8>>)>>;

/// KV: the writes, and a clock.
#[derive(Default)]
struct Central {
    writes: RefCell<Writes>,
    clock: Cell<f64>,
    seed: u64,
}

impl Central {
    fn put(&self, key: &Key, value: Option<Vec<u8>>) {
        let place = (key.namespace(), key.to_string());
        let now = self.clock.get();
        self.writes.borrow_mut().entry(place).or_default().push((now, value));
    }

    fn put_json(&self, key: &Key, value: &Value) {
        self.put(key, Some(value.to_string().into_bytes()));
    }

    /// Returns the value that a location sees now. The delay of a write is a hash of it.
    fn seen(&self, location: usize, place: &(Namespace, String)) -> Option<Vec<u8>> {
        let writes = self.writes.borrow();
        let writes = writes.get(place)?.iter().enumerate();
        let visible = writes.filter(|(at, (time, _))| {
            let text = format!("{} {location} {} {} {at}", self.seed, place.0.binding(), place.1);
            let hash = Digest::of(text.as_bytes());
            let delay = f64::from(u16::from_be_bytes([hash.as_raw()[0], hash.as_raw()[1]]));
            time + delay / 65_536.0 * LATE <= self.clock.get()
        });
        // A location that has seen a write does not go back to an earlier one.
        visible.last().and_then(|(_, (_, value))| value.clone())
    }
}

/// What a location has read, with the time of each read.
type Kept = BTreeMap<(Namespace, String), (f64, Option<Vec<u8>>)>;

/// A location with one isolate.
struct Location {
    number: usize,
    central: Rc<Central>,
    kept: RefCell<Kept>,
}

impl Location {
    fn read(&self, namespace: Namespace, key: &str, cache_ttl: u32) -> Option<Vec<u8>> {
        let place = (namespace, key.to_owned());
        let now = self.central.clock.get();
        let mut kept = self.kept.borrow_mut();
        if let Some((at, value)) = kept.get(&place)
            && now - at < f64::from(cache_ttl) * 1000.0
        {
            return value.clone();
        }
        let value = self.central.seen(self.number, &place);
        kept.insert(place, (now, value.clone()));
        value
    }
}

impl Backend for Location {
    type Content = Vec<u8>;
    type Body = Vec<u8>;

    async fn record(&self, namespace: Namespace, key: &str, ttl: u32) -> Read<Vec<u8>> {
        Ok(self.read(namespace, key, ttl))
    }

    async fn records(
        &self,
        namespace: Namespace,
        keys: &[String],
        ttl: u32,
    ) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        Ok(keys.iter().map(|key| self.read(namespace, key, ttl)).collect())
    }

    async fn content(&self, key: &str, ttl: u32) -> Read<(Vec<u8>, Digest)> {
        let content = self.read(Namespace::Components, key, ttl);
        Ok(content.map(|content| (content.clone(), Digest::of(&content))))
    }

    async fn stream(&self, key: &str, ttl: u32, digest: &Digest, size: u64) -> Read<Vec<u8>> {
        let read = self.content(key, ttl).await?;
        let is_right =
            |(content, found): &(Vec<u8>, Digest)| found == digest && content.len() as u64 == size;
        // A stream of other bytes breaks off. Here it ends.
        Ok(read.map(|read| if is_right(&read) { read.0 } else { Vec::new() }))
    }

    async fn digest(&self, key: &str, ttl: u32) -> Read<Digest> {
        Ok(self.content(key, ttl).await?.map(|(_, found)| found))
    }

    fn doubts(&self, _: &Digest) -> bool {
        false
    }

    fn trust(&self, _: &Digest) {}

    fn size(&self, content: &Vec<u8>) -> usize {
        content.len()
    }

    fn random(&self) -> u32 {
        1 << 31
    }

    fn now(&self) -> f64 {
        self.central.clock.get()
    }
}

/// What Git says: versions and slots, each with the time since when it exists unchanged.
#[derive(Default)]
struct Repository {
    versions: BTreeMap<u32, f64>,
    slots: BTreeMap<&'static str, (u32, f64)>,
    next: u32,
}

fn content(version: u32) -> String {
    format!("content {version}")
}

fn snapshot(version: u32) -> Value {
    json!({
        "version": format!("v1.{version}.0"), "digest": Digest::of(content(version).as_bytes()),
        "size": content(version).len(), "type": "text/plain",
        "sha": "947e4e2247da185c97ee358273a064bc3e3e0fed", "date": "2026-11-20T23:59:27Z",
    })
}

fn with(mut object: Value, members: Value) -> Value {
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}

fn version_record(version: u32) -> Value {
    with(snapshot(version), json!({ "format": 1, "author": "Ada", "path": "a.txt" }))
}

fn slot_record(slot: &str, version: u32) -> Value {
    let target = with(snapshot(version), json!({ "slot": slot, "weight": 100_000 }));
    json!({ "format": 1, "slot": slot, "targets": [target] })
}

fn version_key(version: u32) -> Key {
    Key::Version(NAME.parse().unwrap(), format!("v1.{version}.0").parse().unwrap())
}

fn slot_key(slot: &str) -> Key {
    Key::Slot(NAME.parse().unwrap(), slot.parse().unwrap())
}

/// A change of the repository.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// A new version, to which `production` moves.
    Release,
    /// `staging` moves to the version at this place, or appears.
    Move(usize),
    /// `staging` is deleted.
    DeleteSlot,
    /// The version at this place is pruned, unless a slot names it.
    Prune(usize),
}

impl Repository {
    /// Applies a change and writes it as `slotctl sync` does: contents before versions, versions
    /// before slots, slots before the catalog, and deletions last, in the opposite order.
    fn apply(&mut self, change: Change, kv: &Central) {
        let now = kv.clock.get();
        let place = |at: usize, all: &BTreeMap<u32, f64>| all.keys().copied().nth(at % all.len());
        let mut deleted = Vec::new();
        match change {
            Change::Release => {
                let version = self.next;
                self.next += 1;
                let key = Key::Content(Digest::of(content(version).as_bytes()));
                kv.put(&key, Some(content(version).into_bytes()));
                kv.put_json(&version_key(version), &version_record(version));
                self.versions.insert(version, now);
                self.set("production", version, kv);
            }
            Change::Move(at) => {
                let version = place(at, &self.versions).unwrap();
                self.set("staging", version, kv);
            }
            Change::DeleteSlot => {
                deleted.extend(self.slots.remove("staging").map(|_| slot_key("staging")));
            }
            Change::Prune(at) => {
                let version = place(at, &self.versions).unwrap();
                if self.slots.values().all(|(used, _)| *used != version) {
                    self.versions.remove(&version);
                    deleted.push(version_key(version));
                }
            }
        }
        let versions: Vec<Value> = self.versions.keys().map(|at| version_record(*at)).collect();
        let slots = self.slots.iter().map(|(slot, (version, _))| {
            let record = slot_record(slot, *version);
            ((*slot).to_owned(), json!({ "record": record, "moves": [] }))
        });
        let slots: serde_json::Map<String, Value> = slots.collect();
        let catalog = json!({ "format": 1, "versions": versions, "slots": slots });
        kv.put_json(&Key::Catalog(NAME.parse().unwrap()), &catalog);
        deleted.iter().for_each(|key| kv.put(key, None));
    }

    fn set(&mut self, slot: &'static str, version: u32, kv: &Central) {
        let since = self.slots.get(slot).map_or(kv.clock.get(), |(_, since)| *since);
        self.slots.insert(slot, (version, since));
        kv.put_json(&slot_key(slot), &slot_record(slot, version));
    }
}

/// An isolate at a location.
struct Isolate {
    config: Config,
    reader: Reader<Location>,
}

/// The status and the body of an answer, and the version that it names.
struct Answered {
    status: u16,
    version: Option<String>,
    exact: Option<String>,
    body: Vec<u8>,
}

impl Isolate {
    fn ask(&self, method: &str, path: &str, body: &dyn RequestBody) -> Answered {
        let json = |name: &str| (name == "Content-Type").then(|| "application/json".to_owned());
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request =
            Request { method, host: "resolver.example", path, query, header: &json, body };
        let handled = block_on(router::answer(&self.config, &self.reader, &request, None));
        let header = |wanted: &str| {
            let found = handled.response.headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.clone())
        };
        Answered {
            status: handled.response.status,
            version: header("Component-Version"),
            exact: header("Content-Location"),
            body: match handled.response.body {
                Body::Empty => Vec::new(),
                Body::Text(text) => text.into_bytes(),
                Body::Content(bytes) => bytes,
                Body::Json(_) => unreachable!("no request asks for contents in JSON"),
            },
        }
    }

    fn get(&self, reference: &str) -> Answered {
        let answer = self.ask("GET", &format!("/components/{NAME}@{reference}"), &NO_BODY);
        if answer.status == 200 {
            let version = answer.version.as_deref().unwrap();
            let number = version.trim_start_matches("v1.").trim_end_matches(".0");
            assert_eq!(answer.body, content(number.parse().unwrap()).into_bytes(), "{reference}");
        }
        answer
    }

    /// Fetches a reference, and the exact address in `Content-Location`.
    fn get_and_follow(&self, reference: &str) -> u16 {
        let answer = self.get(reference);
        if let (200, Some(exact)) = (answer.status, &answer.exact) {
            self.assert_served(reference, exact);
        }
        answer.status
    }

    /// Checks that an exact address that was handed out is not refused. The content may not be
    /// visible here yet, and then the client is asked to try again.
    fn assert_served(&self, reference: &str, url: &str) {
        let exact = url.rsplit_once('@').unwrap().1;
        let status = self.get(exact).status;
        assert!(matches!(status, 200 | 503), "{reference} was handed out as {exact}: {status}");
    }

    /// Resolves a reference, and fetches the exact address that is handed out.
    fn follow(&self, reference: &str) {
        let body = json!({ "refs": [format!("{NAME}@{reference}")] }).to_string();
        let answer = self.ask("POST", "/resolve", &Payload::Bytes(body.into_bytes()));
        assert_eq!(answer.status, 200);
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        let Some(url) = answer["resolved"][0]["url"].as_str() else { return };
        self.assert_served(reference, url);
    }
}

fn isolate(number: usize, central: &Rc<Central>) -> Isolate {
    let config = Config::read(&|_| RawSetting::Unset, ScriptVersion::default());
    let location = Location { number, central: central.clone(), kept: RefCell::default() };
    Isolate { reader: Reader::new(&config, location), config }
}

/// Asks an isolate for everything, and checks what has existed for long enough.
fn check(isolate: &Isolate, repository: &Repository, now: f64) {
    let settled = |since: f64| now - since > SETTLED;
    for (slot, (_, since)) in &repository.slots {
        let status = isolate.get_and_follow(slot);
        assert!(!settled(*since) || !(400..500).contains(&status), "{slot}: {status}");
        isolate.follow(slot);
    }
    for (version, since) in &repository.versions {
        let reference = format!("v1.{version}.0");
        let digest = Digest::of(content(*version).as_bytes());
        for reference in [reference, format!("sha256:{digest}")] {
            let status = isolate.get(&reference).status;
            assert!(!settled(*since) || status == 200, "{reference}: {status}");
        }
    }
    for reference in ["*", "^1", "staging"] {
        isolate.get_and_follow(reference);
        isolate.follow(reference);
    }
    if repository.versions.values().any(|since| settled(*since)) {
        let status = isolate.get("*").status;
        assert!(!(400..500).contains(&status), "*: {status}");
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Release),
        3 => (0_usize..100).prop_map(Change::Move),
        1 => Just(Change::DeleteSlot),
        2 => (0_usize..100).prop_map(Change::Prune),
    ]
}

#[test]
fn locations_that_see_keys_at_other_times_hand_out_only_what_they_serve() {
    let runs = Runs { cases: 30, failure_persistence: None, ..Runs::default() };
    let mut runner =
        TestRunner::new_with_rng(runs, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let step = (proptest::option::weighted(0.4, change()), 1_u32..25, 0_usize..3);
    let history = (any::<u64>(), proptest::collection::vec(step, 100));
    let played = runner.run(&history, |(seed, steps)| {
        let central = Rc::new(Central { seed, ..Central::default() });
        let isolates: Vec<Isolate> = (0..3).map(|at| isolate(at, &central)).collect();
        let mut repository = Repository::default();
        repository.apply(Change::Release, &central);
        for (change, seconds, location) in steps {
            if let Some(change) = change {
                repository.apply(change, &central);
            }
            let now = central.clock.get() + f64::from(seconds) * 1000.0;
            central.clock.set(now);
            check(&isolates[location], &repository, now);
        }
        Ok(())
    });
    played.unwrap();
}
