//! The versions: as Git has them, refused, or kept.

use std::borrow::Cow;

use super::{After, Draft};
use crate::digest::Digest;
use crate::plan::Write;
use crate::plan::actual::Stored;
use crate::plan::verdict::{self, Known, VersionVerdict};
use crate::record::{Snapshot, VersionRecord};

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
        match self.take(&key, verdict) {
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
                let (name, record) = (self.name.clone(), Box::new(record.clone().into_owned()));
                self.part.writes.push(Write::Version { name, record, before });
            }
        }
        self.part.contents.insert(record.snapshot.digest, record.snapshot.size);
        self.versions.insert(version, After { hash, record: Some(record) });
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
            self.part.writes.push(Write::Version { name, record: now, before });
        }
        let after = After { hash: record.hash(), record: Some(record) };
        self.versions.insert(version, after);
    }

    /// Takes over the versions that KV has and Git has not.
    pub(super) fn kept_versions(&mut self) {
        for (version, stored) in &self.actual.versions {
            if self.versions.contains_key(version) || self.refused.contains(version) {
                continue;
            }
            let key = self.version_key(version);
            self.part.kept.push(key.clone());
            let revoked = self.desired.traffic.revoked.contains_key(version);
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
}
