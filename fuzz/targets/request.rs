//! Whole requests: whatever comes in, what goes out is a well-formed answer.
#![no_main]

use std::collections::BTreeSet;

use component_resolver::config::ScriptVersion;
use component_resolver::http::Response;
use fuzz::{World, Written, bytes, said};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const STATUSES: [u16; 14] = [200, 204, 304, 400, 401, 404, 405, 410, 412, 413, 414, 415, 502, 503];

fuzz_target!(|data: &[u8]| {
    let written = Written::read(data);
    let tokens = written.header("Authorization").is_some();
    let (answer, trace) = written.ask(&World::shared().resolver(tokens));
    check(&answer);
    let line = trace.log(&written.method, answer.status, &ScriptVersion::default()).json();
    assert!(!line.contains(['\n', '\r']) && serde_json::from_str::<Value>(&line).is_ok(), "{line}");
    if written.method == "GET" {
        let head = Written { method: "HEAD".to_owned(), ..written };
        same_but_for_the_body(&answer, &head.ask(&World::shared().resolver(tokens)).0);
    }
});

fn check(answer: &Response<Vec<u8>>) {
    assert!(STATUSES.contains(&answer.status), "{}", answer.status);
    let names: BTreeSet<String> =
        answer.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), answer.headers.len(), "a header stands twice");
    for (name, value) in &answer.headers {
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value:?}");
    }
    for needed in ["Script-Version", "X-Content-Type-Options", "Content-Security-Policy"] {
        assert!(said(answer, needed).is_some(), "{needed}");
    }
    if matches!(answer.status, 204 | 304) {
        return assert!(bytes(answer).is_empty());
    }
    assert!(said(answer, "Content-Type").is_some() && said(answer, "Cache-Control").is_some());
    if answer.status >= 400 && !bytes(answer).is_empty() {
        let problem: Value = serde_json::from_slice(&bytes(answer)).expect("it is JSON");
        assert_eq!(problem["status"], Value::from(answer.status));
        assert!(problem["code"].is_string() && problem["detail"].is_string());
    }
}

fn same_but_for_the_body(get: &Response<Vec<u8>>, head: &Response<Vec<u8>>) {
    let headers = |answer: &Response<Vec<u8>>| {
        let kept = |name: &str| name != "Content-Length" && name != "Server-Timing";
        let kept = answer.headers.iter().filter(|(name, _)| kept(name));
        kept.cloned().collect::<BTreeSet<_>>()
    };
    // A problem says which methods there are; HEAD and GET are on every list or on none.
    assert_eq!((get.status, headers(get)), (head.status, headers(head)));
    assert!(bytes(head).is_empty());
    if let Some(length) = said(head, "Content-Length") {
        assert_eq!(length, bytes(get).len().to_string());
    }
}
