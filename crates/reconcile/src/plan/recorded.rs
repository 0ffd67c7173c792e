//! The path of the file that each version was made from, as Workers KV records it.

use super::actual::{Actual, ActualComponent, StoredVersion};
use super::stored::Stored;
use crate::source::path::RepoPath;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::version::{CommitId, Version};

/// Returns the path that KV records for a component at a commit: the path of the version
/// itself, else the path of the other versions at the commit if these agree.
///
/// A commit never changes, so the path stays right if files or tags move later.
pub fn recorded_path(
    actual: &Actual,
    name: &ComponentName,
    version: &Version,
    commit: &CommitId,
) -> Option<RepoPath> {
    let versions = &actual.components.get(name)?.versions;
    let at_commit = |stored| path_at(stored, commit);
    let own = versions.get(version).and_then(at_commit);
    let path = own.or_else(|| {
        let mut paths = versions.values().filter_map(at_commit);
        let first = paths.next()?;
        paths.all(|path| path == first).then_some(first)
    })?;
    RepoPath::parse(path.as_bytes()).ok().filter(|parsed| parsed.as_str() == path)
}

fn path_at<'a>(stored: &'a StoredVersion, commit: &CommitId) -> Option<&'a str> {
    match (&stored.metadata, &stored.value) {
        (_, Stored::Record(record)) if record.snapshot.sha == *commit => Some(&record.path),
        (Some(metadata), Stored::Unread) if metadata.sha == *commit => {
            metadata.file.as_ref().map(|file| file.path.as_str())
        }
        _ => None,
    }
}

/// Returns the keys of version records whose path is only in their value: records that 0.1.0
/// wrote, and records whose path does not fit into the metadata.
pub fn without_path(actual: &Actual) -> Vec<Key> {
    let lacks_path = |stored: &StoredVersion| {
        let in_metadata = stored.metadata.as_ref().is_some_and(|known| known.file.is_some());
        !in_metadata && matches!(stored.value, Stored::Unread)
    };
    let of = |(name, known): (&ComponentName, &ActualComponent)| {
        let lacking = known.versions.iter().filter(|(_, stored)| lacks_path(stored));
        lacking.map(|(version, _)| Key::Version(name.clone(), version.clone())).collect::<Vec<_>>()
    };
    actual.components.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use catalog::digest::Digest;
    use catalog::key::Namespace;
    use catalog::record::{self, Snapshot, VersionRecord};

    use super::*;

    fn commit(seed: u8) -> CommitId {
        format!("{seed:02x}").repeat(20).parse().unwrap()
    }

    fn record(version: &str, seed: u8, path: &str) -> VersionRecord {
        let digest = Digest::of(path.as_bytes());
        let snapshot = Snapshot {
            version: version.parse().unwrap(),
            digest,
            size: 1,
            media_type: "text/plain".parse().unwrap(),
            sha: commit(seed),
            date: catalog::timestamp::Timestamp::from_unix(0),
        };
        let (format, path) = (record::FORMAT, path.to_owned());
        VersionRecord { format, snapshot, author: String::new(), path, revoked: None }
    }

    fn list(actual: &mut Actual, record: &VersionRecord) {
        let key = format!("p/a@{}", record.snapshot.version);
        let metadata = serde_json::to_value(record.metadata()).unwrap();
        actual.list(Namespace::Components, &key, Some(metadata));
    }

    #[test]
    fn a_commit_keeps_the_path_that_was_recorded_for_it() {
        let mut actual = Actual::default();
        list(&mut actual, &record("v1.0.0", 1, "schemas/order.json"));
        list(&mut actual, &record("v2.0.0", 2, "a.json"));
        list(&mut actual, &record("v2.0.1", 2, "b.json"));
        let path = |version: &str, seed| {
            let (name, version) = ("p/a".parse().unwrap(), version.parse().unwrap());
            let path = recorded_path(&actual, &name, &version, &commit(seed));
            path.map(|path| path.as_str().to_owned())
        };
        assert_eq!(path("v1.0.0", 1).as_deref(), Some("schemas/order.json"));
        assert_eq!(path("v1.0.0", 3), None, "the tag is at another commit now");
        assert_eq!(path("v1.0.1", 1).as_deref(), Some("schemas/order.json"), "a new tag there");
        assert_eq!(path(commit(1).as_str(), 1).as_deref(), Some("schemas/order.json"));
        assert_eq!(path("v2.0.0", 2).as_deref(), Some("a.json"));
        assert_eq!(path("v2.0.2", 2), None, "two files of one commit");
        assert!(without_path(&actual).is_empty());
    }

    #[test]
    fn paths_are_read_from_records_of_the_first_release() {
        let mut actual = Actual::default();
        let old = record("v1.0.0", 1, "a.json");
        let mut metadata = serde_json::to_value(old.metadata()).unwrap();
        metadata.as_object_mut().unwrap().remove("file");
        actual.list(Namespace::Components, "p/a@v1.0.0", Some(metadata));
        let [key] = without_path(&actual).try_into().unwrap();
        actual.read(&key, Some(&record::write(&old)));
        let (name, version) = ("p/a".parse().unwrap(), "v1.0.0".parse().unwrap());
        let path = recorded_path(&actual, &name, &version, &commit(1)).unwrap();
        assert_eq!(path.as_str(), "a.json");
        assert!(without_path(&actual).is_empty());
    }
}
