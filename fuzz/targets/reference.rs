//! What stands behind the `@`: exactly one of version, slot, digest and range.
#![no_main]

use catalog::range::Range;
use catalog::reference::Reference;
use catalog::slot::Slot;
use catalog::version::Version;
use fuzz::round_trip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (slot, version) = (text.parse::<Slot>(), text.parse::<Version>());
    if slot.is_ok() {
        assert!(version.is_err() && text.parse::<Range>().is_err(), "{text:?} is ambiguous");
    }
    match text.parse::<Reference>() {
        Ok(reference) => {
            round_trip(&reference);
            assert!(reference.to_string().len() <= 256);
        }
        Err(error) => {
            assert!(slot.is_err() && version.is_err());
            assert!(error.at <= text.len(), "{text:?}: {error}");
        }
    }
});
