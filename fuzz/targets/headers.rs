//! The headers and parameters that decide an answer: who asks, and what they have.
#![no_main]

use catalog::assign::VersionOverride;
use component_resolver::config::Origins;
use component_resolver::config::raw::RawSetting;
use component_resolver::http::{caller, conditional};
use fuzz::{Written, round_trip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let written = Written::read(data);
    let caller = written.with(caller::of);
    for group in &caller.segments {
        let trimmed = group.trim_matches([' ', '\t']);
        assert!(!group.is_empty() && trimmed == group && !group.contains(','), "{group:?}");
    }
    assert_ne!(caller.key.as_deref(), Some(""));
    if let Some(VersionOverride::Version(version)) = &caller.version_override {
        round_trip(version);
    }
    let field = written.header("If-None-Match").unwrap_or_default();
    entity_tags(&field, written.header("ETag").unwrap_or_default().trim_matches('"'));
    let list = RawSetting::from(written.header("Origin")).list().unwrap_or_default();
    if let Ok(Origins::Listed(origins)) = Origins::read(&list) {
        // An origin that was read is in the spelling of a browser.
        assert_eq!(Origins::read(&origins), Ok(Origins::Listed(origins)));
    }
});

fn entity_tags(field: &str, opaque: &str) {
    if opaque.contains('"') {
        return;
    }
    for certain in
        [format!("\"{opaque}\""), format!("W/\"{opaque}\""), format!("\"-\" , \"{opaque}\"")]
    {
        assert!(conditional::is_match(&certain, opaque), "{certain}");
    }
    let matches = conditional::is_match(field, opaque);
    if field.trim_matches([' ', '\t']) == "*" {
        return assert!(matches);
    }
    assert!(!matches || field.contains(&format!("\"{opaque}\"")), "{field}");
    // Another tag in front changes nothing.
    let longer = format!("\"{opaque}-\", {field}");
    assert_eq!(conditional::is_match(&longer, opaque), matches, "{longer}");
}
