//! The registry that edgit keeps: `.edgit/components.json`.
//!
//! `{"version", "components": {"<name>": {"path", "type"}}, "updated"}`, keyed by
//! the name without its type. Members that are not known here are ignored, and
//! what is wrong with one entry does not touch the others.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::path::{PathError, RepoPath};
use catalog::conductor::singulars;
use catalog::name::ComponentName;

/// Where a registry lies in a commit or a work tree.
pub const PATH: &str = ".edgit/components.json";

/// A registry: which file each component is.
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
    /// Reads a registry; the error says why it is none.
    ///
    /// # Errors
    ///
    /// The reason as text, if the bytes are not a registry.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        // Windows editors put a byte order mark before JSON, which has none.
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

    /// About what the registry takes in memory, in bytes.
    pub fn footprint(&self) -> usize {
        // Four words of a map's node and two strings' own for each entry.
        let strings = |(name, entry): (&String, &RegistryEntry)| {
            name.len() + entry.path.len() + entry.kind.len() + 13 * size_of::<usize>()
        };
        self.entries.iter().map(strings).sum()
    }

    /// The path of a component; `None` if no entry has its name and its type.
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

    /// The paths that a component had, newest first. Entries whose path is refused are
    /// skipped: an old mistake does not concern later versions.
    pub fn paths_of(&self, name: &ComponentName) -> Vec<RepoPath> {
        let entries = self.entries.get(name.path()).into_iter().flatten();
        entries.filter_map(|entry| path_in(entry, name)?.ok()).collect()
    }
}

/// The path of an entry if it is the component's.
///
/// edgit writes the paths of the system that it runs on, so a backslash separates
/// folders in a registry from Windows.
fn path_in(entry: &RegistryEntry, name: &ComponentName) -> Option<Result<RepoPath, PathError>> {
    let path = || RepoPath::parse(entry.path.replace('\\', "/").as_bytes());
    fits(&entry.kind, name.type_name()).then(path)
}

/// Whether an entry's type, in the singular, is the tag's, in the plural.
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
    fn what_is_no_registry() {
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
