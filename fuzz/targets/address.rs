//! A URL's path behind `/components/`: one spelling an address, keys that read back.
#![no_main]

use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::reference::{Address, Reference};
use fuzz::round_trip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    if let Ok(name) = ComponentName::from_url_path(raw) {
        round_trip(&name);
    }
    let Ok(address) = Address::from_url_path(raw) else { return };
    round_trip(&address);
    let Address { name, reference } = address;
    match reference {
        Some(Reference::Slot(slot)) => {
            check_key(Key::Slot(name, slot), Namespace::Slots, 300);
        }
        Some(Reference::Version(version)) => {
            let path = Address::canonical_path(&name, &version);
            let behind = path.strip_prefix("/components/").expect("it is a component's");
            let read = Address::from_url_path(behind).expect("it is canonical");
            assert_eq!(read.reference, Some(Reference::Version(version.clone())));
            check_key(Key::Version(name, version), Namespace::Components, 512);
        }
        Some(Reference::Range(_)) => check_key(Key::Ranges(name), Namespace::Components, 512),
        _ => check_key(Key::Catalog(name), Namespace::Components, 512),
    }
});

fn check_key(key: Key, namespace: Namespace, limit: usize) {
    let text = key.to_string();
    assert!(text.len() <= limit, "{text}");
    assert_eq!(key.namespace(), namespace);
    assert_eq!(Key::parse(namespace, &text), Some(key));
}
