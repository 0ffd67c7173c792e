//! Records as KV may hold them: read, written, read again, and decided with.
#![no_main]

use std::fmt::Debug;

use catalog::assign::{Caller, decide as assigned};
use catalog::explain::Explanation;
use catalog::name::ComponentName;
use catalog::parsed::ParsedRecords;
use catalog::problem::Problem;
use catalog::record::{
    self, CatalogRecord, FORMAT, FULL_WEIGHT, IndexRecord, RangesRecord, Record, RecordError,
    RollbackRun, SlotRecord, SyncRecord, UnreferencedRecord, VersionRecord,
};
use catalog::reference::Reference;
use catalog::resolution::{Found, Question, Resolution};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    read_back::<VersionRecord>(data);
    read_back::<CatalogRecord>(data);
    read_back::<IndexRecord>(data);
    if let Some(ranges) = read_back::<RangesRecord>(data) {
        search(&ranges);
    }
    read_back::<UnreferencedRecord>(data);
    read_back::<SyncRecord>(data);
    read_back::<RollbackRun>(data);
    if let Some(slot) = read_back::<SlotRecord>(data) {
        decide(&slot);
    }
    let name = "prompts/extraction".parse::<ComponentName>().expect("it is a name");
    for reference in ["production", "v1.0.0", "^1", "sha256:"] {
        let digest = "c646043994b7767cf957b60b230034b48bff6d8adabf7030ddb10f4a0d925579";
        let text = if reference.ends_with(':') {
            format!("{reference}{digest}")
        } else {
            reference.into()
        };
        let reference = text.parse::<Reference>().expect("it is a reference");
        resolve(data, &name, reference);
    }
});

fn read_back<T>(data: &[u8]) -> Option<T>
where
    T: Record + serde::Serialize + PartialEq + Debug,
{
    match record::parse::<T>(data) {
        Ok(parsed) => {
            let written = record::write(&parsed);
            assert_eq!(record::parse::<T>(&written).as_ref(), Ok(&parsed));
            Some(parsed)
        }
        Err(RecordError::FormatTooHigh { found }) => {
            assert!(found > FORMAT);
            None
        }
        Err(RecordError::Malformed(_)) => None,
    }
}

fn decide(slot: &SlotRecord) {
    let name = "prompts/extraction".parse().expect("it is a name");
    for draw in [0, 1 << 31, u32::MAX] {
        let decision =
            assigned(slot, &name, &Caller::default(), &|| draw).expect("a target is there");
        assert!(decision.point.is_none_or(|point| point < FULL_WEIGHT));
        assert!(slot.targets.iter().any(|target| target.arm == *decision.arm && target.weight > 0));
    }
    for group in slot.segments.keys() {
        let caller = Caller { segments: vec![group.clone()], ..Caller::default() };
        let decision = assigned(slot, &name, &caller, &|| 0).expect("a target is there");
        assert_eq!(Some(decision.arm), slot.segments.get(group));
    }
}

/// A version that a range chooses is in the record.
fn search(ranges: &RangesRecord) {
    let Ok(versions) = ranges.versions() else { return };
    for range in ["*", "^1 || 2.0.0-beta - 3", ">=0.0.0-0 <2.0.0-rc.1"] {
        let found =
            ranges.highest_in(&range.parse().expect("it is a range")).expect("it is sorted");
        assert!(found.is_none_or(|(version, _)| versions.contains_key(&version)), "{range}");
    }
}

/// Whatever a record says, a resolution ends, and what is served is explained.
fn resolve(data: &[u8], name: &ComponentName, reference: Reference) {
    let question = Question { name: name.clone(), reference, caller: Caller::default().into() };
    let mut resolution = Resolution::begin(question);
    for _ in 0..3 {
        match resolution.supply(Ok(Some(data.into())), &|| 7, &ParsedRecords::default()) {
            Ok(None) => {}
            Err(refusal) => {
                let problem = serde_json::to_value(Problem::of(&refusal, "/", "")).expect("JSON");
                return assert_eq!(problem["status"], Value::from(refusal.status()));
            }
            Ok(Some(basis)) => {
                if let (Found::Slot(slot), Some(record)) = (&basis.selected.found, &basis.slot) {
                    let explanation = Explanation::of(&basis.selected, slot, record);
                    assert_eq!(explanation.targets.last().map(|last| last.to), Some(FULL_WEIGHT));
                }
                return;
            }
        }
    }
    panic!("a resolution reads three times at most");
}
