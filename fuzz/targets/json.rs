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
        (Ok(_), Err(error)) => {
            assert!(skipped && error.to_string().contains("a number with a fraction"), "{error}");
        }
        (Err(error), Ok(_)) => assert!(error.to_string().contains("recursion"), "{error}"),
        (Err(_), Err(_)) => {}
    }
});
