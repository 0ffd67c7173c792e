//! Finds the reference of a text at its place.

use super::calls;
use super::conductor::{PROTOCOLS, PlaceReader, Remedy, is_own_key, reader_of};
use super::literal::{Literal, Owner, Place, Value};
use super::readers::{is_bundled, kv, layout, no_protocol, own, resolver, template, unread};
use super::reference::{
    Effect, KnownReferences, LintReference, failing, latest, of_key, of_name, of_uri, to_key,
};

/// Returns the reference of a literal, if it is one.
pub(super) fn read(literal: &Literal, known: &KnownReferences<'_>) -> Option<LintReference> {
    let text = literal.text.as_str();
    match &literal.place {
        Place::Module => None,
        Place::Partial(owner) => partial(text, owner, known),
        Place::Argument { call, index } => calls::read(text, call, *index, known),
        Place::Value(value) => of_value(text, value, known),
        Place::Script => own(text.trim(), false, known).filter(|_| !is_bundled(text)),
    }
}

fn of_value(text: &str, value: &Value, known: &KnownReferences<'_>) -> Option<LintReference> {
    if let Some(found) = value.call.as_ref().and_then(|call| calls::fallback(text, value, call)) {
        return Some(found);
    }
    let operation = operation(&value.owner, known);
    if operation.is_none() && is_file(text) {
        return None;
    }
    match reader_of(value, operation) {
        PlaceReader::Nobody | PlaceReader::Bundled => None,
        PlaceReader::Resolver => resolver(text, value, known),
        PlaceReader::Template => template(text, value, known),
        PlaceReader::Text(remedy) => unread(text, remedy, known),
        PlaceReader::HtmlInput => match text.strip_prefix("kv://") {
            Some(key) => kv(text, key, known),
            None => unread(text, Remedy::Partial, known),
        },
        PlaceReader::KvKey => kv(text, text, known),
        PlaceReader::Layout => layout(text, known),
        PlaceReader::LocalAgent => of_name(text).map(|_| failing(text, Effect::LocalAgent)),
        PlaceReader::Own => {
            own(text.trim(), is_own_key(value), known).filter(|_| !is_bundled(text))
        }
    }
}

/// Tells if a text is a file, such as `schemas/order.json`, unless an agent of Conductor takes it
/// for something else.
fn is_file(text: &str) -> bool {
    !text.contains(['@', ':'])
        && text.rsplit('/').next().is_some_and(|last| {
            let extension = last.rsplit_once('.').map(|(_, extension)| extension);
            extension.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_alphabetic()))
        })
}

/// Returns the operation of the agent that a value configures. A name that is not defined in the
/// project can be the name of one of Conductor's own agents.
fn operation<'a>(owner: &'a Owner, known: &'a KnownReferences<'_>) -> Option<&'a str> {
    let own = owner.operation.as_deref();
    own.or_else(|| {
        let name = owner.agent.as_deref()?.split('@').next()?;
        known.agents.get(name).map(String::as_str).or(match name {
            "email" | "html" | "pdf" | "sms" | "think" => Some(name),
            _ => None,
        })
    })
}

/// Reads `{{> name}}`: a URI is loaded, any other name is that of a registered partial.
fn partial(text: &str, owner: &Owner, known: &KnownReferences<'_>) -> Option<LintReference> {
    let Some((protocol, path)) = of_uri(text, &known.types) else {
        let named = of_key(text, &known.types).filter(|named| named.is_versioned)?;
        let effect = Some(Effect::Text(Remedy::Partial));
        return Some(to_key(text, &named.key, Remedy::Partial, effect));
    };
    if !PROTOCOLS.contains(&protocol) {
        return Some(failing(text, no_protocol(protocol)));
    }
    let effect = match operation(owner, known) {
        Some(operation @ ("email" | "think" | "sms")) => {
            Some(Effect::NoLoader(operation.to_owned()))
        }
        _ => None,
    };
    let key = latest(&format!("{protocol}/{path}"));
    Some(to_key(text, &key, Remedy::Partial, effect))
}
