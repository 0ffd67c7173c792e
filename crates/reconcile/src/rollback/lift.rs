//! The end of a hold before Git agrees: the slot follows Git again.

use std::collections::BTreeMap;

use super::Present;
use crate::history::Attribution;
use crate::plan::Write;
use catalog::name::ComponentName;
use catalog::record::{CatalogRecord, SlotRecord};

/// Returns the writes that replace slot records and record their moves. `changed` has the
/// records before and after.
pub fn lift(
    name: &ComponentName,
    catalog: Option<CatalogRecord>,
    changed: &[(&SlotRecord, SlotRecord)],
    by: &Attribution,
) -> Vec<Write> {
    let present = Present { name: name.clone(), slots: BTreeMap::new(), catalog };
    let slots = changed.iter().map(|(before, now)| present.write(before, now));
    slots.chain(present.catalog_write(changed, by)).collect()
}
