//! `catalog::json` against `serde_json`: what JSON is, and what it says.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;

use catalog::json;
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

#[track_caller]
fn agrees(text: &[u8]) {
    let whole = serde_json::from_slice::<Value>(text);
    let skimmed = serde_json::from_slice::<IgnoredAny>(text);
    let ours = json::read::<IgnoredAny>(text);
    let shown = String::from_utf8_lossy(text);
    // serde_json does not look into a text that it ignores, and reads no number too large.
    assert!(whole.is_err() || ours.is_ok(), "{shown}: {ours:?}");
    assert!(ours.is_err() || skimmed.is_ok(), "{shown}: {:?}", skimmed.err());
    match (whole, json::read::<Value>(text)) {
        (Ok(theirs), Ok(ours)) => assert_eq!(ours, theirs, "{shown}"),
        (Ok(_), Err(error)) => {
            assert!(error.to_string().contains("a number with a fraction"), "{shown}: {error}");
        }
        (Err(_), Err(_)) => {}
        (Err(error), Ok(_)) => panic!("{shown}: read, but {error}"),
    }
}

/// Pieces that make JSON, and what spoils it.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "false", "nul", "0", "-", "1", "12",
    "00", ".5", "e3", "E+2", "e", " ", "\n", "\t", "\u{b}", "\"a\"", "\"b\":", "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\x\"", "\\u12", "é", "\u{1}", "[]",
    "{}", "[1,2]", "{\"a\":1}", "18446744073709551615", "18446744073709551616",
    "-9223372036854775808", "-9223372036854775809", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "-0",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_serde_json_writes(value in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        agrees(&text.unwrap());
    }

    #[test]
    fn what_is_nearly_json(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14)) {
        agrees(pieces.concat().as_bytes());
    }

    #[test]
    fn what_was_changed_on_the_way(
        value in value(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        agrees(&text);
        text.truncate(at);
        agrees(&text);
    }
}

#[test]
fn what_is_wrong_and_where() {
    fn check<T: DeserializeOwned>(text: &str, expected: &str) {
        let error = json::read::<T>(text.as_bytes()).err().unwrap();
        assert_eq!(error.to_string(), expected, "{text}");
    }
    type Object = BTreeMap<String, u32>;
    check::<Object>("", "EOF while parsing a value at line 1 column 0");
    check::<Object>("{\"a\":1,\n \"b\"}", "expected `:` at line 2 column 5");
    check::<Object>("{\"a\":1,}", "trailing comma at line 1 column 8");
    check::<Object>("{\"a\":1}x", "trailing characters at line 1 column 8");
    check::<Object>("{a:1}", "key must be a string at line 1 column 2");
    check::<Object>("[]", "invalid type: a list, expected a map at line 1 column 1");
    check::<Object>("{\"a\":\"b\"}", "invalid type: a text, expected u32 at line 1 column 6");
    check::<Object>("{\"a\":-1}", "invalid value: an integer, expected u32 at line 1 column 7");
    check::<Object>(
        "{\"a\":1e2}",
        "invalid type: a number with a fraction, an exponent or too many digits, expected u32 at \
         line 1 column 8",
    );
    check::<Vec<String>>("[\"a\" \"b\"]", "expected `,` or `]` at line 1 column 6");
    check::<Vec<String>>(
        "[\"a\tb\"]",
        "control character (\\u0000-\\u001F) in a string at line 1 column 4",
    );
    check::<(u8, u8)>("[1,2,3]", "more items than expected at line 1 column 6");
}

#[test]
fn nesting_has_an_end() {
    for (depth, fine) in [(127, true), (128, true), (129, false), (1_000_000, false)] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(json::read::<IgnoredAny>(text.as_bytes()).is_ok(), fine, "{depth}");
        let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert_eq!(json::read::<Value>(objects.as_bytes()).is_ok(), fine, "{depth}");
    }
}
