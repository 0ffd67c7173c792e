//! The references in the arguments of calls.

use super::conductor::{Remedy, Shape, resolver_sees, shape_of};
use super::literal::{Argument, Call, Value, text_of};
use super::readers::{is_bundled, loader, own, resolver};
use super::reference::{
    Effect, KnownReferences, LintReference, failing, latest, of_uri, to_key, to_versions,
};

/// Returns the reference in the text of an argument, if the text is one.
pub(super) fn read(
    text: &str,
    call: &Call,
    index: usize,
    known: &KnownReferences<'_>,
) -> Option<LintReference> {
    match (shape_of(call), index) {
        (None, _) => own(text, false, known).filter(|_| !is_bundled(text) || reads_kv(call, text)),
        (Some(Shape::Module | Shape::Bundled), _) => None,
        (Some(Shape::Sdk), 0) => sdk(text, call),
        (Some(Shape::Agent), 0) => named(text, "agent"),
        (Some(Shape::Versions), 0) => {
            Some(to_versions(text, &format!("{}/{text}", kind(call, 2)?)))
        }
        (Some(Shape::Deployment), _) => deployment(text, call, index),
        (Some(Shape::Registry(kind)), 0) => registry(text, kind),
        (Some(Shape::Component), _) => component(text, call, index),
        (Some(Shape::Versioned(kind)), _) => versioned(text, kind, call, index),
        (Some(Shape::DeploymentRef), 1) => target(call).map(|target| at(&target, text)),
        (Some(Shape::Loader), 0) => {
            let (protocol, path) = of_uri(text, &known.types)?;
            loader(text, protocol, path, known)
        }
        (Some(Shape::LoaderVersions), 1) => {
            Some(to_versions(text, &format!("{}/{text}", text_of(call, 0)?)))
        }
        (Some(Shape::Resolver), 0) => resolver(text, &Value::default(), known),
        _ => None,
    }
}

/// Tells if a call reads a script from KV, which the project would bundle otherwise.
fn reads_kv(call: &Call, text: &str) -> bool {
    let method = call.callee.last().map(String::as_str);
    !text.contains("://") && matches!(method, Some("get" | "getWithMetadata"))
}

/// Returns the reference of `{ fallback: '1.9.0' }` in a primitive.
pub(super) fn fallback(text: &str, value: &Value, call: &Call) -> Option<LintReference> {
    if value.keys != ["fallback"] {
        return None;
    }
    match shape_of(call)? {
        Shape::Component | Shape::Versioned(_) => component_of(call).map(|name| at(&name, text)),
        Shape::DeploymentRef => target(call).map(|name| at(&name, text)),
        _ => None,
    }
}

/// Returns the type that a call of the SDK names; `prompt` if it names none. `None` if the script
/// computes the type.
fn kind(call: &Call, index: usize) -> Option<&str> {
    match call.arguments.get(index) {
        None => Some("prompt"),
        Some(Argument::Text(kind)) => Some(kind),
        Some(_) => None,
    }
}

fn sdk(text: &str, call: &Call) -> Option<LintReference> {
    named(text, kind(call, 2)?)
}

/// Reads `name@reference`; the SDK needs both parts.
fn named(text: &str, kind: &str) -> Option<LintReference> {
    match text.split_once('@') {
        Some((name, reference)) if !name.is_empty() && !reference.is_empty() => {
            Some(to_key(text, &format!("{kind}/{text}"), Remedy::Name, None))
        }
        _ => {
            let what = format!("the SDK needs name@reference, for example `{text}@latest`");
            Some(failing(text, Effect::Malformed(what)))
        }
    }
}

fn deployment(text: &str, call: &Call, index: usize) -> Option<LintReference> {
    let kind = kind(call, 3)?;
    match (text_of(call, 0), text_of(call, 1), index) {
        (Some(name), Some(slot), 1) => named(&format!("{name}@{slot}"), kind),
        (_, None, 0) => Some(to_versions(text, &format!("{kind}/{text}"))),
        _ => None,
    }
}

/// Reads `ctx.schemas.get('order@v1.0.0')`: the registry puts the type in front and asks the value
/// resolver.
fn registry(text: &str, kind: &str) -> Option<LintReference> {
    // A sentence or a computed text is not a reference.
    if text.is_empty() || text.contains(char::is_whitespace) && !text.contains('@') {
        return None;
    }
    let key = latest(&format!("{kind}/{text}"));
    let (effect, key) = match text.split_once("://") {
        Some((protocol, path)) => (true, latest(&format!("{protocol}/{path}"))),
        None => (!resolver_sees(&key), key),
    };
    let effect = effect.then_some(Effect::Text(Remedy::Name));
    Some(to_key(text, &key, Remedy::Name, effect))
}

fn component(text: &str, call: &Call, index: usize) -> Option<LintReference> {
    match (index, text_of(call, 2)) {
        (2, Some(_)) => component_of(call).map(|name| at(&name, text)),
        (1, None) => component_of(call).map(|name| to_versions(text, &name)),
        _ => None,
    }
}

fn versioned(text: &str, kind: &str, call: &Call, index: usize) -> Option<LintReference> {
    match (index, text_of(call, 1)) {
        (1, Some(_)) => component_of(call).map(|name| at(&name, text)),
        (0, None) => Some(to_versions(text, &format!("{kind}/{text}"))),
        _ => None,
    }
}

/// Returns the component of `componentRef('type', 'path', …)` or `versionedAgent('path', …)`.
fn component_of(call: &Call) -> Option<String> {
    match shape_of(call)? {
        Shape::Component => Some(format!("{}/{}", text_of(call, 0)?, text_of(call, 1)?)),
        Shape::Versioned(kind) => Some(format!("{kind}/{}", text_of(call, 0)?)),
        _ => None,
    }
}

/// Returns the component of the reference that is passed to `deploymentRef`.
fn target(call: &Call) -> Option<String> {
    match call.arguments.first()? {
        Argument::Call(inner) => component_of(inner),
        _ => None,
    }
}

fn at(name: &str, reference: &str) -> LintReference {
    let text = format!("{name}@{reference}");
    to_key(&text, &text, Remedy::Key, None)
}
