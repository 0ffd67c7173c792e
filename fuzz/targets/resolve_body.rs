//! Bodies of `POST /resolve`: each reference is answered as `GET` would answer it.
#![no_main]

use catalog::reference::{Address, Reference};
use fuzz::{World, Written, bytes, said};
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// References of a body that are asked for one by one, too.
const COMPARED: usize = 5;

fuzz_target!(|body: &[u8]| {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let request = Written {
        method: "POST".to_owned(),
        target: "/resolve".to_owned(),
        headers,
        body: body.to_vec(),
    };
    let (answer, trace) = request.ask(&World::shared().resolver(false));
    assert!(matches!(answer.status, 200 | 400 | 413), "{}", answer.status);
    assert!(trace.kv_reads <= 6 + 200, "{} reads", trace.kv_reads);
    if answer.status != 200 {
        return;
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let asked: Value = serde_json::from_slice(body).expect("the Worker has read it");
    let answered: Value = serde_json::from_slice(&bytes(&answer)).expect("it is JSON");
    let (refs, resolved) = (list(&asked["refs"]), list(&answered["resolved"]));
    assert_eq!(refs.len(), resolved.len());
    for (reference, entry) in refs.iter().zip(resolved).take(COMPARED) {
        assert_eq!(&entry["ref"], reference);
        compare(&asked, reference.as_str().expect("it is a text"), entry);
    }
});

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("it is a list")
}

fn compare(asked: &Value, reference: &str, entry: &Value) {
    if let Some(exact) = entry["exact"].as_str() {
        let address: Address = exact.parse().expect("it is an address");
        assert!(matches!(address.reference, Some(Reference::Version(_))), "{exact}");
    }
    let Some(target) = target(asked, reference) else { return };
    let get = Written { method: "GET".to_owned(), target, headers: Vec::new(), body: Vec::new() };
    let (answer, _) = get.ask(&World::shared().resolver(false));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if asked["content"] == true || entry["error"].is_object() {
        let status = entry["error"]["status"].as_u64().unwrap_or(200);
        assert_eq!(u64::from(answer.status), status, "{reference:?} {entry}");
    }
    if answer.status == 200 {
        assert_eq!(said(&answer, "Component-Version").map(str::to_owned), text(&entry["version"]));
        assert_eq!(
            said(&answer, "Component-Assignment").map(str::to_owned),
            text(&entry["assignment"])
        );
    }
    if let Some(content) = entry["content"].as_str() {
        assert_eq!(content.as_bytes(), &*bytes(&answer));
    }
}

/// The same question as the target of a `GET`; none where a URL can't put it.
fn target(asked: &Value, reference: &str) -> Option<String> {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let segments: Vec<String> = list_or_empty(&asked["segments"]);
    if segments
        .iter()
        .any(|group| group.trim().is_empty() || group.contains(',') || group.trim() != *group)
    {
        return None;
    }
    let path = format!("/components/{}", encode(reference));
    let key = encode(&text(&asked["key"]).unwrap_or_default());
    (path.len() <= 1_500)
        .then(|| format!("{path}?key={key}&segment={}", encode(&segments.join(","))))
}

fn list_or_empty(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(text).collect()
}

/// A text, or the digits of a number.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string))
}
