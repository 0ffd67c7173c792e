//! The ranges record: the versions among which a range chooses.

use super::catalog_record::version_records;
use super::draft::ComponentDraft;
use crate::plan::stored::Known;
use crate::plan::write::Write;
use catalog::key::Key;
use catalog::record::{RangesMetadata, RangesRecord};

/// Writes the record if it was made from other versions than those after the sync: also if a
/// `slotctl` that does not know the record has changed them since.
pub(super) fn plan(draft: &mut ComponentDraft<'_>) {
    let (stored, key) = (draft.actual.ranges.as_ref(), Key::Ranges(draft.name.clone()));
    let known = || stored.map_or(Ok(Known::Absent), |stored| stored.value.known());
    if draft.versions.is_empty() {
        if draft.rules.options.prune
            && let Some(Known::Record(_) | Known::Unreadable(_)) = draft.take(&key, known())
        {
            draft.part.deletions.push(key);
        }
        return;
    }
    let versions = draft.versions.iter().map(|(version, after)| (version, after.hash));
    let state = RangesMetadata::state(versions.collect());
    let listed = stored.and_then(|stored| stored.metadata.as_ref());
    if listed.is_some_and(|metadata| metadata.versions == state) {
        draft.part.unchanged += 1;
        return;
    }
    let known = draft.take(&key, known());
    let records = version_records(draft);
    if let (Some(known), true) = (known, draft.is_open()) {
        draft.replaced(&key, known);
        let (name, record) = (draft.name.clone(), Box::new(RangesRecord::new(&records)));
        let metadata = record.metadata(state);
        draft.part.writes.push(Write::Ranges { name, record, metadata });
    }
}
