//! The versions in a plan: written as in Git, refused, or kept.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::draft::{After, ComponentDraft};
use crate::plan::stored::{Known, Stored};
use crate::plan::verdict::{self, VersionVerdict};
use crate::plan::write::Write;
use crate::policy::FILE;
use crate::tag::TagTarget;
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::record::{Snapshot, VersionRecord};
use catalog::version::Version;

pub(super) fn plan(draft: &mut ComponentDraft<'_>) {
    for record in draft.desired.versions.values() {
        place(draft, Cow::Borrowed(record));
    }
}

/// Writes a version as Git has it, or refuses it and keeps the version in KV.
pub(super) fn place<'a>(draft: &mut ComponentDraft<'a>, record: Cow<'a, VersionRecord>) {
    let (version, hash) = (record.snapshot.version.clone(), record.hash());
    let key = draft.version_key(&version);
    let verdict = verdict::of_version(&record, hash, draft.actual.versions.get(&version));
    let verdict = draft.take(&key, verdict).map(|verdict| allowed(draft, &version, verdict));
    match verdict {
        None => return,
        Some(VersionVerdict::Conflict(held, digest)) => {
            return conflict(draft, &record, held, digest);
        }
        Some(VersionVerdict::Same) => draft.part.unchanged += 1,
        Some(VersionVerdict::Write(Known::Record(held))) if stays_revoked(draft, &record, held) => {
            let revoked = held.revoked.clone();
            let record = VersionRecord { revoked, ..record.into_owned() };
            return place(draft, Cow::Owned(record));
        }
        Some(VersionVerdict::Write(Known::Record(held)))
            if is_revocation_removed(draft, &record, held) =>
        {
            let revoked = held.revoked.clone();
            refuse_unrevoked(draft, &key, revoked.as_deref().unwrap_or_default());
            let record = VersionRecord { revoked, ..record.into_owned() };
            return place(draft, Cow::Owned(record));
        }
        Some(VersionVerdict::Write(known)) => {
            let before = draft.replaced(&key, known);
            let was = before.as_ref().map(|before| before.snapshot.digest);
            if let Some(was) = was.filter(|was| *was != record.snapshot.digest) {
                draft.warn(&key, format!("its content changes, as was allowed; it was {was:?}"));
            }
            let (name, record) = (draft.name.clone(), Box::new(record.clone().into_owned()));
            draft.part.writes.push(Write::Version { name, record, before });
        }
    }
    draft.part.contents.insert(record.snapshot.digest, record.snapshot.size);
    draft.versions.insert(version, After { hash, record: Some(record) });
}

/// Returns the verdict on a version after applying
/// [`Options::allow_changed`](crate::plan::Options).
fn allowed<'b>(
    draft: &ComponentDraft<'_>,
    version: &Version,
    verdict: VersionVerdict<'b>,
) -> VersionVerdict<'b> {
    let named = (draft.name.clone(), version.clone());
    match verdict {
        VersionVerdict::Conflict(held, _) if draft.rules.options.allow_changed.contains(&named) => {
            VersionVerdict::Write(held.map_or(Known::Absent, Known::Record))
        }
        verdict => verdict,
    }
}

/// Tells if KV has a version as revoked and a mistake in `rollouts.toml` hides what the file
/// says of it.
fn stays_revoked(draft: &ComponentDraft<'_>, record: &VersionRecord, held: &VersionRecord) -> bool {
    let unknown = draft.desired.traffic.keep_revocations;
    unknown && record.revoked.is_none() && held.revoked.is_some()
}

/// Tells if a version is revoked in KV but no longer in Git, and lifting the revocation is not
/// allowed.
fn is_revocation_removed(
    draft: &ComponentDraft<'_>,
    record: &VersionRecord,
    held: &VersionRecord,
) -> bool {
    let is_allowed = draft.rules.options.allow_policy_removal;
    !is_allowed && record.revoked.is_none() && held.revoked.is_some()
}

fn refuse_unrevoked(draft: &mut ComponentDraft<'_>, key: &Key, reason: &str) {
    let what = format!(
        "{FILE} does not revoke it any more, and callers would get it again: it stays revoked \
         ({reason})"
    );
    let help = "put the revocation back; or, if it is meant to go: slotctl sync \
                --allow-policy-removal";
    draft.refuse(key, what, help);
}

fn conflict<'a>(
    draft: &mut ComponentDraft<'a>,
    record: &VersionRecord,
    held: Option<&'a VersionRecord>,
    digest: Digest,
) {
    let Snapshot { version, digest: found, sha, .. } = &record.snapshot;
    let what = format!(
        "a version never changes: Git has {found:?} (commit {}), KV has {digest:?} and keeps it",
        sha.as_str(),
    );
    let help = "restore the tag, or create a new version";
    draft.refuse(&draft.version_key(version), what, help);
    draft.refused.insert(version.clone());
    if let Some(held) = held {
        hold_on(draft, held);
    }
}

/// Keeps a version record as KV has it, with the revocation that Git asks for.
fn hold_on<'a>(draft: &mut ComponentDraft<'a>, held: &'a VersionRecord) {
    let version = held.snapshot.version.clone();
    let reason = draft.desired.traffic.revoked.get(&version);
    let mut record = Cow::Borrowed(held);
    if reason.is_some() && held.revoked.as_ref() != reason {
        record.to_mut().revoked = reason.cloned();
        let (name, now, before) = (
            draft.name.clone(),
            Box::new(record.clone().into_owned()),
            Some(Box::new(held.clone())),
        );
        draft.part.writes.push(Write::Version { name, record: now, before });
    }
    let after = After { hash: record.hash(), record: Some(record) };
    draft.versions.insert(version, after);
}

/// Keeps or deletes the versions that KV has and Git does not have.
pub(super) fn plan_kept(draft: &mut ComponentDraft<'_>) {
    let arms = draft.slots.values().flat_map(|record| record.arms());
    let named: BTreeSet<Version> = arms.map(|arm| arm.snapshot.version.clone()).collect();
    for (version, stored) in &draft.actual.versions {
        if draft.versions.contains_key(version) || draft.refused.contains(version) {
            continue;
        }
        let key = draft.version_key(version);
        let traffic = &draft.desired.traffic;
        let revoked = traffic.revoked.contains_key(version);
        // Callers get the reason of a revocation only if the record is kept.
        let needed = named.contains(version) || revoked || traffic.keep_revocations;
        if !needed && draft.is_untagged(TagTarget::Version(version.clone())) {
            draft.part.deletions.push(key);
            continue;
        }
        let target = TagTarget::Version(version.clone());
        if !draft.rules.all.is_unserved(draft.name, &target) {
            draft.part.kept.push(key.clone());
        }
        let after = match (&stored.metadata, &stored.value) {
            (Some(metadata), Stored::Unread) if !revoked => {
                After { hash: metadata.hash, record: None }
            }
            (_, value) if revoked => {
                let Some(known) = draft.take(&key, value.known()) else { continue };
                if let Some(record) = draft.legible(&key, known) {
                    hold_on(draft, record);
                }
                continue;
            }
            (metadata, value) => {
                let Some(known) = draft.take(&key, value.known()) else { continue };
                let Some(record) = draft.legible(&key, known) else { continue };
                let hash = metadata.as_ref().map_or_else(|| record.hash(), |kept| kept.hash);
                After { hash, record: Some(Cow::Borrowed(record)) }
            }
        };
        draft.versions.insert(version.clone(), after);
    }
}

/// Warns of revocations of versions that do not exist: with a typo, the intended version would
/// still be served.
pub(super) fn warn_of_unknown_revocations(draft: &mut ComponentDraft<'_>) {
    for version in draft.desired.traffic.revoked.keys() {
        let target = TagTarget::Version(version.clone());
        let known = draft.versions.contains_key(version)
            || draft.refused.contains(version)
            || draft.rules.all.is_unserved(draft.name, &target);
        if !known {
            let what = format!("{FILE} revokes a version that does not exist");
            draft.warn(&draft.version_key(version), what);
        }
    }
}
