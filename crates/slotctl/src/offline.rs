//! Slots by Git alone: the records that a sync would write into an empty KV, made by the same
//! plan, and the targets that they choose for callers.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use catalog::assign::{self, Caller, Decision};
use catalog::name::ComponentName;
use catalog::record::{CatalogRecord, SlotRecord};
use catalog::slot::Slot;
use catalog::timestamp::Timestamp;
use notice::Notice;
use reconcile::desired::Desired;
use reconcile::plan::{Actual, Options, Plan, Planning, PlanningStep, Write};

use crate::args::RepoArgs;
use crate::nearest::{nearest, nearest_file};
use crate::output::Output;
use crate::read::tags::nearest_component;
use crate::read::{self, ReadPart, Reading};
use crate::source::{Asking, Certainty, SharedSource};
use git::Repository;
use notice::Refused;
use reconcile::tag::Prefix;

/// The records of all slots.
pub(crate) type Records = BTreeMap<(ComponentName, Slot), SlotRecord>;

/// Returns the refs for a command that only shows something. Warns of what was not pushed.
pub(crate) fn source(
    args: &RepoArgs,
    only: &[ComponentName],
    output: &Output,
) -> Result<SharedSource> {
    ask(&Asking::open(args, only, Certainty::Wanted)?, output)
}

/// Returns the clone's own refs.
pub(crate) fn own_source(
    args: &RepoArgs,
    only: &[ComponentName],
    output: &Output,
) -> Result<SharedSource> {
    ask(&Asking::offline(args, only)?, output)
}

fn ask(asking: &Asking<'_>, output: &Output) -> Result<SharedSource> {
    let began = Instant::now();
    let source = asking.ask(output)?;
    source.warnings.iter().for_each(|notice| output.warning(notice));
    if let Some(words) = source.provenance.words() {
        output.step("git", words, began);
    }
    Ok(Arc::new(source))
}

/// Reads a part of a source.
pub(crate) fn read(args: &RepoArgs, source: &SharedSource, part: ReadPart<'_>) -> Result<Reading> {
    read::read_part(source, args.registry.as_deref(), part, &|_| {})
        .with_context(|| format!("cannot read the repository {}", args.repo.display()))
}

/// Returns the plan of a sync into an empty KV.
fn plan(desired: &Desired) -> Plan {
    // Nothing is deleted from an empty KV, so the time does not matter.
    let options = Options::at(Timestamp::from_unix(0));
    match Planning::begin(desired, Actual::default(), &options) {
        PlanningStep::Done(plan) => plan,
        // An empty KV has no values to read.
        PlanningStep::Read(_) => Plan::default(),
    }
}

/// Returns the records of all slots, and the refusals.
pub(crate) fn records(desired: &Desired) -> Result<(Records, Vec<Notice>)> {
    let plan = plan(desired);
    let record = |write: Write| match write {
        Write::Slot { name, record, .. } => Some(((name, record.slot.clone()), *record)),
        _ => None,
    };
    Ok((plan.writes.into_iter().filter_map(record).collect(), plan.refused))
}

/// Returns the records of all slots after a sync, and its refusals, if KV has the state `before`.
/// A slot that a mistake freezes stays as it is.
pub(crate) fn records_after(before: &Desired, after: &Desired) -> (Records, Vec<Notice>) {
    let (mut actual, mut values) = (Actual::default(), BTreeMap::new());
    let mut records = Records::new();
    for write in plan(before).writes {
        let key = write.key();
        actual.list(key.namespace(), &key.to_string(), write.metadata());
        values.insert(key, write.record());
        take_slot(&mut records, write);
    }
    let options = Options { allow_policy_removal: true, ..Options::at(Timestamp::from_unix(0)) };
    let mut step = Planning::begin(after, actual, &options);
    let plan = loop {
        let mut planning = match step {
            PlanningStep::Done(plan) => break plan,
            PlanningStep::Read(planning) => planning,
        };
        for key in planning.keys().to_vec() {
            planning.supply(&key, values.get(&key).and_then(Option::as_deref));
        }
        step = planning.advance();
    };
    plan.writes.into_iter().for_each(|write| take_slot(&mut records, write));
    (records, plan.refused)
}

fn take_slot(records: &mut Records, write: Write) {
    if let Write::Slot { name, record, .. } = write {
        records.insert((name, record.slot.clone()), *record);
    }
}

/// Returns the catalog record of each component.
pub(crate) fn catalogs(desired: &Desired) -> BTreeMap<ComponentName, CatalogRecord> {
    let record = |write: Write| match write {
        Write::Catalog { name, record, .. } => Some((name, *record)),
        _ => None,
    };
    plan(desired).writes.into_iter().filter_map(record).collect()
}

/// Returns the record of one slot, or the reason why it does not exist.
pub(crate) fn record_of(
    reading: &Reading,
    name: &ComponentName,
    slot: &Slot,
) -> Result<SlotRecord> {
    let (mut records, refused) = records(&reading.desired)?;
    if let Some(record) = records.remove(&(name.clone(), slot.clone())) {
        return Ok(record);
    }
    let subject = format!("{name}@{slot}");
    let mut known = refused.into_iter().chain(reading.refused.iter().cloned());
    let of_slot = |notice: &Notice| {
        notice.subject == subject
            || notice.what.contains(&subject)
            || notice.subject.ends_with(&format!("{name}/{slot}"))
    };
    if let Some(notice) = known.find(of_slot) {
        return Err(Refused(notice).into());
    }
    let there: Vec<String> = records.keys().map(|(_, slot)| slot.to_string()).collect();
    if there.is_empty() {
        check_known(&reading.source.repository, name)?;
    }
    let help = match nearest(slot.as_str(), there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None if there.is_empty() => "the component has no slots; git fetch --tags".to_owned(),
        None => format!("it has: {}", there.join(", ")),
    };
    Err(Refused::new(subject, "the component has no such slot", help).into())
}

/// Refuses a component without a tag, if the tags of the clone have one with a similar name.
pub(crate) fn check_known(repository: &Repository, name: &ComponentName) -> Result<()> {
    let near = nearest_component(repository, Prefix::Components, name)?;
    near.map_or(Ok(()), |near| {
        let help = format!("did you mean {near}? slotctl tag list {near}");
        Err(Refused::new(name.to_string(), "no tag names this component", help).into())
    })
}

/// Chooses the target for a caller that is known by its version key.
pub(crate) fn decide<'a>(
    name: &ComponentName,
    record: &'a SlotRecord,
    caller: &Caller,
) -> Result<Decision<'a>> {
    // A caller with a key needs no random draw.
    let decided = assign::decide(record, name, caller, &|| 0);
    decided.with_context(|| format!("the weights of {name}@{} are broken", record.slot))
}

/// Reads the keys in a file, one in each line; `-` is stdin. A line without a key is skipped.
pub(crate) fn keys(file: &Path) -> Result<Vec<String>> {
    let mut text = String::new();
    match file.as_os_str() == "-" {
        true => drop(std::io::stdin().read_to_string(&mut text).context("cannot read stdin")?),
        false => {
            text = fs::read_to_string(file).with_context(|| {
                format!("cannot read the keys in {}{}", file.display(), nearest_file(file))
            })?;
        }
    }
    Ok(text.lines().filter_map(assign::version_key).collect())
}
