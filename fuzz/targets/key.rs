//! Keys of KV: what parses is written as it was read, and no two kinds collide.
#![no_main]

use catalog::key::{Key, Namespace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for namespace in [Namespace::Slots, Namespace::Components] {
        let Some(key) = Key::parse(namespace, text) else { continue };
        assert_eq!(key.to_string(), text);
        assert_eq!(key.namespace(), namespace);
        assert!(text.len() <= 512);
    }
});
