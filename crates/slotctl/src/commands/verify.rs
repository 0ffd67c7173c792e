//! `slotctl verify`: reads everything back, a batch at a time.

use std::time::Instant;

use anyhow::Result;
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use indicatif::DecimalBytes;
use kv_api::ListedKey;
use notice::Notice;
use reconcile::audit::Audit;
use reconcile::plan::{Actual, without_path};
use serde_json::{Value, json};

use crate::args::VerifyArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Output, count};
use crate::read::{Known, Reading};
use crate::session::GitReader;
use crate::source::{Asking, Certainty};
use crate::store::Store;

/// What was read.
struct Read {
    slots: usize,
    versions: usize,
    catalogs: usize,
    contents: usize,
    bytes: u64,
}

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, VerifyArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let began = Instant::now();
    // 1. What Git says, and which keys there are.
    let target = context.target(&args.target)?;
    let store = Store::new(&target);
    let asking = Asking::open(&args.common, &args.part.only, Certainty::Needed)?;
    let git = GitReader::read_tags(&asking, output)?;
    target.check()?;
    let listed = list(args, &store, output)?;
    let actual = recorded(args, &listed, &store)?;
    let reading = git.read_files(Some(Known::paths(&actual)), output)?;
    let mut audit = Audit::new(&reading.desired);
    for (which, ListedKey { name, metadata }) in listed {
        audit.list(which, &name, metadata);
    }
    // 2. Every record, every content.
    read_records(&store, &mut audit, output)?;
    let read = Read {
        slots: audit.count(|key| matches!(key, Key::Slot(..))),
        versions: audit.count(|key| matches!(key, Key::Version(..))),
        catalogs: audit.count(|key| matches!(key, Key::Catalog(_))),
        contents: audit.contents().len(),
        bytes: read_contents(&store, &mut audit, output)?,
    };
    // 3. What is wrong.
    let findings = audit.findings();
    findings.iter().for_each(|finding| output.finding(finding));
    reading.refused.iter().for_each(|notice| output.refusal(notice));
    tell(output, &read, findings.len(), began);
    let well = findings.is_empty() && reading.refused.is_empty();
    let exit = if well { Exit::Done } else { Exit::Failed };
    if args.common.json {
        output.data(&value(&read, &findings, &reading, exit))?;
    }
    Ok(exit)
}

/// Keys with their namespaces.
type Keys = Vec<(Namespace, ListedKey)>;

/// Lists both namespaces, or what they have of the components that are named.
fn list(args: &VerifyArgs, store: &Store<'_>, output: &Output) -> Result<Keys> {
    let meter = output.meter("keys listed");
    let mut keys = Keys::new();
    store.pages(&args.part.only, &meter, |which, listed| keys.push((which, listed)))?;
    if !args.part.only.is_empty() {
        // They are not under the component's prefix.
        let catalogs = args.part.only.iter().map(|name| Key::Catalog(name.clone()));
        for key in catalogs.chain([Key::Index]) {
            let listed = ListedKey { name: key.to_string(), metadata: None };
            keys.push((Namespace::Components, listed));
        }
    }
    Ok(keys)
}

/// The paths that the version records name.
fn recorded(args: &VerifyArgs, keys: &Keys, store: &Store<'_>) -> Result<Actual> {
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

fn read_records(store: &Store<'_>, audit: &mut Audit<'_>, output: &Output) -> Result<()> {
    let keys = audit.keys();
    let meter = output.meter("records");
    meter.begin(keys.len());
    store.read(&keys, |key, value| {
        audit.read(key, value);
        meter.add(1);
    })?;
    audit.link();
    Ok(())
}

/// Reads every content; returns how many bytes they have.
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

fn tell(output: &Output, read: &Read, findings: usize, began: Instant) {
    let Read { slots, versions, catalogs, contents, bytes } = read;
    let (slots, versions) = (count(*slots, "slot"), count(*versions, "version"));
    let (catalogs, contents) = (count(*catalogs, "catalog"), count(*contents, "content"));
    let what = format!("{slots}, {versions}, {catalogs}, {contents}, {}", DecimalBytes(*bytes));
    let came = match findings {
        0 => "all is well".to_owned(),
        number => format!("{} wrong", count(number, "thing")),
    };
    output.step("verify", format_args!("{what} read back: {came}"), began);
}

fn value(read: &Read, findings: &[Notice], reading: &Reading, exit: Exit) -> Value {
    json!({
        "command": "verify",
        "source": reading.source.provenance.value(),
        "read": {
            "slots": read.slots, "versions": read.versions, "catalogs": read.catalogs,
            "contents": read.contents, "bytes": read.bytes,
        },
        "findings": findings,
        "refused": reading.refused,
        "exit": exit.code(),
    })
}
