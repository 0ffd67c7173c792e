use proptest::prelude::*;

use super::misspelt::meant;
use super::*;

fn tag(full_name: &str) -> TagName {
    match read_ref(full_name.as_bytes()) {
        RefReading::Tag(tag) => tag,
        other => panic!("{full_name}: {other:?}"),
    }
}

#[track_caller]
fn malformed(name: &[u8], what: &str, help: &str) {
    let full_name = [b"refs/tags/", name].concat();
    let RefReading::Malformed(Malformed { notice, .. }) = read_ref(&full_name) else {
        panic!("{name:?} was read");
    };
    assert!(notice.what.contains(what), "{}", notice.what);
    assert!(notice.help.as_deref().unwrap_or("").contains(help), "{:?}", notice.help);
    assert_eq!(notice.subject, printable(name));
}

#[test]
fn read_ref_reads_valid_names() {
    for (name, prefix, component, target) in [
        ("components/prompts/extraction/v1.1.0", "components", "prompts/extraction", "v1.1.0"),
        ("components/prompts/extraction/ring-0", "components", "prompts/extraction", "ring-0"),
        ("logic/agents/triage/production", "logic", "agents/triage", "production"),
        ("components/t/a/b/c/v1.0.0-rc.1+x", "components", "t/a/b/c", "v1.0.0-rc.1+x"),
        ("components/prompts/v1.0.0/latest", "components", "prompts/v1.0.0", "latest"),
    ] {
        let tag = tag(&format!("refs/tags/{name}"));
        assert_eq!(tag.prefix.as_str(), prefix);
        assert_eq!(tag.component.as_str(), component);
        assert_eq!(tag.target.to_string(), target);
        assert_eq!(tag.to_string(), name);
        assert_eq!(read_short_name(name.as_bytes()), Some(tag));
    }
}

#[test]
fn the_rest_of_the_repository_is_ignored() {
    for name in [
        "refs/tags/v1.0.0",
        "refs/tags/components",
        "refs/tags/componentsx/prompts/a/v1.0.0",
        "refs/heads/components/prompts/a/v1.0.0",
        "components/prompts/a/v1.0.0",
        "",
    ] {
        assert_eq!(read_ref(name.as_bytes()), RefReading::Ignored, "{name}");
    }
}

#[test]
fn versions_of_edgit_are_malformed_with_a_suggestion() {
    for (leaf, flaw, version) in [
        ("v01.02.03", "leading zeros", "v1.2.3"),
        ("v1.0.0-rc_1", "pre-release", "v1.0.0-rc-1"),
        ("1.0.0", "'v' is missing", "v1.0.0"),
        ("v1.0", "three numbers", "v1.0.0"),
        ("v1", "three numbers", "v1.0.0"),
        ("vv1.0.0", "", "v1.0.0"),
        ("v1.0.0-01", "leading zeros", "v1.0.0-1"),
        ("1.2-beta", "'v' is missing", "v1.2.0-beta"),
    ] {
        let help = format!("tag it as components/p/a/{version}: git tag -a");
        malformed(format!("components/p/a/{leaf}").as_bytes(), flaw, &help);
    }
}

#[test]
fn targets_are_parsed_without_a_component() {
    for (text, shown) in [("v1.0.0", "v1.0.0"), ("ring-0", "ring-0")] {
        assert_eq!(text.parse::<TagTarget>().unwrap().to_string(), shown);
    }
    let error = |text: &str| text.parse::<TagTarget>().unwrap_err().to_string();
    assert!(error("v1.0").ends_with("three numbers are needed; did you mean v1.0.0?"));
    assert!(error("v9007199254740993.0.0").contains("larger than 9007199254740991"));
    assert!(error("--force").contains("begins with a letter"));
}

#[test]
fn tags_of_release_tools_are_malformed_with_a_suggestion() {
    for (name, version) in [
        ("components/prompts/extraction-v1.2.0", "components/prompts/extraction/v1.2.0"),
        ("components/prompts/extraction@1.2.0", "components/prompts/extraction/v1.2.0"),
        ("components/prompts/gpt-4-1.2.0-rc.1", "components/prompts/gpt-4/v1.2.0-rc.1"),
        ("logic/agents/triage_v1.2.0", "logic/agents/triage/v1.2.0"),
        ("components/templates/emails/welcome@1.2.0", "components/templates/emails/welcome/v1.2.0"),
    ] {
        let help = format!("{version} 'refs/tags/{name}^{{}}'");
        malformed(name.as_bytes(), "the form of a release tool", &help);
    }
    malformed(b"components/extraction-v1.2.0", "neither", "components/<type>/extraction/v1.2.0");
}

#[test]
fn a_moving_tag_beside_its_versions_is_reported_as_a_range() {
    let notice = |name: &str, versions: &[&str]| {
        let RefReading::Malformed(malformed) = read_ref(format!("refs/tags/{name}").as_bytes())
        else {
            panic!("{name} was read");
        };
        let tags: Vec<TagName> = versions.iter().map(|v| tag(&format!("refs/tags/{v}"))).collect();
        malformed.among(&tags)
    };
    let v1 = "components/schemas/order/v1";
    let moving = notice(v1, &["components/schemas/order/v1.1.0"]);
    assert!(moving.what.contains("`schemas/order@v1` is answered as the range 1.x"), "{moving:?}");
    assert_eq!(moving.help.unwrap(), format!("delete the tag: git tag --delete {v1}"));
    let minor = notice("components/schemas/order/v1.2", &["components/schemas/order/v1.2.7"]);
    assert!(minor.what.contains("the range 1.2.x"), "{minor:?}");
    for others in [
        "components/schemas/order/v2.0.0",
        "components/schemas/other/v1.0.0",
        "logic/schemas/order/v1.0.0",
        "components/schemas/order/production",
    ] {
        let first = notice(v1, &[others]);
        assert!(first.help.unwrap().contains("tag it as components/schemas/order/v1.0.0"));
    }
    // The resolver reads the reference in the same way.
    let range: catalog::range::Range = "v1".parse().unwrap();
    let matches =
        |version: &str| range.matches(version.parse::<Version>().unwrap().semver().unwrap());
    assert!(matches("v1.1.0") && !matches("v2.0.0"));
}

#[test]
fn malformed_names_are_reported_with_the_flaw() {
    malformed(b"components/extraction/v1.0.0", "legacy", "components/<type>/extraction/v1.0.0");
    malformed(b"components/v1.0.0", "neither", "components/<type>/<name>/v1.0.0");
    malformed(b"logic/extraction/production", "legacy", "logic/<type>/extraction");
    malformed(b"components/prompts/gr\xfcn/production", "not UTF-8", "ASCII");
    malformed("components/prompts/gr\u{fc}n/production".as_bytes(), "byte 10", "");
    malformed(b"components/prompts/--help/production", "begins with a letter", "");
    malformed(b"components/prompts/a/--force", "begins with a letter", "");
    malformed(b"components/Prompts/a/production", "lower-case", "");
    malformed(b"components/sha256/a/production", "reserved", "");
    malformed(b"components/prompts/a/x", "version or a range", "");
    malformed(b"components/prompts/a/2024-01-01x_y z", "", "");
    malformed(
        b"components/prompts/a/947e4e2247da185c97ee358273a064bc3e3e0fed",
        "full commit id",
        "",
    );
    let long = format!("components/prompts/{}/production", "a".repeat(200));
    malformed(long.as_bytes(), "longer than 200 bytes", "");
    malformed(format!("components/p/a/{}", "s".repeat(65)).as_bytes(), "64 bytes", "");
    let long = format!("components/p/a/v1.0.0-{}", "a".repeat(200));
    malformed(long.as_bytes(), "longer than 128 bytes", "");
}

proptest! {
    #[test]
    fn read_ref_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = read_ref(&[&b"refs/tags/components/"[..], &bytes].concat());
        let _ = read_ref(&bytes);
    }

    /// A tag's name has one spelling: a name that is read is written back unchanged.
    #[test]
    fn tag_names_round_trip(
        name in "(components|logic)/[a-z]{1,3}/[a-z0-9.-]{1,6}/[v0-9a-z.+_-]{1,12}",
    ) {
        if let RefReading::Tag(tag) = read_ref(format!("refs/tags/{name}").as_bytes()) {
            prop_assert_eq!(tag.to_string(), name);
        }
    }

    #[test]
    fn meant_returns_a_valid_version(leaf in "[vV]{0,2}[0-9]{1,3}(\\.[0-9]{1,3}){0,3}([-+][0-9a-z_.]{0,6})?") {
        if let Some(version) = meant(&leaf) {
            let written = version.to_string();
            prop_assert_eq!(written.parse::<Version>().unwrap(), version);
        }
    }
}
