//! Properties that hold for every input.

// A test fails by a panic.
#![allow(clippy::unwrap_used, missing_docs)]
// proptest needs an operating system; `tests/wasm.rs` is what wasm32 runs.
#![cfg(not(target_arch = "wasm32"))]

use catalog::access::{ReadTokens, Scope};
use catalog::conductor::{self, Meaning};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::media_type::MediaType;
use catalog::name::ComponentName;
use catalog::range::Range;
use catalog::record::{
    self, CatalogRecord, IndexRecord, RangesRecord, RunId, SlotRecord, VersionRecord,
};
use catalog::reference::{Address, Reference};
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use catalog::version::Version;
use proptest::prelude::*;

/// Generates texts close to the grammars: random ones rarely get past the first character.
fn near() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "[vxX0-9.*^~<>=| -]{0,24}",
        "[a-zA-Z0-9._@/+%-]{0,60}",
        "v?[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(-[a-z0-9.-]{1,9})?(\\+[a-z0-9.]{1,5})?",
        "[a-z]{1,8}(/[a-zA-Z0-9_.-]{1,12}){1,3}@[a-zA-Z0-9_.^~-]{1,16}",
        "[0-9a-fA-F]{40}",
        "(sha256:)?[0-9a-fA-F]{64}",
    ]
}

/// Every accepted text has one canonical spelling, which parses to the same value.
fn canonical<T>(text: &str) -> Result<(), TestCaseError>
where
    T: std::str::FromStr + ToString + PartialEq + std::fmt::Debug,
    T::Err: std::fmt::Debug,
{
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        let again: T = written.parse().unwrap();
        prop_assert_eq!(again.to_string(), written);
        prop_assert_eq!(again, value);
    }
    Ok(())
}

fn name() -> impl Strategy<Value = ComponentName> {
    "[a-z][a-z0-9-]{0,8}(/[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}){1,3}"
        .prop_filter_map("reserved", |text| text.parse().ok())
}

fn slot() -> impl Strategy<Value = Slot> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,12}".prop_filter_map("a range", |text| text.parse().ok())
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof!["v[0-9]\\.[1-9][0-9]\\.[0-9](-rc\\.[0-9])?(\\+b[0-9])?", "[0-9a-f]{40}"]
        .prop_map(|text| text.parse().unwrap())
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        (name(), slot()).prop_map(|(name, slot)| Key::Slot(name, slot)),
        (name(), version()).prop_map(|(name, version)| Key::Version(name, version)),
        name().prop_map(Key::Catalog),
        name().prop_map(Key::Ranges),
        any::<[u8; 8]>().prop_map(|bytes| Key::Content(Digest::of(&bytes))),
        Just(Key::Index),
        any::<[u8; 16]>().prop_map(|run| Key::Sync(RunId::from_bytes(run))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Every key that Conductor can ask for has only a few meanings, each of a component.
    #[test]
    fn conductor_keys_have_few_meanings(text in near()) {
        prop_assert!(conductor::meanings(&text).len() <= 4);
    }

    /// Every key that is listed or copied leads back to its component and reference.
    #[test]
    fn conductor_keys_round_trip(name in name(), slot in slot(), version in version()) {
        for reference in [Reference::Slot(slot), Reference::Version(version)] {
            let meant = Meaning::Content(name.clone(), reference.clone());
            for key in conductor::keys(&name, &reference.to_string()) {
                prop_assert!(key.len() <= 512);
                prop_assert!(conductor::meanings(&key).contains(&meant), "{}", key);
            }
        }
    }

    #[test]
    fn parsers_never_panic_and_accept_one_spelling(text in near()) {
        canonical::<ComponentName>(&text)?;
        canonical::<Slot>(&text)?;
        canonical::<Version>(&text)?;
        canonical::<Digest>(&text)?;
        canonical::<Range>(&text)?;
        canonical::<Reference>(&text)?;
        canonical::<Address>(&text)?;
        canonical::<Timestamp>(&text)?;
        let _ = (text.parse::<Scope>(), text.parse::<ReadTokens>(), text.parse::<MediaType>());
        let _ = (Key::parse(Namespace::Slots, &text), Key::parse(Namespace::Components, &text));
    }

    #[test]
    fn from_url_path_equals_parsing_the_decoded_text(text in near()) {
        let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        prop_assert_eq!(Address::from_url_path(&encoded.to_string()), text.parse());
        let _ = Address::from_url_path(&text);
    }

    /// No slot is a version, a range or a digest, so a reference has one meaning.
    #[test]
    fn slots_versions_and_ranges_are_disjoint(text in near()) {
        if text.parse::<Slot>().is_ok() {
            prop_assert!(text.parse::<Version>().is_err(), "{} is a slot and a version", text);
            prop_assert!(text.parse::<Range>().is_err(), "{} is a slot and a range", text);
            prop_assert!(text.parse::<Digest>().is_err(), "{} is a slot and a digest", text);
        }
    }

    #[test]
    fn error_positions_are_within_the_text(text in near()) {
        if let Err(error) = text.parse::<Address>() {
            prop_assert!(error.at <= text.len(), "{} of {:?}", error.at, text);
        }
    }

    #[test]
    fn keys_round_trip_and_never_collide(a in key(), b in key()) {
        let (text, other) = (a.to_string(), b.to_string());
        prop_assert!(text.len() <= 512);
        prop_assert_eq!(Key::parse(a.namespace(), &text), Some(a.clone()));
        if a != b && a.namespace() == b.namespace() {
            prop_assert_ne!(text, other);
        }
    }

    #[test]
    fn record_parsers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}:,\"a-z0-9.@]{0,80}") {
        for bytes in [bytes.as_slice(), json.as_bytes()] {
            let _ = record::parse::<SlotRecord>(bytes);
            let _ = record::parse::<VersionRecord>(bytes);
            let _ = record::parse::<CatalogRecord>(bytes);
            let _ = record::parse::<IndexRecord>(bytes);
            let _ = record::parse::<RangesRecord>(bytes);
        }
    }
}
