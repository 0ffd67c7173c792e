//! Checks that wasm32 gives the same results as the host: golden values, run by
//! `wasm-bindgen-test-runner`.

#![allow(clippy::unwrap_used, missing_docs)]
#![cfg(target_arch = "wasm32")]

use catalog::assign::point;
use catalog::digest::Digest;
use catalog::range::Range;
use catalog::reference::Address;
use catalog::timestamp::Timestamp;
use serde_json::Value;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn golden_assignment() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/assignment.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let name = case["component"].as_str().unwrap().parse().unwrap();
        let expected = case["point"].as_u64().unwrap();
        assert_eq!(u64::from(point(&name, case["key"].as_str().unwrap())), expected);
    }
}

#[wasm_bindgen_test]
fn golden_texts_and_numbers() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Digest::of(b"").to_string(), empty);
    let address = Address::from_url_path("prompts%2Fa@1.0.0").unwrap();
    assert_eq!(address.to_string(), "prompts/a@v1.0.0");
    let range: Range = ">=1.2 <2 || ^9007199254740990".parse().unwrap();
    assert!(range.matches(&"1.9.0".parse().unwrap()));
    let time = Timestamp::from_unix(4_102_444_800);
    assert_eq!(time.to_string(), "2100-01-01T00:00:00Z");
    assert_eq!(time.http_date(), "Fri, 01 Jan 2100 00:00:00 GMT");
}
