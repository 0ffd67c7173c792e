//! JSON, as serde_json reads it.
#![no_main]

use catalog::json;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;

fuzz_target!(|text: &[u8]| {
    let skipped = json::read::<IgnoredAny>(text).is_ok();
    // It does not look into a text that it ignores.
    assert!(!skipped || serde_json::from_slice::<IgnoredAny>(text).is_ok());
    match (serde_json::from_slice::<Value>(text), json::read::<Value>(text)) {
        (Ok(theirs), Ok(ours)) => assert!(skipped && ours == theirs),
        (Ok(theirs), Err(error)) => assert!(skipped && has_fraction(&theirs), "{error}"),
        (Err(error), Ok(_)) => assert!(error.to_string().contains("recursion"), "{error}"),
        (Err(_), Err(_)) => {}
    }
});

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}
