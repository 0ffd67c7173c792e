//! The ranges record: the versions among which a range chooses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bytes::{FORMAT, Record, RecordError, write};
use super::listing::CatalogState;
use super::version::VersionRecord;
use crate::digest::Digest;
use crate::range::{Bounds, Range};
use crate::version::Version;

/// `COMPONENTS` `<name>@ranges`: every version with a `SemVer` number that is not revoked, with the
/// digest of its content.
///
/// A catalog record of 10,000 versions has 2.8 MB, and parsing it takes 30 ms. A range needs only
/// the version, whose own record has everything else. So the versions are text in ascending order,
/// in which a range is found by a binary search: `v1.0.0 <64 hex>,v1.1.0 <64 hex>`. Pre-releases are
/// listed separately, because most ranges skip all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangesRecord {
    /// The format of the record.
    pub format: u32,
    /// The versions without a pre-release part.
    releases: String,
    /// The other versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prereleases: String,
}

/// The metadata of a ranges record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangesMetadata {
    /// The digest of the record's bytes.
    pub hash: Digest,
    /// The digest of the versions that the record was made from: see [`RangesMetadata::state`].
    pub versions: Digest,
}

impl RangesMetadata {
    /// Returns the digest of all versions of a component, each given with the hash of its record.
    ///
    /// The metadata of the versions' keys has these hashes, so a listing shows if the record was
    /// made from other versions, also if a `slotctl` that does not know it wrote them.
    pub fn state(versions: BTreeMap<&Version, Digest>) -> Digest {
        CatalogState::new(versions, BTreeMap::new()).hash()
    }
}

impl RangesRecord {
    /// Creates the record of a component with these versions, in any order.
    pub fn new<'a>(versions: impl IntoIterator<Item = &'a VersionRecord>) -> Self {
        let live = versions.into_iter().filter(|record| record.revoked.is_none());
        let named = live.map(|record| (&record.snapshot.version, record.snapshot.digest));
        let sorted: BTreeMap<&Version, Digest> =
            named.filter(|(version, _)| version.semver().is_some()).collect();
        let (releases, prereleases): (Vec<_>, Vec<_>) =
            sorted.into_iter().partition(|(version, _)| version.is_stable());
        Self { format: FORMAT, releases: text(releases), prereleases: text(prereleases) }
    }

    /// Returns the metadata of the key. `versions` is the [`RangesMetadata::state`] of the versions
    /// that the record was made from.
    pub fn metadata(&self, versions: Digest) -> RangesMetadata {
        RangesMetadata { hash: Digest::of(&write(self)), versions }
    }

    /// Returns the highest version in a range, with the digest of its content.
    ///
    /// # Errors
    ///
    /// [`RecordError::Malformed`] if an entry that decides is not a version with its digest.
    pub fn highest_in(&self, range: &Range) -> Result<Option<(Version, Digest)>, RecordError> {
        let mut highest: Option<Entry<'_>> = None;
        for bounds in range.bounds() {
            for found in self.highest_between(bounds)? {
                if highest.as_ref().is_none_or(|highest| found.version > highest.version) {
                    highest = Some(found);
                }
            }
        }
        highest.map(Entry::parsed).transpose()
    }

    /// Returns the highest release of an interval, and its highest pre-releases.
    fn highest_between(&self, bounds: Bounds<'_>) -> Result<Vec<Entry<'_>>, RecordError> {
        let mut found: Vec<Entry<'_>> = Vec::new();
        found.extend(last(&self.releases, |version| bounds.ends_after(version))?);
        for release in bounds.with_prereleases() {
            let is_low = |version: &semver::Version| {
                bounds.ends_after(version) && version.cmp_precedence(&release).is_lt()
            };
            let last = last(&self.prereleases, is_low)?;
            found.extend(last.filter(|entry| is_of(&entry.version, &release)));
        }
        found.retain(|entry| bounds.begins_before(&entry.version));
        Ok(found)
    }

    /// Tells if the record has the version. A commit id is in no range.
    ///
    /// # Errors
    ///
    /// [`RecordError::Malformed`] as for [`RangesRecord::highest_in`].
    pub fn has(&self, version: &Version) -> Result<bool, RecordError> {
        let Some(wanted) = version.semver() else { return Ok(false) };
        let listed = if version.is_stable() { &self.releases } else { &self.prereleases };
        let last = last(listed, |version| version <= wanted)?;
        Ok(last.is_some_and(|entry| entry.version == *wanted))
    }

    /// Returns every version of the record with its digest.
    ///
    /// # Errors
    ///
    /// [`RecordError::Malformed`] if an entry is not a version with its digest, or if the versions
    /// of a list are not in ascending order.
    pub fn versions(&self) -> Result<BTreeMap<Version, Digest>, RecordError> {
        let mut versions = BTreeMap::new();
        for listed in [&self.releases, &self.prereleases] {
            let entries = listed.split(SEPARATOR).filter(|_| !listed.is_empty());
            let entries = entries.map(|text| Entry::parse(text)?.parsed());
            let entries: Vec<(Version, Digest)> = entries.collect::<Result<_, _>>()?;
            if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
                return Err(RecordError::Malformed("its versions are not sorted".to_owned()));
            }
            versions.extend(entries);
        }
        Ok(versions)
    }
}

impl Record for RangesRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

const SEPARATOR: char = ',';

fn text(versions: Vec<(&Version, Digest)>) -> String {
    let entries = versions.into_iter().map(|(version, digest)| format!("{version} {digest}"));
    entries.collect::<Vec<_>>().join(&SEPARATOR.to_string())
}

/// An entry of a list.
struct Entry<'a> {
    version: semver::Version,
    digest: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(text: &'a str) -> Result<Self, RecordError> {
        let parts = text.strip_prefix('v').and_then(|text| text.split_once(' '));
        let (version, digest) = parts.ok_or_else(malformed)?;
        let version = semver::Version::parse(version).map_err(|_| malformed())?;
        Ok(Self { version, digest })
    }

    fn parsed(self) -> Result<(Version, Digest), RecordError> {
        let digest = self.digest.parse().map_err(|_| malformed())?;
        Ok((Version::Release(self.version), digest))
    }
}

fn malformed() -> RecordError {
    RecordError::Malformed("an entry is not a version with its digest".to_owned())
}

/// Returns the last entry of a list for which `is_low` is true: of those up to some entry, and of
/// no later one. A binary search by bytes: it parses only the entries that it meets.
fn last(
    listed: &str,
    is_low: impl Fn(&semver::Version) -> bool,
) -> Result<Option<Entry<'_>>, RecordError> {
    let (mut low, mut high, mut last) = (0, listed.len(), None);
    while low < high {
        let middle = low.midpoint(high);
        let (before, after) =
            listed.get(low..middle).zip(listed.get(middle..high)).ok_or_else(malformed)?;
        let start = before.rfind(SEPARATOR).map_or(low, |at| low + at + 1);
        let end = after.find(SEPARATOR).map_or(high, |at| middle + at);
        let entry = Entry::parse(listed.get(start..end).ok_or_else(malformed)?)?;
        if is_low(&entry.version) {
            last = Some(entry);
            low = end + 1;
        } else {
            high = start;
        }
    }
    Ok(last)
}

/// Tells if a version is a pre-release of `release`.
fn is_of(version: &semver::Version, release: &semver::Version) -> bool {
    let numbers = |version: &semver::Version| (version.major, version.minor, version.patch);
    numbers(version) == numbers(release)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FORMAT, Snapshot, parse};

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn version(version: &str, revoked: bool) -> VersionRecord {
        VersionRecord {
            format: FORMAT,
            snapshot: Snapshot {
                version: version.parse().unwrap(),
                digest: DIGEST.parse().unwrap(),
                size: 0,
                media_type: "text/plain".parse().unwrap(),
                sha: "0".repeat(40).parse().unwrap(),
                date: "2026-11-20T23:59:27Z".parse().unwrap(),
            },
            author: "Ada".to_owned(),
            path: "prompts/a.md".to_owned(),
            revoked: revoked.then(|| "leaks".to_owned()),
        }
    }

    #[test]
    fn records_list_what_a_range_may_choose() {
        let commit = "947e4e2247da185c97ee358273a064bc3e3e0fed";
        let mut versions = ["v1.10.0", commit, "v2.0.0-beta.1", "v1.2.0", "v1.2.0+b"]
            .map(|v| version(v, false))
            .to_vec();
        versions.push(version("v3.0.0", true));
        let record = RangesRecord::new(&versions);
        let text = format!(
            r#"{{"format":1,"releases":"v1.2.0 {DIGEST},v1.2.0+b {DIGEST},v1.10.0 {DIGEST}","prereleases":"v2.0.0-beta.1 {DIGEST}"}}"#
        );
        assert_eq!(String::from_utf8(write(&record)).unwrap(), text);
        assert_eq!(parse(text.as_bytes()), Ok(record.clone()));
        let listed: Vec<String> =
            record.versions().unwrap().keys().map(ToString::to_string).collect();
        assert_eq!(listed, ["v1.2.0", "v1.2.0+b", "v1.10.0", "v2.0.0-beta.1"]);
        for (version, has) in
            [("v1.2.0", true), ("v2.0.0-beta.1", true), ("v3.0.0", false), (commit, false)]
        {
            assert_eq!(record.has(&version.parse().unwrap()), Ok(has), "{version}");
        }
        let empty = RangesRecord::new(&[]);
        assert_eq!(write(&empty), br#"{"format":1,"releases":""}"#);
        assert_eq!(empty.versions().unwrap().len(), 0);
        assert_eq!(empty.highest_in(&"*".parse().unwrap()), Ok(None));
    }

    #[test]
    fn readers_ignore_members_that_they_do_not_know() {
        let text = r#"{"format":1,"releases":"","later":{"a":[1]}}"#;
        assert_eq!(parse(text.as_bytes()), Ok(RangesRecord::new(&[])));
    }

    #[test]
    fn an_entry_that_decides_must_be_a_version_with_its_digest() {
        let range: Range = "*".parse().unwrap();
        for releases in
            ["v1.0.0", "1.0.0 a", "v1.0.0 abc", "v1 a", ",", "\u{fc},\u{fc}", "production a"]
        {
            let text = serde_json::json!({ "format": 1, "releases": releases }).to_string();
            let record: RangesRecord = parse(text.as_bytes()).unwrap();
            assert!(record.highest_in(&range).is_err(), "{releases}");
            assert!(record.versions().is_err(), "{releases}");
        }
        let unsorted = format!("v1.1.0 {DIGEST},v1.0.0 {DIGEST}");
        let text = serde_json::json!({ "format": 1, "releases": unsorted }).to_string();
        assert!(parse::<RangesRecord>(text.as_bytes()).unwrap().versions().is_err());
    }
}
