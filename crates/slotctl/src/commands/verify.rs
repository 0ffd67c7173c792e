//! `slotctl verify`: reads all records and contents back from KV, a batch at a time.

use std::time::Instant;

use anyhow::Result;
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use indicatif::DecimalBytes;
use kv_api::ListedKey;
use notice::Notice;
use reconcile::audit::Audit;
use reconcile::plan::{Actual, Options, Plan, Stage, without_path};
use serde_json::{Value, json};

use crate::args::VerifyArgs;
use crate::commands::hold::tell_held;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Output, count};
use crate::read::{Known, Reading};
use crate::session::{self, GitReader};
use crate::source::{Asking, Certainty};
use crate::store::Store;

/// The numbers of keys and bytes that were read.
struct Tallies {
    slots: usize,
    versions: usize,
    catalogs: usize,
    contents: usize,
    bytes: u64,
}

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, VerifyArgs>) -> Result<Exit> {
    let Context { args, output } = *context;
    let began = Instant::now();
    // 1. The tags in Git, and the keys in KV.
    let target = context.target(&args.target)?;
    let session = context.session(&target);
    let store = &session.store;
    let asking = Asking::open(&args.common, &args.part.only, Certainty::Needed)?;
    let git = GitReader::read_tags(&asking, output)?;
    target.check()?;
    let listed = list(args, store, output)?;
    let mut actual = recorded(args, &listed, store)?;
    let reading = git.read_files(Some(Known::paths(&actual)), output)?;
    session::refuse_unknown(&args.part.only, &reading, &actual)?;
    let mut audit = match args.part.only.as_slice() {
        [] => Audit::new(&reading.desired),
        names => Audit::only(&reading.desired, names.iter().cloned()),
    };
    for (which, ListedKey { name, metadata }) in listed {
        audit.list(which, &name, metadata);
    }
    // 2. All records and all contents.
    read_records(store, &mut audit, &mut actual, output)?;
    let read = Tallies {
        slots: audit.count(|key| matches!(key, Key::Slot(..))),
        versions: audit.count(|key| matches!(key, Key::Version(..))),
        catalogs: audit.count(|key| matches!(key, Key::Catalog(_))),
        contents: audit.contents().len(),
        bytes: read_contents(store, &mut audit, output)?,
    };
    // 3. The findings, and the differences from Git.
    let plan = session::plan(&reading.desired, actual, store, &Options::at(session.now()))?;
    let found = VerifiedKey { findings: audit.findings(), reading: &reading, plan: &plan };
    found.tell(output);
    tell(output, &read, &found, began);
    if args.common.json {
        output.data(found.exit(), &value(&read, &found))?;
    }
    Ok(found.exit())
}

/// The findings, and the differences between KV and Git.
struct VerifiedKey<'a> {
    findings: Vec<Notice>,
    reading: &'a Reading,
    plan: &'a Plan,
}

impl VerifiedKey<'_> {
    fn refused(&self) -> impl Iterator<Item = &Notice> {
        self.reading.refused.iter().chain(&self.plan.refused)
    }

    /// Returns the number of findings and refusals.
    fn wrong(&self) -> usize {
        self.findings.len() + self.refused().count()
    }

    fn exit(&self) -> Exit {
        match self.wrong() {
            0 if self.plan.has_drift() => Exit::Drift,
            0 => Exit::Done,
            _ => Exit::Failed,
        }
    }

    fn tell(&self, output: &Output) {
        self.findings.iter().for_each(|finding| output.finding(finding));
        self.reading.rollouts.misnamed.iter().for_each(|notice| output.warning(notice));
        self.refused().for_each(|notice| output.refusal(notice));
        tell_drift(output, self.plan);
    }
}

/// Keys with their namespaces.
type ListedKeys = Vec<(Namespace, ListedKey)>;

/// Lists the keys of both namespaces, or those of the components that `--only` names.
fn list(args: &VerifyArgs, store: &Store<'_>, output: &Output) -> Result<ListedKeys> {
    let meter = output.meter("keys listed");
    let mut keys = ListedKeys::new();
    store.pages(&args.part.only, &meter, |which, listed| keys.push((which, listed)))?;
    if !args.part.only.is_empty() {
        // Catalogs and the index do not have the component's prefix.
        let catalogs = args.part.only.iter().map(|name| Key::Catalog(name.clone()));
        for key in catalogs.chain([Key::Index]) {
            let listed = ListedKey { name: key.to_string(), metadata: None };
            keys.push((Namespace::Components, listed));
        }
    }
    Ok(keys)
}

/// Lists the keys in an [`Actual`] and reads the version records that are needed for paths.
fn recorded(args: &VerifyArgs, keys: &ListedKeys, store: &Store<'_>) -> Result<Actual> {
    let mut actual = match args.part.only.as_slice() {
        [] => Actual::default(),
        names => Actual::only(names.iter().cloned()),
    };
    for (which, ListedKey { name, metadata }) in keys {
        actual.list(*which, name, metadata.clone());
    }
    store.read(&without_path(&actual), |key, value| actual.read(key, value))?;
    Ok(actual)
}

/// Reads all records. The records of slots are kept for the plan, as in a sync.
fn read_records(
    store: &Store<'_>,
    audit: &mut Audit<'_>,
    actual: &mut Actual,
    output: &Output,
) -> Result<()> {
    let keys = audit.keys();
    let meter = output.meter("records");
    meter.begin(keys.len());
    store.read(&keys, |key, value| {
        audit.read(key, value);
        if matches!(key, Key::Slot(..)) {
            actual.read(key, value);
        }
        meter.add(1);
    })?;
    audit.link();
    Ok(())
}

/// Reads all contents; returns their size in bytes.
fn read_contents(store: &Store<'_>, audit: &mut Audit<'_>, output: &Output) -> Result<u64> {
    let contents = audit.contents();
    let meter = output.meter("contents");
    meter.begin(contents.len());
    let mut bytes = 0;
    store.contents(&contents, |digest, content| {
        bytes += content.map_or(0, |content| content.len() as u64);
        audit.content(digest, content.map(Digest::of));
        meter.add(1);
    })?;
    Ok(bytes)
}

/// Prints the changes that a sync would make, and those that a hold prevents.
fn tell_drift(output: &Output, plan: &Plan) {
    plan.stage(Stage::Slots).for_each(|write| output.say(format_args!("drift: {write}")));
    if !plan.is_empty() {
        let keys = count(plan.writes.len() + plan.deletions.len(), "key");
        output.say(format_args!("drift: {keys} to write"));
        output.hint("slotctl sync");
    }
    tell_held(plan, output);
}

fn tell(output: &Output, read: &Tallies, found: &VerifiedKey<'_>, began: Instant) {
    let Tallies { slots, versions, catalogs, contents, bytes } = read;
    let (slots, versions) = (count(*slots, "slot"), count(*versions, "version"));
    let (catalogs, contents) = (count(*catalogs, "catalog"), count(*contents, "content"));
    let what = format!("{slots}, {versions}, {catalogs}, {contents}, {}", DecimalBytes(*bytes));
    let came = match found.wrong() {
        0 if found.plan.has_drift() => "all of it is whole, but it is not what Git says".to_owned(),
        0 => "no findings".to_owned(),
        number => count(number, "finding"),
    };
    output.step("verify", format_args!("{what} read back: {came}"), began);
}

fn value(read: &Tallies, found: &VerifiedKey<'_>) -> Value {
    json!({
        "source": found.reading.source.provenance.value(),
        "read": {
            "slots": read.slots, "versions": read.versions, "catalogs": read.catalogs,
            "contents": read.contents, "bytes": read.bytes,
        },
        "findings": found.findings,
        "refused": found.refused().collect::<Vec<_>>(),
        "drift": found.plan.has_drift(),
    })
}
