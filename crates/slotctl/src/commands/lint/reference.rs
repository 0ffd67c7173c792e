//! Which texts name a component, which one, and what their reader does with them.

use std::collections::{BTreeMap, BTreeSet};

use catalog::conductor::{self as keys, Meaning};
use catalog::reference::{Address, Reference as Wanted};
use catalog::slot::Slot;
use strsim::damerau_levenshtein;

use super::conductor::{PROTOCOLS, Remedy};

/// A reference in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// What a finding shows.
    pub(super) text: String,
    /// The components that it can mean, to be tried in this order.
    pub(super) meanings: Vec<Meaning>,
    /// How another reference is spelled at this place.
    pub(super) spelling: Remedy,
    /// What the reader does with it, if it does not load the component.
    pub(super) effect: Option<Effect>,
}

/// What a reader does with a text that names a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It takes it for text.
    Text(Remedy),
    /// It takes it for text because of the line break behind it.
    Folded,
    /// It reads another binding.
    OtherBinding,
    /// It loads it only if the agent itself comes from `loadMemberConfig`.
    MemberConfig,
    /// It takes the agent of the project.
    LocalAgent,
    /// Its template engine loads no components.
    NoLoader(String),
    /// It fails: the text is not of the form that it needs.
    Malformed(String),
}

/// What is known of the components and of the project.
pub(super) struct Known<'a> {
    /// The types with which a reference can begin.
    pub(super) types: BTreeSet<String>,
    /// The operations of the project's agents by name.
    pub(super) agents: BTreeMap<String, String>,
    /// Whether there is such a component.
    pub(super) exists: &'a dyn Fn(&Meaning) -> bool,
}

/// A text that is spelled like a reference.
pub(super) struct Named {
    /// The key by which Conductor would look for it.
    pub(super) key: String,
    /// Whether it names a version, a slot or a range.
    pub(super) is_versioned: bool,
}

/// `prompts/extraction@production` with one of the types; also `prompts/extraction` and
/// `components/prompts/extraction/v1.0.0`.
pub(super) fn of_key(text: &str, types: &BTreeSet<String>) -> Option<Named> {
    if text.is_empty() || text.len() > 512 || text.contains('\n') {
        return None;
    }
    let bare = text.strip_prefix(keys::TREE).unwrap_or(text);
    let (kind, rest) = bare.split_once('/')?;
    // `@prompts/extraction` is a package or an alias of a path.
    if kind.starts_with('@') || !is_type(kind, types) || rest.is_empty() || rest.starts_with('/') {
        return None;
    }
    let is_versioned = rest.contains('@') || names_a_version(rest);
    let key = if is_versioned { text.to_owned() } else { latest(text) };
    Some(Named { key, is_versioned })
}

/// `prompt://extraction@production`: the protocol and the path with its reference.
pub(super) fn of_uri<'a>(text: &'a str, types: &BTreeSet<String>) -> Option<(&'a str, &'a str)> {
    let (protocol, path) = text.split_once("://")?;
    let known = PROTOCOLS.contains(&protocol) || protocol == "kv" || types.contains(protocol);
    let is_word = !path.is_empty() && !path.contains(char::is_whitespace);
    (known && is_word && text.len() <= 512).then_some((protocol, path))
}

/// `extraction@production`: one word without a slash that is not an e-mail address.
pub(super) fn of_name(text: &str) -> Option<(&str, &str)> {
    let (name, reference) = text.split_once('@')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let parsed = reference.parse::<Wanted>().ok()?;
    let is_host = matches!(&parsed, Wanted::Slot(_)) && reference.contains('.');
    (!name.is_empty() && name.chars().all(is_plain) && !is_host).then_some((name, reference))
}

/// The key of what names no version: Conductor takes the latest.
pub(super) fn latest(text: &str) -> String {
    match text.contains('@') {
        true => text.to_owned(),
        false => format!("{text}@{}", Slot::LATEST),
    }
}

/// A reference that is looked for under a key.
pub(super) fn to_key(text: &str, key: &str, spelling: Remedy, effect: Option<Effect>) -> Reference {
    let meanings = keys::meanings(key);
    let malformed = || {
        let why = key.parse::<Address>().err().map(|why| why.to_string());
        Effect::Malformed(why.unwrap_or_else(|| "this is not a reference".to_owned()))
    };
    let effect = if meanings.is_empty() { Some(malformed()) } else { effect };
    Reference { text: text.to_owned(), meanings, spelling, effect }
}

/// A reference to a component without a version.
pub(super) fn to_versions(text: &str, name: &str) -> Reference {
    to_key(text, &format!("{name}/{}", keys::VERSIONS), Remedy::Name, None)
}

/// A text that never becomes a reference.
pub(super) fn failing(text: &str, effect: Effect) -> Reference {
    Reference {
        text: text.to_owned(),
        meanings: Vec::new(),
        spelling: Remedy::Key,
        effect: Some(effect),
    }
}

/// Conductor's types, those of the repository, and what is one slip from one of them.
fn is_type(kind: &str, types: &BTreeSet<String>) -> bool {
    types
        .iter()
        .any(|known| kind == known || (kind.len() > 4 && damerau_levenshtein(kind, known) == 1))
}

/// `extraction/v1.0.0`: a slash and a version at the end. The path of a file looks like a slot.
fn names_a_version(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or_default();
    last.parse::<catalog::version::Version>().is_ok() || last == keys::VERSIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> BTreeSet<String> {
        ["prompts", "prompt", "schemas", "schema", "agents", "ensemble"].map(str::to_owned).into()
    }

    #[test]
    fn references_and_texts_that_only_look_like_one() {
        for (text, expected) in [
            ("prompts/a@production", Some(true)),
            ("prompts/a@^1", Some(true)),
            ("promtps/a@production", Some(true)),
            ("components/prompts/a/v1.0.0", Some(true)),
            ("prompts/a/v1.0.0", Some(true)),
            ("prompts/a/_versions", Some(true)),
            ("prompts/a", Some(false)),
            ("./prompts/a@b", None),
            ("actions/checkout@v4", None),
            ("ada@example.com", None),
            ("@scope/prompts@1.0.0", None),
            ("@prompts/extraction", None),
            ("@agents/foo@1.0.0", None),
            ("@ensemble/conductor/testing", None),
            ("~/prompts/a@b", None),
            ("https://example.com/prompts/a@b", None),
            ("mail prompts/a@b to ada", None),
            ("prompts/", None),
            ("", None),
        ] {
            let named = of_key(text, &types());
            assert_eq!(named.map(|named| named.is_versioned), expected, "{text}");
        }
    }

    #[test]
    fn names_are_no_addresses_of_people() {
        assert_eq!(of_name("extraction@v9.9.9"), Some(("extraction", "v9.9.9")));
        assert_eq!(of_name("extraction@production"), Some(("extraction", "production")));
        for text in ["ada@example.com", "write to ada@b", "@scope", "a/b@c", "a"] {
            assert_eq!(of_name(text), None, "{text}");
        }
    }

    #[test]
    fn uris_of_components() {
        let uri = |text| of_uri(text, &types());
        assert_eq!(uri("prompt://a@production"), Some(("prompt", "a@production")));
        assert_eq!(uri("kv://templates/a"), Some(("kv", "templates/a")));
        assert_eq!(uri("agents://a"), Some(("agents", "a")));
        assert_eq!(uri("script://"), None);
        assert_eq!(uri("ftp://a@production"), None);
        assert_eq!(uri("prompt://a is what you write"), None);
    }
}
