//! Finds references as each reader does.

use catalog::conductor::Meaning;
use catalog::reference::Reference as Wanted;

use super::conductor::{PROTOCOLS, Remedy, resolver_sees};
use super::literal::Value;
use super::reference::{
    Effect, KnownReferences, LintReference, failing, latest, of_key, of_name, of_uri, to_key,
};

/// Reads a text of the project's own code: a URI or a key; with `is_whole` also a key without a
/// version.
pub(super) fn own(
    text: &str,
    is_whole: bool,
    known: &KnownReferences<'_>,
) -> Option<LintReference> {
    if let Some((protocol, path)) = of_uri(text, &known.types) {
        return loader(text, protocol, path, known);
    }
    let named = of_key(text, &known.types).filter(|named| named.is_versioned || is_whole)?;
    let found = to_key(text, &named.key, Remedy::Key, None);
    // `templates/logo@2x.png` and `prompts/draft@old.md` are files.
    let is_sure = is_whole
        || names_a_component(text, known)
        || !(found.meanings.is_empty() || has_dotted_slot(&found));
    is_sure.then_some(found)
}

/// Tells if a text names a script. The project bundles its scripts at build time, and their
/// versions are not read.
pub(super) fn is_bundled(text: &str) -> bool {
    text.trim().starts_with("script://") || text.trim().starts_with("scripts/")
}

fn has_dotted_slot(found: &LintReference) -> bool {
    found.meanings.iter().any(|meaning| match meaning {
        Meaning::Content(_, Wanted::Slot(slot)) => slot.as_str().contains('.'),
        _ => false,
    })
}

fn names_a_component(text: &str, known: &KnownReferences<'_>) -> bool {
    let name = text.split('@').next().unwrap_or_default();
    exists(&latest(name), known)
}

fn exists(key: &str, known: &KnownReferences<'_>) -> bool {
    to_key("", key, Remedy::Key, None).meanings.iter().any(|meaning| (known.exists)(meaning))
}

/// Reads a URI as the `ComponentLoader` does.
pub(super) fn loader(
    text: &str,
    protocol: &str,
    path: &str,
    known: &KnownReferences<'_>,
) -> Option<LintReference> {
    match protocol {
        "kv" => kv(text, path, known),
        _ if PROTOCOLS.contains(&protocol) => {
            Some(to_key(text, &latest(&format!("{protocol}/{path}")), Remedy::Uri, None))
        }
        _ => Some(failing(text, no_protocol(protocol))),
    }
}

pub(super) fn no_protocol(protocol: &str) -> Effect {
    let known = PROTOCOLS.map(|known| format!("{known}://")).join(", ");
    Effect::Malformed(format!("the ComponentLoader has no protocol {protocol}://, only {known}"))
}

/// Reads a key in the binding `KV`.
pub(super) fn kv(text: &str, key: &str, known: &KnownReferences<'_>) -> Option<LintReference> {
    let named = of_key(key.trim(), &known.types)?;
    Some(to_key(text, &named.key, Remedy::Partial, Some(Effect::OtherBinding)))
}

/// Reads a text as the value resolver does: it takes unknown forms for text.
pub(super) fn resolver(
    text: &str,
    value: &Value,
    known: &KnownReferences<'_>,
) -> Option<LintReference> {
    let word = text.trim();
    if let Some((protocol, path)) = of_uri(word, &known.types) {
        let key = if protocol == "kv" { path.to_owned() } else { format!("{protocol}/{path}") };
        of_key(&key, &known.types)?;
        return Some(to_key(word, &latest(&key), Remedy::Key, Some(Effect::Text(Remedy::Key))));
    }
    if let Some(named) = of_key(word, &known.types) {
        let effect = match (resolver_sees(text), resolver_sees(word)) {
            (true, _) => None,
            (false, true) => Some(Effect::Folded),
            (false, false) => Some(Effect::Text(Remedy::Key)),
        };
        return Some(to_key(word, &named.key, Remedy::Key, effect));
    }
    let (name, reference) = of_name(word)?;
    let kind = value.keys.last().filter(|key| known.types.contains(*key))?;
    let key = format!("{kind}/{name}@{reference}");
    let effect = match value.owner.is_document && kind == "prompt" {
        true => Effect::MemberConfig,
        false => Effect::Text(Remedy::Key),
    };
    Some(to_key(word, &key, Remedy::Key, Some(effect)))
}

/// Reads a text of the email agent or of the HTML agent.
pub(super) fn template(
    text: &str,
    value: &Value,
    known: &KnownReferences<'_>,
) -> Option<LintReference> {
    match text.strip_prefix("kv://") {
        Some(key) => kv(text, key, known),
        None => resolver(text, value, known),
    }
}

/// Reads a text that no reader resolves: a finding if it names a component.
pub(super) fn unread(
    text: &str,
    remedy: Remedy,
    known: &KnownReferences<'_>,
) -> Option<LintReference> {
    let word = text.trim();
    let key = match of_uri(word, &known.types) {
        Some(("kv", path)) => latest(path),
        Some((protocol, path)) => latest(&format!("{protocol}/{path}")),
        None => {
            let named = of_key(word, &known.types)?;
            if !named.is_versioned && !exists(&named.key, known) {
                return None;
            }
            named.key
        }
    };
    Some(to_key(word, &key, remedy, Some(Effect::Text(remedy))))
}

/// Reads the layout of a page. A layout that cannot be loaded is left out of the page.
pub(super) fn layout(text: &str, known: &KnownReferences<'_>) -> Option<LintReference> {
    match of_uri(text, &known.types) {
        Some((protocol, path)) if PROTOCOLS.contains(&protocol) => {
            loader(text, protocol, path, known)
        }
        _ => unread(text, Remedy::Uri, known),
    }
}
