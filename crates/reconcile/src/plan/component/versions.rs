//! The versions: as Git has them, refused, or kept.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{After, Draft};
use crate::plan::Write;
use crate::plan::actual::Stored;
use crate::plan::verdict::{self, Known, VersionVerdict};
use crate::policy::FILE;
use crate::tag::TagTarget;
use catalog::digest::Digest;
use catalog::record::{Snapshot, VersionRecord};
use catalog::version::Version;

impl<'a> Draft<'a> {
    pub(super) fn versions(&mut self) {
        for record in self.desired.versions.values() {
            self.version(Cow::Borrowed(record));
        }
    }

    /// Places a version as Git has it, or refuses it and leaves KV's.
    pub(super) fn version(&mut self, record: Cow<'a, VersionRecord>) {
        let (version, hash) = (record.snapshot.version.clone(), record.hash());
        let key = self.version_key(&version);
        let verdict = verdict::of_version(&record, hash, self.actual.versions.get(&version));
        let verdict = self.take(&key, verdict).map(|verdict| self.allowed(&version, verdict));
        match verdict {
            None => return,
            Some(VersionVerdict::Conflict(held, digest)) => {
                return self.conflict(&record, held, digest);
            }
            Some(VersionVerdict::Same) => self.part.unchanged += 1,
            Some(VersionVerdict::Write(Known::Record(held)))
                if self.stays_revoked(&record, held) =>
            {
                let revoked = held.revoked.clone();
                let record = VersionRecord { revoked, ..record.into_owned() };
                return self.version(Cow::Owned(record));
            }
            Some(VersionVerdict::Write(known)) => {
                let before = self.replaced(&key, known);
                let was = before.as_ref().map(|before| before.snapshot.digest);
                if let Some(was) = was.filter(|was| *was != record.snapshot.digest) {
                    self.warn(&key, format!("its content changes, as was allowed; it was {was:?}"));
                }
                let (name, record) = (self.name.clone(), Box::new(record.clone().into_owned()));
                let by = self.desired.found_by.get(&version).copied();
                self.part.writes.push(Write::Version { name, record, by, before });
            }
        }
        self.part.contents.insert(record.snapshot.digest, record.snapshot.size);
        self.versions.insert(version, After { hash, record: Some(record) });
    }

    /// The verdict on a version, with what the user allowed taken into account.
    fn allowed<'b>(&self, version: &Version, verdict: VersionVerdict<'b>) -> VersionVerdict<'b> {
        let named = (self.name.clone(), version.clone());
        match verdict {
            VersionVerdict::Conflict(held, _)
                if self.rules.options.allow_changed.contains(&named) =>
            {
                VersionVerdict::Write(held.map_or(Known::Absent, Known::Record))
            }
            verdict => verdict,
        }
    }

    /// Whether only KV says any more, because of a mistake in `rollouts.toml`, that
    /// the version is revoked.
    fn stays_revoked(&self, record: &VersionRecord, held: &VersionRecord) -> bool {
        let unknown = self.desired.traffic.keep_revocations;
        unknown && record.revoked.is_none() && held.revoked.is_some()
    }

    fn conflict(
        &mut self,
        record: &VersionRecord,
        held: Option<&'a VersionRecord>,
        digest: Digest,
    ) {
        let Snapshot { version, digest: found, sha, .. } = &record.snapshot;
        let what = format!(
            "a version never changes: Git has {found:?} (commit {}), KV has {digest:?} and keeps it",
            sha.as_str(),
        );
        let help = "put the tag back, or make a new version";
        self.refuse(&self.version_key(version), what, help);
        self.refused.insert(version.clone());
        if let Some(held) = held {
            self.hold_on(held);
        }
    }

    /// Takes over a version's record as KV has it, with what is said of revoking it.
    fn hold_on(&mut self, held: &'a VersionRecord) {
        let version = held.snapshot.version.clone();
        let reason = self.desired.traffic.revoked.get(&version);
        let mut record = Cow::Borrowed(held);
        if reason.is_some() && held.revoked.as_ref() != reason {
            record.to_mut().revoked = reason.cloned();
            let (name, now, before) = (
                self.name.clone(),
                Box::new(record.clone().into_owned()),
                Some(Box::new(held.clone())),
            );
            self.part.writes.push(Write::Version { name, record: now, by: None, before });
        }
        let after = After { hash: record.hash(), record: Some(record) };
        self.versions.insert(version, after);
    }

    /// Takes over the versions that KV has and Git has not, or lets them go.
    pub(super) fn kept_versions(&mut self) {
        let arms = self.slots.values().flat_map(|record| record.arms());
        let named: BTreeSet<Version> = arms.map(|arm| arm.snapshot.version.clone()).collect();
        for (version, stored) in &self.actual.versions {
            if self.versions.contains_key(version) || self.refused.contains(version) {
                continue;
            }
            let key = self.version_key(version);
            let traffic = &self.desired.traffic;
            let revoked = traffic.revoked.contains_key(version);
            // A record that says why a version was revoked is a better answer than none.
            let needed = named.contains(version) || revoked || traffic.keep_revocations;
            if !needed && self.is_untagged(TagTarget::Version(version.clone())) {
                self.part.deletions.push(key);
                continue;
            }
            self.part.kept.push(key.clone());
            let after = match (&stored.metadata, &stored.value) {
                (Some(metadata), Stored::Unread) if !revoked => {
                    After { hash: metadata.hash, record: None }
                }
                (_, value) if revoked => {
                    let Some(known) = self.take(&key, value.known()) else { continue };
                    if let Some(record) = self.legible(&key, known) {
                        self.hold_on(record);
                    }
                    continue;
                }
                (metadata, value) => {
                    let Some(known) = self.take(&key, value.known()) else { continue };
                    let Some(record) = self.legible(&key, known) else { continue };
                    let hash = metadata.as_ref().map_or_else(|| record.hash(), |kept| kept.hash);
                    After { hash, record: Some(Cow::Borrowed(record)) }
                }
            };
            self.versions.insert(version.clone(), after);
        }
    }

    /// Tells of revocations that concern nothing: a slip of the pen leaves the version
    /// that was meant in service.
    pub(super) fn unknown_revocations(&mut self) {
        for version in self.desired.traffic.revoked.keys() {
            let target = TagTarget::Version(version.clone());
            let known = self.versions.contains_key(version)
                || self.refused.contains(version)
                || self.rules.all.is_unserved(self.name, &target);
            if !known {
                let what = format!("{FILE} revokes it, and there is no such version");
                self.warn(&self.version_key(version), what);
            }
        }
    }
}
