//! The nearest existing component, for the refusals of unknown ones.

use catalog::access::Grant;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::nearest::{BUDGET, nearest};
use catalog::record::{self, IndexRecord};
use catalog::refusal::Refusal;
use catalog::slot::Slot;

use super::backend::Backend;
use super::reader::Reader;
use crate::trace::Trace;

/// The largest index record that is searched, in bytes (512 KiB): 10,000 components with
/// names of 50 bytes. A larger one would cost more than the request.
const MAX_INDEX: usize = 512 << 10;

/// Adds to each refusal of an unknown component the nearest component that the caller may see.
/// If the index lists the component itself, its catalog record is missing, or not visible yet.
/// Reads the index once. Without the index, the refusals are unchanged.
pub(crate) async fn suggest<'a, B: Backend>(
    reader: &Reader<B>,
    grant: &Grant,
    refusals: impl Iterator<Item = &'a mut Refusal>,
    trace: &mut Trace,
) {
    let is_unknown = |refusal: &&mut Refusal| matches!(refusal, Refusal::ComponentUnknown(..));
    let unknown: Vec<_> = refusals.filter(is_unknown).collect();
    if unknown.is_empty() {
        return;
    }
    let Ok(Some(bytes)) = reader.record(&Key::Index, &mut None, trace).await else { return };
    if bytes.len() > MAX_INDEX {
        return;
    }
    let Ok(index) = record::parse::<IndexRecord>(&bytes) else { return };
    let visible = |(name, slots): &(&ComponentName, Option<&[Slot]>)| {
        grant.sees(name, slots.unwrap_or_default())
    };
    let seen: Vec<&str> = index.entries().filter(visible).map(|(name, _)| name.as_str()).collect();
    let mut budget = BUDGET;
    for refusal in unknown {
        let Refusal::ComponentUnknown(name, place) = refusal else { continue };
        if seen.contains(&name.as_str()) {
            *refusal = Refusal::RecordMissing(Key::Catalog(name.clone()));
            continue;
        }
        let found = nearest(name.as_str(), seen.iter().copied(), &mut budget);
        *place = found.and_then(|name| name.parse().ok());
    }
}
