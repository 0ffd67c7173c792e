//! Keys of KV: what parses is written as it was read, and no two kinds collide. Keys
//! of Conductor's: what one means is among what its own forms mean.
#![no_main]

use catalog::conductor::{Meaning, keys, meanings};
use catalog::key::{Key, Namespace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for namespace in [Namespace::Slots, Namespace::Components] {
        let Some(key) = Key::parse(namespace, text) else { continue };
        assert_eq!(key.to_string(), text);
        assert_eq!(key.namespace(), namespace);
        assert!(text.len() <= 512);
    }
    for meaning in meanings(text) {
        let Meaning::Content(name, reference) = &meaning else { continue };
        let forms = keys(name, &reference.to_string());
        assert!(forms.iter().all(|form| meanings(form).contains(&meaning)), "{text}");
    }
});
