//! Recognizes texts that name a component, and describes the use that their reader makes of them.

use std::collections::{BTreeMap, BTreeSet};

use catalog::conductor::{self as keys, Meaning};
use catalog::nearest::typing_errors;
use catalog::reference::{Address, Reference as Wanted};
use catalog::slot::Slot;

use super::conductor::{PROTOCOLS, Remedy};

/// A reference in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LintReference {
    /// The text that a finding shows.
    pub(super) text: String,
    /// The components that it can mean, to be tried in this order.
    pub(super) meanings: Vec<Meaning>,
    /// The spelling of another reference at this place.
    pub(super) spelling: Remedy,
    /// The effect in the reader, if the reader does not load the component.
    pub(super) effect: Option<Effect>,
}

/// The effect of a text that names a component in its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The reader takes the reference for text.
    Text(Remedy),
    /// The reader takes the reference for text because of the line break after it.
    Folded,
    /// The reader reads another binding.
    OtherBinding,
    /// The reader loads the component only if the agent itself comes from `loadMemberConfig`.
    MemberConfig,
    /// The reader uses the agent of the project.
    LocalAgent,
    /// The reader's template engine loads no components.
    NoLoader(String),
    /// The reader fails: it needs a text of another form.
    Malformed(String),
}

/// The known facts about the components and the project.
pub(super) struct KnownReferences<'a> {
    /// The types with which a reference can begin.
    pub(super) types: BTreeSet<String>,
    /// The operations of the project's agents by name.
    pub(super) agents: BTreeMap<String, String>,
    /// Tells if the component of a meaning exists.
    pub(super) exists: &'a dyn Fn(&Meaning) -> bool,
}

/// A text that is spelled like a reference.
pub(super) struct NamedReference {
    /// The key under which Conductor would look for the component.
    pub(super) key: String,
    /// True if the text names a version, a slot or a range.
    pub(super) is_versioned: bool,
}

/// Reads `prompts/extraction@production` with one of the types; also `prompts/extraction` and
/// `components/prompts/extraction/v1.0.0`.
pub(super) fn of_key(text: &str, types: &BTreeSet<String>) -> Option<NamedReference> {
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
    Some(NamedReference { key, is_versioned })
}

/// Reads `prompt://extraction@production`; returns the protocol and the path with its reference.
pub(super) fn of_uri<'a>(text: &'a str, types: &BTreeSet<String>) -> Option<(&'a str, &'a str)> {
    let (protocol, path) = text.split_once("://")?;
    let known = PROTOCOLS.contains(&protocol) || protocol == "kv" || types.contains(protocol);
    let is_word = !path.is_empty() && !path.contains(char::is_whitespace);
    (known && is_word && text.len() <= 512).then_some((protocol, path))
}

/// Reads `extraction@production`: one word without a slash that is not an e-mail address.
pub(super) fn of_name(text: &str) -> Option<(&str, &str)> {
    let (name, reference) = text.split_once('@')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let parsed = reference.parse::<Wanted>().ok()?;
    let is_host = matches!(&parsed, Wanted::Slot(_)) && reference.contains('.');
    (!name.is_empty() && name.chars().all(is_plain) && !is_host).then_some((name, reference))
}

/// Returns the key of a text. If the text names no version, it is the key of the latest, which
/// Conductor takes.
pub(super) fn latest(text: &str) -> String {
    match text.contains('@') {
        true => text.to_owned(),
        false => format!("{text}@{}", Slot::LATEST),
    }
}

/// Returns a reference that is looked for under a key.
pub(super) fn to_key(
    text: &str,
    key: &str,
    spelling: Remedy,
    effect: Option<Effect>,
) -> LintReference {
    let meanings = keys::meanings(key);
    let malformed = || {
        let why = key.parse::<Address>().err().map(|why| why.to_string());
        Effect::Malformed(why.unwrap_or_else(|| "this is not a reference".to_owned()))
    };
    let effect = if meanings.is_empty() { Some(malformed()) } else { effect };
    LintReference { text: text.to_owned(), meanings, spelling, effect }
}

/// Returns a reference to a component without a version.
pub(super) fn to_versions(text: &str, name: &str) -> LintReference {
    to_key(text, &format!("{name}/{}", keys::VERSIONS), Remedy::Name, None)
}

/// Returns a [`LintReference`] without meanings, for a text that never becomes a reference.
pub(super) fn failing(text: &str, effect: Effect) -> LintReference {
    LintReference {
        text: text.to_owned(),
        meanings: Vec::new(),
        spelling: Remedy::Key,
        effect: Some(effect),
    }
}

/// Tells if a text is one of `types`, Conductor's and the repository's, or one typing error away
/// from one of them.
fn is_type(kind: &str, types: &BTreeSet<String>) -> bool {
    let is_near = |known: &String| kind.len() > 4 && typing_errors(kind, known, 1).is_some();
    types.iter().any(|known| kind == known || is_near(known))
}

/// Tells if a text ends with a slash and a version: `extraction/v1.0.0`. A slot does not count,
/// because the path of a file looks like one.
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
    fn texts_that_only_resemble_references_are_ignored() {
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
    fn email_addresses_are_not_references() {
        assert_eq!(of_name("extraction@v9.9.9"), Some(("extraction", "v9.9.9")));
        assert_eq!(of_name("extraction@production"), Some(("extraction", "production")));
        for text in ["ada@example.com", "write to ada@b", "@scope", "a/b@c", "a"] {
            assert_eq!(of_name(text), None, "{text}");
        }
    }

    #[test]
    fn only_component_uris_are_parsed() {
        let uri = |text| of_uri(text, &types());
        assert_eq!(uri("prompt://a@production"), Some(("prompt", "a@production")));
        assert_eq!(uri("kv://templates/a"), Some(("kv", "templates/a")));
        assert_eq!(uri("agents://a"), Some(("agents", "a")));
        assert_eq!(uri("script://"), None);
        assert_eq!(uri("ftp://a@production"), None);
        assert_eq!(uri("prompt://a is what you write"), None);
    }
}
