//! Versions in a spelling that is not valid in a tag.

use catalog::version::Version;

/// Returns the rule of `SemVer` that a text breaks; [`meant`] may correct it.
pub(super) fn flaw(leaf: &str) -> &'static str {
    let core = leaf.trim_start_matches(['v', 'V']);
    let (core, _) = core.split_once(['-', '+']).unwrap_or((core, ""));
    if !leaf.starts_with('v') {
        return "the leading 'v' is missing";
    }
    if core.split('.').count() < 3 {
        return "three numbers are needed";
    }
    if core.split('.').any(|number| number.len() > 1 && number.starts_with('0')) {
        return "a number has leading zeros";
    }
    "a pre-release has ASCII letters, digits, '-' and dots only, and no leading zeros"
}

/// Returns the version that a text in edgit's looser spelling (`v01.02.03`, `v1.0.0-rc_1`,
/// `1.0.0`, `v1.0`) most likely means.
pub(super) fn meant(leaf: &str) -> Option<Version> {
    let text = leaf.trim_start_matches(['v', 'V']);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at_checked(end)?;
    let mut numbers: Vec<&str> = core.split('.').map(without_zeros).collect();
    if numbers.len() > 3 {
        return None;
    }
    numbers.resize(3, "0");
    let (pre, build) = rest.split_at_checked(rest.find('+').unwrap_or(rest.len()))?;
    let pre = match pre.strip_prefix('-') {
        Some(pre) => {
            format!("-{}", pre.split('.').map(without_zeros).collect::<Vec<_>>().join("."))
        }
        None => String::new(),
    };
    let mended = format!("v{}{pre}{build}", numbers.join(".")).replace('_', "-");
    mended.parse().ok().filter(|version| matches!(version, Version::Release(_)))
}

/// Removes leading zeros from a number; other text is returned unchanged.
fn without_zeros(text: &str) -> &str {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return text;
    }
    match text.trim_start_matches('0') {
        "" => "0",
        number => number,
    }
}

/// Returns the name and the version in the last segment of a tag that a release tool made:
/// `extraction-v1.2.0`, `extraction@1.2.0`.
///
/// These are the forms of release-please, semantic-release, Changesets and Lerna.
pub(super) fn name_and_version(leaf: &str) -> Option<(&str, Version)> {
    leaf.char_indices().filter(|(_, c)| matches!(c, '-' | '@' | '_')).find_map(|(at, _)| {
        let (name, rest) = leaf.split_at_checked(at)?;
        let version = rest.get(1..)?;
        let version = format!("v{}", version.strip_prefix('v').unwrap_or(version));
        let version = version.parse().ok().filter(|version| matches!(version, Version::Release(_)));
        Some((name, version?)).filter(|(name, _)| !name.is_empty())
    })
}

/// Returns the range that a tag like `v1` or `v1.2` means in other projects: `1.x`, `1.2.x`.
pub(super) fn moving(leaf: &str) -> Option<(String, VersionStart)> {
    let mut numbers = leaf.strip_prefix('v')?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().map(str::parse).transpose().ok()?;
    if numbers.next().is_some() {
        return None;
    }
    let range =
        minor.map_or_else(|| format!("{major}.x"), |minor: u64| format!("{major}.{minor}.x"));
    Some((range, VersionStart { major, minor }))
}

/// The first numbers of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VersionStart {
    major: u64,
    minor: Option<u64>,
}

/// Tells if a version begins with these numbers.
pub(super) fn begins_with(version: &Version, start: VersionStart) -> bool {
    version.semver().is_some_and(|version| {
        version.major == start.major && start.minor.is_none_or(|minor| minor == version.minor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_version_reads_the_forms_of_release_tools() {
        let found =
            |leaf| name_and_version(leaf).map(|(name, version)| format!("{name} {version}"));
        for (leaf, expected) in [
            ("extraction-v1.2.0", Some("extraction v1.2.0")),
            ("extraction@1.2.0", Some("extraction v1.2.0")),
            ("extraction@v1.2.0", Some("extraction v1.2.0")),
            ("extraction_1.2.0", Some("extraction v1.2.0")),
            ("gpt-4-v1.2.0-rc.1+b", Some("gpt-4 v1.2.0-rc.1+b")),
            ("rollout-10pct", None),
            ("ring-0", None),
            ("extraction-v1.2", None),
            ("-1.2.0", None),
            ("v1.2.0", None),
            ("extraction-947e4e2247da185c97ee358273a064bc3e3e0fed", None),
        ] {
            assert_eq!(found(leaf).as_deref(), expected, "{leaf}");
        }
    }

    #[test]
    fn moving_recognizes_tags_of_a_major_or_minor_version() {
        let matches = |leaf, version: &str| {
            moving(leaf).is_some_and(|(_, start)| begins_with(&version.parse().unwrap(), start))
        };
        assert!(matches("v1", "v1.9.0") && matches("v1.9", "v1.9.3"));
        assert!(!matches("v1", "v2.0.0") && !matches("v1.9", "v1.8.0"));
        for leaf in ["v1.0.0", "1", "v", "vx", "v1.0.0-rc.1", "v1-rc", "production"] {
            assert_eq!(moving(leaf), None, "{leaf}");
        }
    }
}
