//! An isolate at a location, and the addresses that it hands out.

use std::cell::RefCell;

use component_resolver::config::raw::RawSetting;
use component_resolver::config::{Config, ScriptVersion};
use component_resolver::http::{NO_BODY, Payload, Request, RequestBody};
use serde_json::{Value, json};

use crate::kv::Location;
use crate::repository::{NAME, content};
use crate::resolver::{Resolver, body_bytes};

/// The time for which an isolate serves what it has handed out, in milliseconds.
const HANDED_OUT: f64 = 120_000.0;

/// An isolate at a location.
pub(crate) struct Isolate {
    resolver: Resolver<Location>,
    location: Location,
    /// The references that were handed out, with the time.
    handed_out: RefCell<Vec<(String, f64)>>,
}

/// An answer, and the exact reference that it hands out.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) exact: Option<String>,
    /// The answer is the last good one of this isolate.
    pub(crate) stale: bool,
    body: Vec<u8>,
}

impl Isolate {
    /// An isolate with an empty memory. `staging` has a host of its own.
    pub(crate) fn new(location: &Location) -> Self {
        let hosts = |name: &str| match name {
            "HOST_SLOTS" => RawSetting::Text(r#"{"staging.example":"staging"}"#.to_owned()),
            _ => RawSetting::Unset,
        };
        let config = Config::read(&hosts, ScriptVersion::default());
        let resolver = Resolver::new(config, location.clone());
        Self { resolver, location: location.clone(), handed_out: RefCell::default() }
    }

    fn ask(&self, method: &str, path: &str, body: &dyn RequestBody) -> Answered {
        let json = |name: &str| (name == "Content-Type").then(|| "application/json".to_owned());
        let request =
            Request { method, host: "resolver.example", path, query: "", header: &json, body };
        let response = self.resolver.answer(&request, None).response;
        let header = |wanted: &str| {
            let found = response.headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.clone())
        };
        let exact = header("Content-Location");
        let exact = exact.map(|url| url.rsplit_once('@').unwrap().1.to_owned());
        let stale = header("Component-Stale").is_some();
        Answered { status: response.status, exact, stale, body: body_bytes(response.body) }
    }

    fn json(&self, path: &str) -> (u16, Value) {
        let answer = self.ask("GET", path, &NO_BODY);
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// Fetches a reference, and checks the bytes.
    pub(crate) fn get(&self, reference: &str) -> Answered {
        let answer = self.ask("GET", &format!("/components/{NAME}@{reference}"), &NO_BODY);
        if answer.status == 200 {
            let version = answer.exact.as_deref().unwrap();
            let number = version.trim_start_matches("v1.").trim_end_matches(".0");
            assert_eq!(answer.body, content(number.parse().unwrap()).into_bytes(), "{reference}");
            self.hand_out(reference, version);
        }
        answer
    }

    /// Resolves a reference to an exact one.
    pub(crate) fn resolve(&self, reference: &str) -> Option<String> {
        let body = json!({ "refs": [format!("{NAME}@{reference}")] }).to_string();
        let answer = self.ask("POST", "/resolve", &Payload::Bytes(body.into_bytes()));
        assert_eq!(answer.status, 200);
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        let url = answer["resolved"][0]["url"].as_str()?;
        let exact = url.rsplit_once('@').unwrap().1;
        self.hand_out(reference, exact);
        Some(exact.to_owned())
    }

    /// Returns the status of the catalog entry, and of the index if it lists the component.
    pub(crate) fn list(&self) -> (u16, u16) {
        let (entry, _) = self.json(&format!("/catalog/{NAME}"));
        let (index, page) = self.json("/catalog");
        let listed = page["components"].as_array().is_some_and(|all| !all.is_empty());
        (entry, if index == 200 && !listed { 404 } else { index })
    }

    /// Tells if the catalog that this location sees lists a slot.
    pub(crate) fn lists_slot(&self, slot: &str) -> bool {
        let (status, entry) = self.json(&format!("/catalog/{NAME}"));
        let slots = entry["slots"].as_array().filter(|_| status == 200);
        slots.is_some_and(|slots| slots.iter().any(|listed| listed["slot"] == slot))
    }

    /// Notes an exact reference, unless it was asked for.
    fn hand_out(&self, reference: &str, exact: &str) {
        if reference != exact {
            self.handed_out.borrow_mut().push((exact.to_owned(), self.now()));
        }
    }

    /// Checks that this isolate still serves what it has handed out.
    pub(crate) fn check_handed_out(&self) {
        let now = self.now();
        let recent = |(_, at): &(String, f64)| now - at < HANDED_OUT;
        self.handed_out.borrow_mut().retain(recent);
        let mut handed_out: Vec<String> =
            self.handed_out.borrow().iter().map(|(exact, _)| exact.clone()).collect();
        handed_out.sort();
        handed_out.dedup();
        for exact in handed_out {
            self.check_served(&exact, "some time ago");
        }
    }

    /// Checks that an exact reference that was handed out is not refused. The content may not
    /// be visible here yet, and then the client is asked to try again.
    pub(crate) fn check_served(&self, exact: &str, by: &str) {
        let answer = self.ask("GET", &format!("/components/{NAME}@{exact}"), &NO_BODY);
        let status = answer.status;
        assert!(matches!(status, 200 | 503), "{by} was handed out as {exact}: {status}");
    }

    fn now(&self) -> f64 {
        use component_resolver::resolve::backend::Backend;
        self.location.now()
    }
}
