//! The slots in a plan: updated from Git and holds, left unchanged, or kept.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::draft::ComponentDraft;
use super::routes::{self, Wanted};
use super::standing;
use crate::plan::describe::traffic;
use crate::plan::stored::Stored;
use crate::plan::value::Held;
use crate::plan::verdict::{self, SlotVerdict};
use crate::plan::write::Write;
use crate::tag::TagTarget;
use catalog::record::Hold;
use catalog::slot::Slot;

pub(super) fn plan(draft: &mut ComponentDraft<'_>) {
    let desired = draft.desired;
    // 1. Find the version of each slot with a tag: by Git, and by what may be served.
    standing::plan(draft);
    // 2. Write every slot that Git has: its traffic is split between these versions.
    let slots: BTreeSet<&Slot> =
        desired.slots.keys().chain(desired.traffic.routes.keys()).collect();
    for slot in &slots {
        match routes::wanted(draft, slot) {
            Some(wanted) => place(draft, slot, wanted),
            None => leave(draft, slot),
        }
    }
    // 3. Keep the slots that only KV has.
    for slot in draft.actual.slots.keys().filter(|slot| !slots.contains(slot)) {
        keep(draft, slot);
    }
}

fn place<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot, Wanted { record, git }: Wanted) {
    let key = draft.slot_key(slot);
    let verdict = verdict::of_slot(&record, draft.actual.slots.get(slot));
    let name = draft.name.clone();
    match draft.take(&key, verdict) {
        None => return,
        Some(SlotVerdict::Same) => draft.part.unchanged += usize::from(record.hold.is_none()),
        Some(SlotVerdict::Write(known)) => {
            let before = draft.replaced(&key, known);
            let record = Box::new(record.clone());
            draft.part.writes.push(Write::Slot { name: name.clone(), record, before });
        }
    }
    if let (Some(_), wanted @ Some(_)) = (&record.hold, git) {
        draft.part.held.push(Held { name, record: record.clone(), wanted });
    }
    draft.slots.insert(slot, Cow::Owned(record));
}

/// Tells if a slot that Git does not have is deleted. It is kept by the hold of a rollback, by
/// a table of `rollouts.toml` whose removal is not allowed, or by a mistake in `rollouts.toml`.
fn goes<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot) -> bool {
    if !draft.is_untagged(TagTarget::Slot(slot.clone())) || draft.is_frozen(slot) {
        return false;
    }
    let Some(record) = draft.present(slot) else {
        return !draft.actual.slots.get(slot).is_some_and(Stored::is_unread);
    };
    if let Some(Hold { reason, by, revoked: None, .. }) = &record.hold {
        let what = format!("it has no tag, but a hold keeps it ({reason}, by {by})");
        draft.warn(&draft.slot_key(slot), what);
        return false;
    }
    if !record.is_routed() || draft.rules.options.allow_policy_removal {
        return true;
    }
    if routes::mended(draft, record).is_some_and(|mended| mended.gone.is_some()) {
        return true;
    }
    routes::refuse_removal(draft, record, None);
    false
}

/// Keeps a slot that Git does not have, unless it is deleted.
fn keep<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot) {
    if goes(draft, slot) {
        draft.part.deletions.push(draft.slot_key(slot));
        return;
    }
    let is_unserved = draft.rules.all.is_unserved(draft.name, &TagTarget::Slot(slot.clone()));
    if !is_unserved && !draft.is_frozen(slot) {
        draft.part.kept.push(draft.slot_key(slot));
    }
    leave(draft, slot);
    // `latest` counts as unserved beside a release that is: it may have no tag of its own.
    if is_unserved && *slot != Slot::latest() {
        say_unserved(draft, slot);
    }
    if is_unserved {
        return;
    }
    let held = draft.slots.get(slot).filter(|record| record.hold.is_some());
    if let Some(record) = held.map(|record| record.as_ref().clone()) {
        let name = draft.name.clone();
        draft.part.held.push(Held { name, record, wanted: None });
    }
}

/// Reports what a slot serves if the version of its tag cannot be served.
fn say_unserved(draft: &mut ComponentDraft<'_>, slot: &Slot) {
    let Some(record) = draft.slots.get(slot) else { return };
    let what =
        format!("the version that its tag names cannot be served: {} stays", traffic(record));
    let help = format!("see what is refused about components/{}/{slot}", draft.name);
    draft.refuse(&draft.slot_key(slot), what, &help);
}

/// Leaves a slot as KV has it, except for versions that are revoked.
fn leave<'a>(draft: &mut ComponentDraft<'a>, slot: &'a Slot) {
    let Some(stored) = draft.actual.slots.get(slot) else { return };
    let key = draft.slot_key(slot);
    let Some(known) = draft.take(&key, stored.known()) else { return };
    let Some(record) = draft.legible(&key, known) else { return };
    let mended = routes::mended(draft, record);
    routes::say_mended(draft, mended.as_ref().unwrap_or(record));
    let Some(mended) = mended else {
        draft.slots.insert(slot, Cow::Borrowed(record));
        return;
    };
    let (name, before) = (draft.name.clone(), Some(Box::new(record.clone())));
    draft.part.writes.push(Write::Slot { name, record: Box::new(mended.clone()), before });
    draft.slots.insert(slot, Cow::Owned(mended));
}
