//! The state of Workers KV that matters for a release: the formats of its records, and the
//! slots whose callers are sent to several versions.

use anyhow::{Context as _, Result};
use catalog::key::{Key, Namespace};
use catalog::record::{self, FORMAT, FULL_WEIGHT, RecordError, SlotRecord};

use crate::args::ReleaseArgs;
use crate::context::Session;
use notice::Refused;

/// The slots in KV and the format of the records.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct KvSlots {
    /// All slots, as references: `prompts/extraction@production`.
    pub(crate) slots: Vec<String>,
    /// The slots that send their callers to several versions.
    pub(crate) split: Vec<String>,
    /// The highest format among the records.
    pub(crate) format: u32,
}

/// Reads the records of all slots, and the format of the index.
///
/// # Errors
///
/// If KV cannot be read.
pub(crate) fn look(session: &Session<'_, ReleaseArgs>) -> Result<KvSlots> {
    let Session { target, store, output, .. } = session;
    let meter = output.meter("slots");
    target.check()?;
    let mut keys = vec![Key::Index];
    for page in store.namespace(Namespace::Slots).list("") {
        let page = page.context("cannot list the slots in KV")?;
        meter.add(page.len());
        let slots = page.iter().filter_map(|listed| Key::parse(Namespace::Slots, &listed.name));
        keys.extend(slots);
    }
    let mut found = KvSlots::default();
    store.read(&keys, |key, value| found.add(key, value))?;
    found.slots.sort();
    found.split.sort();
    Ok(found)
}

impl KvSlots {
    /// Adds a record. Damaged records are not reported here; `slotctl verify` finds them.
    fn add(&mut self, key: &Key, value: Option<&[u8]>) {
        let Some(value) = value else { return };
        let format = match (key, record::parse::<SlotRecord>(value)) {
            (Key::Slot(..), Ok(record)) => {
                if is_split(&record) {
                    self.split.push(key.to_string());
                }
                record.format
            }
            (_, Err(RecordError::FormatTooHigh { found })) => found,
            _ => 0,
        };
        if matches!(key, Key::Slot(..)) {
            self.slots.push(key.to_string());
        }
        self.format = self.format.max(format);
    }

    /// Refuses a release if this version cannot read the format of the records in KV. A
    /// version that another checkout has uploaded is asked for its format at 0 %.
    pub(crate) fn refuse_newer(&self) -> Result<()> {
        let Self { format, .. } = self;
        if *format <= FORMAT {
            return Ok(());
        }
        Err(Refused::new(
            "records",
            format!("KV holds records of format {format}, this version reads up to {FORMAT}"),
            "release a version that reads them: they were written by a later slotctl",
        )
        .into())
    }

    /// Refuses a release while slots are split: a failure could then be caused by the
    /// component or by the Worker.
    pub(crate) fn refuse_split(&self) -> Result<()> {
        const SHOWN: usize = 5;
        if self.split.is_empty() {
            return Ok(());
        }
        let mut shown = self.split.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if self.split.len() > SHOWN {
            shown = format!("{shown} and {} more", self.split.len() - SHOWN);
        }
        Err(Refused::new(
            shown,
            "callers are sent to several versions, so that a failure could be the component's or \
             the Worker's",
            "finish the rollout first (`slotctl status` shows it), or --allow-split-slots",
        )
        .into())
    }
}

fn is_split(record: &SlotRecord) -> bool {
    record.targets.iter().any(|target| (1..FULL_WEIGHT).contains(&target.weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(found: &mut KvSlots, key: &str, value: &str) {
        found.add(&Key::parse(Namespace::Slots, key).unwrap(), Some(value.as_bytes()));
    }

    fn record(weights: &[u32]) -> String {
        let target = |weight| {
            format!(
                r#"{{"slot":"s{weight}","version":"v1.0.0","digest":"{:064}","size":1,"type":"text/plain","sha":"{:040}","date":"2026-11-20T23:59:27Z","weight":{weight}}}"#,
                0, 0
            )
        };
        let targets = weights.iter().map(target).collect::<Vec<_>>().join(",");
        format!(r#"{{"format":1,"slot":"production","targets":[{targets}]}}"#)
    }

    #[test]
    fn split_slots_and_newer_formats_are_refused() {
        let mut found = KvSlots::default();
        add(&mut found, "prompts/a@production", &record(&[100_000]));
        // A canary with a weight of 0 gets callers only by an override.
        add(&mut found, "prompts/b@production", &record(&[0, 100_000]));
        assert!(found.refuse_newer().is_ok() && found.refuse_split().is_ok(), "{found:?}");
        add(&mut found, "prompts/c@production", &record(&[10_000, 90_000]));
        add(&mut found, "prompts/d@production", "damaged");
        assert_eq!((found.slots.len(), found.format), (4, 1));
        let refused = found.refuse_split().unwrap_err().to_string();
        assert!(refused.starts_with("prompts/c@production: "), "{refused}");
        add(&mut found, "prompts/e@production", r#"{"format":2,"anything":[]}"#);
        let refused = found.refuse_newer().unwrap_err().to_string();
        assert!(refused.contains("format 2, this version reads up to 1"), "{refused}");
    }
}
