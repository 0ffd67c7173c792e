//! Which texts are references of Conductor's, and to what.

use std::collections::BTreeSet;

use catalog::conductor::{self, Meaning};
use catalog::slot::Slot;
use strsim::damerau_levenshtein;

use super::literal::Literal;

/// A reference as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// What the file says.
    pub(super) text: String,
    /// The key by which Conductor looks for it.
    pub(super) key: String,
    /// Whether Conductor decides by the text's looks that it is a reference.
    pub(super) by_looks: bool,
}

impl Reference {
    /// What its key can mean.
    pub(super) fn meanings(&self) -> Vec<Meaning> {
        conductor::meanings(&self.key)
    }
}

/// The keys of an ensemble or an agent whose value Conductor resolves.
const RESOLVED: [&str; 6] = ["component", "prompt", "schema", "template", "query", "config"];

/// The functions of Conductor's SDK that take `name@ref`, and the type where the call has none.
const SDK: [(&str, &str); 5] = [
    ("loadComponent(", "prompt"),
    ("loadComponentWithMetadata(", "prompt"),
    ("componentExists(", "prompt"),
    ("loadComponentMetadata(", "prompt"),
    ("loadMemberConfig(", "agent"),
];

/// The reference that a literal is, if it is one; `types` are those that there are.
pub(super) fn read(literal: &Literal, types: &BTreeSet<String>) -> Option<Reference> {
    let text = literal.text.as_str();
    if text.is_empty() || text.len() > 512 || text.contains('\n') {
        return None;
    }
    if let Some(key) = of_uri(text).or_else(|| of_sdk(literal)) {
        return Some(Reference { text: text.to_owned(), key, by_looks: false });
    }
    let bare = text.strip_prefix(conductor::TREE).unwrap_or(text);
    let (kind, rest) = bare.split_once('/')?;
    if !is_type(kind, types) || rest.starts_with('/') {
        return None;
    }
    let resolved = literal.key.as_deref().is_some_and(|key| RESOLVED.contains(&key));
    let versioned = bare.contains('@') || names_a_version(bare);
    if !versioned && !resolved {
        return None;
    }
    let by_looks = literal.key.is_some();
    let key = if versioned { text.to_owned() } else { latest(text) };
    Some(Reference { text: text.to_owned(), key, by_looks })
}

/// The key of what names no version: Conductor takes the latest.
fn latest(text: &str) -> String {
    match text.contains('@') {
        true => text.to_owned(),
        false => format!("{text}@{}", Slot::LATEST),
    }
}

/// Conductor's types, those that there are, and what is a slip away from one.
fn is_type(kind: &str, types: &BTreeSet<String>) -> bool {
    types
        .iter()
        .any(|known| kind == known || (kind.len() > 4 && damerau_levenshtein(kind, known) == 1))
}

/// `prompts/extraction/v1.0.0`: a slash and a version at the end. A path of a file
/// looks like a slot.
fn names_a_version(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or_default();
    last.parse::<catalog::version::Version>().is_ok() || last == conductor::VERSIONS
}

/// `prompt://extraction@production`, of the ComponentLoader.
fn of_uri(text: &str) -> Option<String> {
    const PROTOCOLS: [&str; 7] =
        ["template", "prompt", "query", "config", "script", "schema", "docs"];
    let (protocol, path) = text.split_once("://")?;
    (PROTOCOLS.contains(&protocol) && !path.is_empty())
        .then(|| latest(&format!("{protocol}/{path}")))
}

/// `extraction@production` in a call of Conductor's SDK, whose third argument is the type.
fn of_sdk(literal: &Literal) -> Option<String> {
    let (before, after) = &literal.around;
    let before = before.trim_end();
    let (_, default) = SDK.into_iter().find(|(name, _)| before.ends_with(name))?;
    let (name, reference) = literal.text.split_once('@')?;
    let third = after.split(',').nth(2).unwrap_or_default();
    let quoted = third.split(['\'', '"', '`']).nth(1);
    Some(format!("{}/{name}@{reference}", quoted.unwrap_or(default)))
}

/// Whether Conductor's value resolver takes the text for a reference: letters,
/// digits, `-` and `_` with a slash, `@`, then letters, digits, `-` and `.`.
pub(super) fn conductor_sees(text: &str) -> bool {
    let plain = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let (path, reference) = text.split_once('@').unwrap_or((text, "latest"));
    plain(path, "-_/") && path.contains('/') && plain(reference, "-.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, yaml_key: Option<&str>, around: (&str, &str)) -> Option<String> {
        let types = ["prompts", "prompt", "schemas", "schema"].map(str::to_owned).into();
        let literal = Literal {
            line: 1,
            text: text.to_owned(),
            key: yaml_key.map(str::to_owned),
            around: (around.0.to_owned(), around.1.to_owned()),
        };
        read(&literal, &types).map(|reference| reference.key)
    }

    #[test]
    fn references_and_what_only_looks_like_one() {
        for (text, under, expected) in [
            ("prompts/a@production", None, true),
            ("prompts/a@^1", None, true),
            ("promtps/a@production", None, true),
            ("components/prompts/a/v1.0.0", None, true),
            ("prompts/a/v1.0.0", None, true),
            ("prompts/a/_versions", None, true),
            ("prompts/a", Some("prompt"), true),
            ("prompts/a", Some("description"), false),
            ("prompts/a", None, false),
            ("prompts/a/index.md", None, false),
            ("./prompts/a", Some("prompt"), false),
            ("actions/checkout@v4", Some("uses"), false),
            ("ada@example.com", None, false),
            ("@scope/prompts@1.0.0", None, false),
            ("https://example.com/prompts/a@b", None, false),
            ("mail prompts/a@b to ada", None, false),
            ("", None, false),
        ] {
            assert_eq!(key(text, under, ("", "")).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_and_calls() {
        let uri = |text| key(text, None, ("", ""));
        assert_eq!(uri("prompt://a@production").as_deref(), Some("prompt/a@production"));
        assert_eq!(uri("docs://start").as_deref(), Some("docs/start@latest"));
        assert_eq!(uri("script://"), None);
        assert_eq!(uri("ftp://a@production"), None);
        let call = |after| key("a@v1.0.0", None, ("  const x = await loadComponent(", after));
        assert_eq!(call(", env)").as_deref(), Some("prompt/a@v1.0.0"));
        assert_eq!(call(", env, 'schema')").as_deref(), Some("schema/a@v1.0.0"));
        assert_eq!(key("a@v1.0.0", None, ("log(", ")")), None);
    }

    #[test]
    fn what_conductor_takes_for_a_reference() {
        for (text, seen) in [
            ("prompts/a@production", true),
            ("prompts/a-b_c/d@v1.0.0", true),
            ("prompts/a", true),
            ("prompts/a@^1.0", false),
            ("prompts/a@>=1 <2", false),
            ("prompts/a@v1.0.0+b", false),
            ("prompts/a@sha256:00", false),
            ("prompts/a.b@v1.0.0", false),
        ] {
            assert_eq!(conductor_sees(text), seen, "{text}");
        }
    }
}
