//! The readers of all places in Conductor 0.5.3, as data. `docs/conductor.md` has the same table
//! with the reasons; a test compares them.

use super::literal::{Call, Value};

/// The reader of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaceReader {
    /// The value resolver: `type/name@reference` and `type/name` are references, everything
    /// else is text.
    Resolver,
    /// The value resolver or the HTML agent: the operation of the agent is not known.
    Template,
    /// An agent that uses the text as it is.
    Text(Remedy),
    /// The input of the HTML agent: `kv://<key>` is read from the binding `KV`, everything
    /// else is text.
    HtmlInput,
    /// A key in the binding `KV`.
    KvKey,
    /// The layout of the HTML agent: only a URI is loaded.
    Layout,
    /// The script loader: it uses what the project has bundled, whatever the version.
    Bundled,
    /// The executor: it uses the agent of the project, whatever the version.
    LocalAgent,
    /// The project itself.
    Own,
    /// Nothing reads components at this place.
    Nobody,
}

/// The text to write in place of a reference that is taken for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// `prompts/extraction@production`
    Key,
    /// `extraction@production`
    Name,
    /// `template://header@production`
    Uri,
    /// `{{> template://header@production}}`
    Partial,
    /// The key `prompt` with `prompts/extraction@production`
    PromptKey,
    /// `ctx.prompts.get('extraction@production')` in a code agent
    Registry,
}

/// A row of the table: the value of a key.
pub(super) struct KeyRow {
    /// The operation of the agent; `None` for every agent, known or not.
    pub(super) operation: Option<&'static str>,
    /// The last keys that lead to the value.
    pub(super) keys: &'static [&'static str],
    pub(super) reader: PlaceReader,
}

const fn row(
    operation: Option<&'static str>,
    keys: &'static [&'static str],
    reader: PlaceReader,
) -> KeyRow {
    KeyRow { operation, keys, reader }
}

/// The values of YAML, JSON and objects in scripts; the first matching row counts.
pub(super) const KEYS: [KeyRow; 27] = [
    row(Some("think"), &["config", "prompt"], PlaceReader::Resolver),
    row(Some("think"), &["config", "schema"], PlaceReader::Resolver),
    row(Some("think"), &["config", "systemPrompt"], PlaceReader::Text(Remedy::PromptKey)),
    row(Some("think"), &["input", "prompt"], PlaceReader::Text(Remedy::Registry)),
    row(Some("email"), &["input", "template"], PlaceReader::Resolver),
    row(Some("email"), &["input", "html"], PlaceReader::Text(Remedy::Registry)),
    row(Some("sms"), &["input", "body"], PlaceReader::Text(Remedy::Registry)),
    row(Some("html"), &["template", "kv"], PlaceReader::KvKey),
    row(Some("html"), &["template", "inline"], PlaceReader::Text(Remedy::Partial)),
    row(Some("html"), &["config", "template"], PlaceReader::Text(Remedy::Partial)),
    row(Some("html"), &["input", "template"], PlaceReader::HtmlInput),
    row(Some("html"), &["input", "layout"], PlaceReader::Layout),
    row(Some("pdf"), &["html", "template", "kv"], PlaceReader::KvKey),
    row(Some("pdf"), &["html", "template"], PlaceReader::Text(Remedy::Partial)),
    row(Some("pdf"), &["html", "inline"], PlaceReader::Text(Remedy::Registry)),
    row(None, &["script"], PlaceReader::Bundled),
    row(None, &["agent"], PlaceReader::LocalAgent),
    row(None, &["evaluator"], PlaceReader::LocalAgent),
    row(None, &["uses"], PlaceReader::Nobody),
    row(None, &["image"], PlaceReader::Nobody),
    row(None, &["prompt"], PlaceReader::Resolver),
    row(None, &["schema"], PlaceReader::Resolver),
    row(None, &["systemPrompt"], PlaceReader::Text(Remedy::PromptKey)),
    row(None, &["template", "kv"], PlaceReader::KvKey),
    row(None, &["template"], PlaceReader::Template),
    row(None, &["layout"], PlaceReader::Layout),
    row(None, &["component"], PlaceReader::Own),
];

/// The project's own keys whose value can also name a component without a version.
const OWN: [&str; 3] = ["component", "query", "config"];

/// Returns the reader of a value of an agent with this operation.
pub(super) fn reader_of(value: &Value, operation: Option<&str>) -> PlaceReader {
    let fits = |row: &&KeyRow| match row.operation {
        // An object in a script can be anything, unless it says that it is an agent.
        None if value.in_script && operation.is_none() => {
            matches!(row.reader, PlaceReader::Bundled) && ends_with(&value.keys, row.keys)
        }
        None => ends_with(&value.keys, row.keys),
        known => known == operation && ends_with(&value.keys, row.keys),
    };
    KEYS.iter().find(fits).map_or(PlaceReader::Own, |row| row.reader)
}

/// Tells if a value of YAML or JSON can also name a component without a version.
pub(super) fn is_own_key(value: &Value) -> bool {
    !value.in_script && value.keys.last().is_some_and(|key| OWN.contains(&key.as_str()))
}

fn ends_with(keys: &[String], last: &[&str]) -> bool {
    keys.len() >= last.len() && keys.iter().rev().zip(last.iter().rev()).all(|(a, b)| a == b)
}

/// The form in which a call names a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `loadComponent('name@reference', env, type)`; without a type it is a prompt.
    Sdk,
    /// `loadMemberConfig('name@reference', env)`
    Agent,
    /// `listComponentVersions('name', env, type)`
    Versions,
    /// `getComponentDeployment('name', 'slot', env, type)`
    Deployment,
    /// `ctx.schemas.get('name@reference')`
    Registry(&'static str),
    /// `componentRef('type', 'path', 'reference', { fallback })`
    Component,
    /// `versionedAgent('path', 'reference', { fallback })`
    Versioned(&'static str),
    /// `deploymentRef(componentRef(…), 'slot', { fallback })`
    DeploymentRef,
    /// `loader.load('prompt://name@reference')`
    Loader,
    /// `loader.listVersions('prompt', 'path')`
    LoaderVersions,
    /// `resolveValue('type/name@reference', context)`
    Resolver,
    /// `scriptLoader.resolve('script://name@version')`
    Bundled,
    /// `require('module')`, `vi.mock('module')`
    Module,
}

/// The functions, by their last name.
pub(super) const FUNCTIONS: [(&str, Shape); 34] = [
    ("loadComponent", Shape::Sdk),
    ("loadComponentWithMetadata", Shape::Sdk),
    ("loadComponentMetadata", Shape::Sdk),
    ("componentExists", Shape::Sdk),
    ("loadMemberConfig", Shape::Agent),
    ("listComponentVersions", Shape::Versions),
    ("getComponentDeployment", Shape::Deployment),
    ("componentRef", Shape::Component),
    ("versionedAgent", Shape::Versioned("agent")),
    ("versionedEnsemble", Shape::Versioned("ensemble")),
    ("deploymentRef", Shape::DeploymentRef),
    ("resolveValue", Shape::Resolver),
    ("load", Shape::Loader),
    ("loadJSON", Shape::Loader),
    ("invalidateCache", Shape::Loader),
    ("listVersions", Shape::LoaderVersions),
    ("require", Shape::Module),
    ("mock", Shape::Module),
    ("doMock", Shape::Module),
    ("unmock", Shape::Module),
    ("doUnmock", Shape::Module),
    ("dontMock", Shape::Module),
    ("deepUnmock", Shape::Module),
    ("setMock", Shape::Module),
    ("unstable_mockModule", Shape::Module),
    ("unstable_unmockModule", Shape::Module),
    ("requireActual", Shape::Module),
    ("requireMock", Shape::Module),
    ("createMockFromModule", Shape::Module),
    ("importActual", Shape::Module),
    ("importMock", Shape::Module),
    ("proxyquire", Shape::Module),
    ("esmock", Shape::Module),
    ("rewire", Shape::Module),
];

/// The registries of an agent's context, with the methods that take a name.
pub(super) const REGISTRIES: [(&str, &[&str]); 7] = [
    ("schemas", &["get", "validate", "isValid", "exists"]),
    ("prompts", &["get", "getWithMetadata", "render", "exists", "listVariables"]),
    ("configs", &["get", "getValue", "getValueOrDefault", "hasPath", "merge", "exists"]),
    ("queries", &["get", "getSql", "exists"]),
    ("scripts", &["get", "getContent", "exists"]),
    ("templates", &["get", "getContent", "render", "exists"]),
    // They are not in 0.5.3, and projects that build on it read them like the others.
    ("tools", &["get", "exists"]),
];

/// Returns the form in which a call names a component, if it names one.
pub(super) fn shape_of(call: &Call) -> Option<Shape> {
    let mut names = call.callee.iter().rev().map(String::as_str);
    let (last, before) = (names.next()?, names.next());
    let first = super::literal::text_of(call, 0).unwrap_or_default();
    match (before, last) {
        (Some("require" | "meta"), "resolve") | (Some("meta"), "glob") => Some(Shape::Module),
        (Some("mock"), "module") | (Some("td"), "replace" | "replaceEsm") => Some(Shape::Module),
        (Some(registry), method) if is_registry(call, registry, method, first) => {
            REGISTRIES.iter().find(|(name, _)| *name == registry).map(|row| Shape::Registry(row.0))
        }
        (Some(loader), "resolve" | "has") if is_script(first) && loader != "registry" => {
            Some(Shape::Bundled)
        }
        (Some("registry" | "components"), "resolve" | "resolveWithMetadata" | "exists") => {
            Some(Shape::Resolver)
        }
        (_, "exists") if first.contains("://") => Some(Shape::Loader),
        // A name as short as this is recognized only by a URI.
        (_, "load") if !first.contains("://") => None,
        _ => FUNCTIONS.iter().find(|(name, _)| *name == last).map(|(_, shape)| *shape),
    }
}

/// Tells if a method belongs to a registry: `prompts.get('x')` may also belong to the script's own
/// `Map`.
fn is_registry(call: &Call, registry: &str, method: &str, name: &str) -> bool {
    let known = REGISTRIES.iter().any(|(of, methods)| *of == registry && methods.contains(&method));
    known && (call.callee.len() > 2 || call.destructured || name.contains('@'))
}

fn is_script(text: &str) -> bool {
    text.starts_with("script://") || text.starts_with("scripts/")
}

/// The protocols of the `ComponentLoader`.
pub(super) const PROTOCOLS: [&str; 7] =
    ["template", "prompt", "query", "config", "script", "schema", "docs"];

/// Tells if the value resolver takes the text for a reference: letters, digits, `-` and `_`
/// with a slash, `@`, then letters, digits, `-` and `.`.
pub(super) fn resolver_sees(text: &str) -> bool {
    let plain = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let (path, reference) = text.split_once('@').unwrap_or((text, "latest"));
    let (first, rest) = path.split_once('/').unwrap_or_default();
    plain(first, "-_") && plain(rest, "-_/") && plain(reference, "-.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that the page names the reader of every place and of every call.
    #[test]
    fn the_documentation_lists_every_place() {
        let page = include_str!("../../../../../docs/conductor.md");
        for KeyRow { operation, keys, .. } in &KEYS {
            let place = format!("`{}`", keys.join("."));
            assert!(page.contains(&place), "{operation:?} {place}");
        }
        let functions = FUNCTIONS.iter().filter(|(_, shape)| *shape != Shape::Module);
        for name in functions.map(|(name, _)| name) {
            assert!(page.contains(&format!("{name}(")), "{name}");
        }
        for (registry, methods) in REGISTRIES {
            assert!(page.contains(&format!("`{registry}`")), "{registry}");
            for method in methods {
                assert!(page.contains(&format!("`{method}`")), "{registry}.{method}");
            }
        }
        for protocol in PROTOCOLS {
            assert!(page.contains(&format!("`{protocol}://`")), "{protocol}");
        }
    }

    #[test]
    fn resolver_sees_only_supported_references() {
        for (text, seen) in [
            ("prompts/a@production", true),
            ("prompts/a-b_c/d@v1.0.0", true),
            ("prompts/a", true),
            ("prompts/a@^1.0", false),
            ("prompts/a@>=1 <2", false),
            ("prompts/a@v1.0.0+b", false),
            ("prompts/a@sha256:00", false),
            ("prompts/a.b@v1.0.0", false),
            ("prompt://a@v1.0.0", false),
            ("a@v1.0.0", false),
            (" prompts/a", false),
        ] {
            assert_eq!(resolver_sees(text), seen, "{text}");
        }
    }
}
