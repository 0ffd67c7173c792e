//! A range and, behind a line break, versions to match.
#![no_main]

use catalog::range::Range;
use fuzz::round_trip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (range, versions) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(parsed) = range.parse::<Range>() else { return };
    round_trip(&parsed);
    let either = format!("{parsed} || <0.0.0-0").parse::<Range>();
    for version in versions.split('\n').filter_map(|text| semver::Version::parse(text).ok()) {
        let matches = parsed.matches(&version);
        // An alternative that nothing satisfies changes nothing; the longest ranges have no room for it.
        if let Ok(either) = &either {
            assert_eq!(either.matches(&version), matches, "{range:?} {version}");
        }
        let alone = format!("={version}").parse::<Range>();
        assert!(alone.is_ok_and(|alone| alone.matches(&version)) || beyond_npm(&version));
    }
});

/// npm takes no number above JavaScript's largest safe integer, and no text above 256 bytes.
fn beyond_npm(version: &semver::Version) -> bool {
    let numbers = [version.major, version.minor, version.patch];
    numbers.iter().any(|number| *number >= 1 << 53) || version.to_string().len() > 255
}
