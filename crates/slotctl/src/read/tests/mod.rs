//! Tests that read whole repositories: every rule of the design's section "Tags".

mod damage;
mod forms;
mod shop;
mod sources;
mod tags;

use std::path::{Path, PathBuf};

use catalog::digest::Digest;
use catalog::version::Version;
use gix_hash::ObjectId;
use notice::Notice;

use super::*;
use crate::args::RepoArgs;
use crate::output::Output;
pub(super) use git::testing::{Repo, run};

/// Returns the repository's own refs.
fn source(repo: &Path) -> Result<SharedSource> {
    let args = RepoArgs {
        repo: repo.to_owned(),
        remote: None,
        local_refs: true,
        registry: None,
        json: false,
    };
    crate::offline::own_source(&args, &[], &Output::new(None))
}

#[track_caller]
fn read(repo: &Path) -> Reading {
    read_with(repo, None)
}

/// Reads a repository and checks the rules of every reading: slots lead to versions that exist,
/// and contents match their digests.
#[track_caller]
fn read_with(repo: &Path, registry: Option<&Path>) -> Reading {
    let reading = read_part(&source(repo).unwrap(), registry, ReadPart::default(), &|progress| {
        assert!(progress.done <= progress.total, "{progress:?}");
    })
    .unwrap();
    let mut blobs = open_blobs(&reading.source);
    for (name, component) in &reading.desired.components {
        assert!(!component.versions.is_empty(), "{name}");
        for (slot, state) in &component.slots {
            assert!(component.versions.contains_key(&state.version), "{name}@{slot}");
        }
        for (version, record) in &component.versions {
            assert_eq!(*version, record.snapshot.version);
            let source = &reading.contents[&record.snapshot.digest];
            let bytes = blobs.read(source).unwrap();
            assert_eq!(Digest::of(&bytes), record.snapshot.digest, "{name}@{version}");
            assert_eq!(bytes.len() as u64, record.snapshot.size);
        }
    }
    for notice in reading.warnings.iter().chain(&reading.refused) {
        assert!(notice.help.is_some(), "{notice:?}");
        let text = format!("{}{}", notice.subject, notice.what);
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    reading
}

/// Returns `version=path` of a component, lowest first; commits as their first 7 digits.
fn versions(reading: &Reading, name: &str) -> Vec<String> {
    let component = reading.desired.components.get(&name.parse().unwrap());
    let versions = component.into_iter().flat_map(|component| &component.versions);
    versions.map(|(version, record)| format!("{}={}", short(version), record.path)).collect()
}

/// Returns `slot=version` of a component, `latest` included.
fn slots(reading: &Reading, name: &str) -> Vec<String> {
    let component = reading.desired.components.get(&name.parse().unwrap());
    let slots = component.into_iter().flat_map(|component| &component.slots);
    slots.map(|(slot, state)| format!("{slot}={}", short(&state.version))).collect()
}

fn short(version: &Version) -> String {
    match version {
        Version::Commit(commit) => abbreviated(commit.as_str()).to_owned(),
        release @ Version::Release(_) => release.to_string(),
    }
}

/// Returns the first 7 digits of an id.
fn abbreviated(id: &str) -> &str {
    id.split_at(7).0
}

/// Returns the content of a component's version.
fn content(reading: &Reading, name: &str, version: &str) -> Vec<u8> {
    let component = &reading.desired.components[&name.parse().unwrap()];
    let digest = component.versions[&version.parse().unwrap()].snapshot.digest;
    open_blobs(&reading.source).read(&reading.contents[&digest]).unwrap()
}

fn lines(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(|notice| format!("{}: {}", notice.subject, notice.what)).collect()
}

/// Returns all notices of a reading.
fn all_notices(reading: &Reading) -> Vec<Notice> {
    let mut told = [&reading.warnings[..], &reading.refused[..]].concat();
    told.sort();
    told
}

/// Checks that there are as many notices as expectations, and that each notice has the
/// subject and contains the word of its expectation.
#[track_caller]
fn check(notices: &[Notice], expected: &[(&str, &str)]) {
    let lines = lines(notices);
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (notice, (subject, word)) in notices.iter().zip(expected) {
        assert_eq!(notice.subject, *subject, "{lines:#?}");
        assert!(notice.what.contains(word), "'{word}' in {:?}", notice.what);
    }
}
