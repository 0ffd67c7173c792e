//! The registry that edgit keeps: `.edgit/components.json`.
//!
//! Its form is `{"version", "components": {"<name>": {"path", "type"}}, "updated"}`. The keys
//! are names without their type. Unknown members are ignored, and an invalid entry does not
//! affect the others.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::path::{PathError, RepoPath};
use catalog::conductor::singulars;
use catalog::name::ComponentName;

/// The path of a registry in a commit or a work tree.
pub const PATH: &str = ".edgit/components.json";

/// A registry: the path of each component's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    entries: BTreeMap<String, RegistryEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct RegistryEntry {
    path: String,
    kind: String,
}

#[derive(Deserialize)]
struct Wire {
    components: BTreeMap<String, Value>,
}

impl Registry {
    /// Parses a registry.
    ///
    /// # Errors
    ///
    /// The reason as text, if the bytes are not a registry.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        // Windows editors put a byte order mark before JSON, which allows none.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if std::str::from_utf8(bytes).is_err() {
            return Err("it is not UTF-8".to_owned());
        }
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is not the JSON of a registry: {error}"))?;
        let entries = wire.components.into_iter().filter_map(|(name, value)| {
            let member = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((name, RegistryEntry { path: member("path")?, kind: member("type")? }))
        });
        Ok(Self { entries: entries.collect() })
    }

    /// Returns the approximate size of the registry in memory, in bytes.
    pub fn footprint(&self) -> usize {
        // Each entry has about four words of a map node and the headers of its three strings.
        let strings = |(name, entry): (&String, &RegistryEntry)| {
            name.len() + entry.path.len() + entry.kind.len() + 13 * size_of::<usize>()
        };
        self.entries.iter().map(strings).sum()
    }

    /// Returns the path of a component; `None` if no entry has its name and its type.
    pub fn path_of(&self, name: &ComponentName) -> Option<Result<RepoPath, PathError>> {
        let entry = self.entries.get(name.path())?;
        path_in(entry, name)
    }
}

/// The entries of the registries in the history of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    entries: BTreeMap<String, Vec<RegistryEntry>>,
}

impl History {
    /// Adds a registry that is older than those that were added before.
    pub fn add(&mut self, older: Registry) {
        for (name, entry) in older.entries {
            let known = self.entries.entry(name).or_default();
            if !known.contains(&entry) {
                known.push(entry);
            }
        }
    }

    /// Returns the paths that a component had, newest first. Entries with a refused path are
    /// skipped, because an old mistake does not affect later versions.
    pub fn paths_of(&self, name: &ComponentName) -> Vec<RepoPath> {
        let entries = self.entries.get(name.path()).into_iter().flatten();
        entries.filter_map(|entry| path_in(entry, name)?.ok()).collect()
    }
}

/// Returns the path of an entry if it belongs to the component.
///
/// edgit writes paths in the form of the system that it runs on, so a registry from Windows has
/// a backslash between folders.
fn path_in(entry: &RegistryEntry, name: &ComponentName) -> Option<Result<RepoPath, PathError>> {
    let path = || RepoPath::parse(entry.path.replace('\\', "/").as_bytes());
    fits(&entry.kind, name.type_name()).then(path)
}

/// Tells if an entry's type (singular) is the tag's type (plural).
fn fits(kind: &str, plural: &str) -> bool {
    kind == plural || singulars(plural).iter().any(|singular| singular == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(json: &str, name: &str) -> Option<String> {
        let registry = Registry::parse(json.as_bytes()).unwrap();
        let path = registry.path_of(&name.parse().unwrap())?;
        Some(path.map_or_else(|error| error.to_string(), |path| path.as_str().to_owned()))
    }

    #[test]
    fn an_entry_counts_only_for_its_type() {
        let json = r#"{"version":"3.0.0","components":{
            "extraction":{"path":"./prompts/extraction.md","type":"prompt","more":[1]},
            "triage":{"path":"logic/agents/triage.yaml","type":"agent-definition"},
            "top":{"path":"q/top.sql","type":"query"},
            "emails/welcome":{"path":"t/w.hbs","type":"template"},
            "plural":{"path":"p.md","type":"prompts"},
            "out":{"path":"../../etc/passwd","type":"prompt"},
            "windows":{"path":".\\prompts\\x.md","type":"prompt"},
            "windows-out":{"path":"prompts\\..\\..\\x","type":"prompt"},
            "windows-drive":{"path":"C:\\x.md","type":"prompt"},
            "broken":{"path":7,"type":"prompt"},
            "alsobroken":[]
        },"updated":"2026-11-20T23:59:27.512Z"}"#;
        for (name, expected) in [
            ("prompts/extraction", Some("prompts/extraction.md")),
            ("templates/extraction", None),
            ("agents/triage", Some("logic/agents/triage.yaml")),
            ("queries/top", Some("q/top.sql")),
            ("templates/emails/welcome", Some("t/w.hbs")),
            ("prompts/plural", Some("p.md")),
            ("prompts/windows", Some("prompts/x.md")),
            ("prompts/broken", None),
            ("prompts/alsobroken", None),
            ("prompts/absent", None),
        ] {
            assert_eq!(path(json, name).as_deref(), expected, "{name}");
        }
        assert!(path(json, "prompts/out").unwrap().contains("'..'"));
        assert!(path(json, "prompts/windows-out").unwrap().contains("'..'"));
        assert!(path(json, "prompts/windows-drive").unwrap().contains("absolute"));
    }

    #[test]
    fn parse_refuses_invalid_registries() {
        for bytes in [
            &b""[..],
            b"garbage",
            b"[]",
            b"{}",
            b"null",
            b"{\"components\":[]}",
            b"{\"components\":{\"a\":1}",
            b"\xff\xfe{}",
        ] {
            assert!(Registry::parse(bytes).is_err(), "{bytes:?}");
        }
        assert!(Registry::parse(b"\xef\xbb\xbf{\"components\":{}}").is_ok());
        let deep = format!("{{\"components\":{}", "[".repeat(100_000));
        assert!(Registry::parse(deep.as_bytes()).is_err());
    }
}
