//! What an answer may do if a browser shows it (Content Security Policy Level 3).

use std::collections::{BTreeMap, BTreeSet};

/// The header.
pub(super) const FIELD: &str = "content-security-policy";

/// The values of each directive, by name in lower case.
type Policy = BTreeMap<String, BTreeSet<String>>;

/// Tells if the new policies may allow something that the old ones forbid. A browser enforces
/// all policies of an answer, so each old one must be covered by a new one that is as strict.
pub(super) fn is_looser(new: Option<&str>, old: Option<&str>) -> bool {
    let policies = |field: Option<&str>| -> Vec<Policy> {
        field
            .unwrap_or_default()
            .split(',')
            .map(parse)
            .filter(|policy| !policy.is_empty())
            .collect()
    };
    let (new, old) = (policies(new), policies(old));
    !old.iter().all(|old| new.iter().any(|new| covers(new, old)))
}

/// Parses a policy. Only the first directive of a name counts (section 2.2.1).
fn parse(text: &str) -> Policy {
    let mut policy = Policy::new();
    for directive in text.split(';') {
        let mut words = directive.split_ascii_whitespace();
        let Some(name) = words.next().map(str::to_ascii_lowercase) else { continue };
        if name.starts_with("report-") {
            continue;
        }
        let values = words.filter(|value| !value.eq_ignore_ascii_case("'none'"));
        policy.entry(name).or_insert_with(|| values.map(str::to_owned).collect());
    }
    policy
}

/// Tells if `new` allows no more than `old`.
fn covers(new: &Policy, old: &Policy) -> bool {
    new.keys().chain(old.keys()).all(|name| match (effective(new, name), effective(old, name)) {
        (_, None) => true,
        (None, Some(_)) => false,
        // Its values are demands, not permissions.
        (Some(new), Some(old)) if name == "require-trusted-types-for" => new.is_superset(old),
        (Some(new), Some(old)) => new.is_subset(old),
    })
}

/// Returns the values that count for a directive, which may be those of another one.
fn effective<'a>(policy: &'a Policy, name: &str) -> Option<&'a BTreeSet<String>> {
    let mut names = std::iter::once(name).chain(fallbacks(name).iter().copied());
    names.find_map(|name| policy.get(name))
}

/// Returns the directives that replace a missing one (section 6.8.3).
fn fallbacks(name: &str) -> &'static [&'static str] {
    match name {
        "script-src-elem" | "script-src-attr" => &["script-src", "default-src"],
        "style-src-elem" | "style-src-attr" => &["style-src", "default-src"],
        "worker-src" => &["child-src", "script-src", "default-src"],
        "frame-src" => &["child-src", "default-src"],
        _ if name.ends_with("-src") => &["default-src"],
        _ => &[],
    }
}
