//! The states of Git and of Workers KV together: the steps that all commands over both share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use catalog::name::ComponentName;
use catalog::record::{RunId, SyncRecord};
use reconcile::desired::Desired;
use reconcile::plan::{Actual, Options, Plan, Planning, PlanningStep};
use reconcile::tag::Prefix;

use crate::args::RepoArgs;
use crate::context::Session;
use crate::output::{Meter, Output, count};
use crate::read::tags::nearest_component;
use crate::read::{Known, Opened, Peeler, ReadPart, ReadProgress, Reading, RepositoryState};
use crate::runs;
use crate::source::{Asking, Certainty, SharedSource};
use crate::store::Store;
use notice::Refused;

/// Reads the repository's tags and, at the same time, lists KV: each waits for something else.
/// The files are read later.
pub(crate) fn look<'a, A>(
    session: &Session<'_, A>,
    args: &'a RepoArgs,
    only: &'a [ComponentName],
    certainty: Certainty,
) -> Result<(GitReader<'a>, KvListing)> {
    let output = session.output;
    // A missing repository is reported before anything is asked.
    let asking = Asking::open(args, only, certainty)?;
    thread::scope(|scope| {
        let read = scope.spawn(|| GitReader::read_tags(&asking, output));
        let listing = KvListing::of(session, only);
        let git = read.join().unwrap_or_else(|_| bail!("reading Git came to an unexpected end"))?;
        Ok((git, listing?))
    })
}

/// A repository whose tags were read.
pub(crate) struct GitReader<'a> {
    repo: &'a Path,
    source: SharedSource,
    opened: Opened<'a>,
    took: Duration,
}

impl<'a> GitReader<'a> {
    /// Chooses the refs that count, and reads the tags.
    pub(crate) fn read_tags(asking: &Asking<'a>, output: &Output) -> Result<Self> {
        let began = Instant::now();
        let mut ahead = Peeler::new(asking.repository.hash);
        let source = asking.ask_meanwhile(output, |own| {
            ahead = Peeler::read_ahead(&asking.repository, own);
        })?;
        let mut git = Self::open(asking.args, asking.only, Arc::new(source))?;
        git.opened = git.opened.with_tags(ahead);
        git.finish_tags(output)?;
        git.took = began.elapsed();
        Ok(git)
    }

    /// Reads the tags of a source.
    pub(crate) fn read_tags_of(
        args: &'a RepoArgs,
        only: &'a [ComponentName],
        source: SharedSource,
        output: &Output,
    ) -> Result<Self> {
        let mut git = Self::open(args, only, source)?;
        git.finish_tags(output)?;
        Ok(git)
    }

    fn open(args: &'a RepoArgs, only: &'a [ComponentName], source: SharedSource) -> Result<Self> {
        let (part, repo) = (ReadPart { only, rollouts: None }, args.repo.as_path());
        let opened = Opened::open(Arc::clone(&source), args.registry.as_deref(), part);
        let opened = opened.with_context(|| unreadable(repo))?;
        Ok(Self { repo, source, opened, took: Duration::ZERO })
    }

    fn finish_tags(&mut self, output: &Output) -> Result<()> {
        let (began, meter) = (Instant::now(), output.meter("tags"));
        let read = self.opened.read_tags(&|progress| show(&meter, progress));
        read.with_context(|| unreadable(self.repo))?;
        self.took = began.elapsed();
        Ok(())
    }

    /// Returns the refs that count.
    pub(crate) fn source(&self) -> &SharedSource {
        &self.source
    }

    /// Returns the state of the repository.
    pub(crate) fn state(&self) -> &RepositoryState {
        self.opened.state()
    }

    /// Reads the files of the tags, except those that are `known` from KV.
    pub(crate) fn read_files(self, known: Option<Known<'_>>, output: &Output) -> Result<Reading> {
        let (began, meter) = (Instant::now(), output.meter("files"));
        let reading = self.opened.read_files(known, &|progress| show(&meter, progress));
        let reading = reading.with_context(|| unreadable(self.repo))?;
        drop(meter);
        let took = self.took + began.elapsed();
        let components = &reading.desired.components;
        let versions: usize = components.values().map(|component| component.versions.len()).sum();
        let slots: usize = components.values().map(|component| component.slots.len()).sum();
        let components = count(components.len(), "component");
        let (versions, slots) = (count(versions, "version"), count(slots, "slot"));
        let whence = self.source.provenance.words();
        let whence = whence.map_or(String::new(), |words| format!("{words}: "));
        output.step_took("git", format_args!("{whence}{components}, {versions}, {slots}"), took);
        Ok(reading)
    }
}

fn show(meter: &Meter, progress: ReadProgress) {
    meter.rename(progress.what);
    meter.begin(progress.total);
    meter.set(progress.done);
}

fn unreadable(repo: &Path) -> String {
    format!("cannot read the repository {}", repo.display())
}

/// The contents of KV, and the time that listing them took.
pub(crate) struct KvListing {
    pub(crate) actual: Actual,
    /// The runs of syncs that were recorded before anything else was listed.
    pub(crate) runs: BTreeMap<RunId, SyncRecord>,
    took: Duration,
}

impl KvListing {
    /// Lists both namespaces, or the keys of these components.
    pub(crate) fn of<A>(session: &Session<'_, A>, only: &[ComponentName]) -> Result<Self> {
        let Session { target, store, output, .. } = session;
        let (began, meter) = (Instant::now(), output.meter("keys listed"));
        target.check()?;
        // The list of a component's keys does not contain the runs.
        let runs = if only.is_empty() { None } else { Some(runs::list(store)?) };
        let actual = store.list(only, &meter)?;
        let runs = runs.unwrap_or_else(|| actual.runs().clone());
        Ok(Self { actual, runs, took: began.elapsed() })
    }

    /// Prints the number of listed keys.
    pub(crate) fn tell<A>(&self, session: &Session<'_, A>) {
        let keys = count(self.actual.listed(), "key");
        session.output.step_took("kv", format_args!("{keys} in {}", session.target), self.took);
    }
}

/// Refuses a component that neither Git nor KV knows: it is probably mistyped.
pub(crate) fn refuse_unknown(
    only: &[ComponentName],
    reading: &Reading,
    actual: &Actual,
) -> Result<()> {
    let desired = &reading.desired;
    let known = |name: &&ComponentName| {
        desired.components.contains_key(*name)
            || desired.unserved.contains_key(*name)
            || reading.logic.iter().any(|tag| tag.name == **name)
            || actual.knows(name)
    };
    match only.iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => {
            let what = "this component exists neither in Git nor in KV";
            let repository = &reading.source.repository;
            let help = match nearest_component(repository, Prefix::Components, name)? {
                Some(near) => format!("did you mean {near}? slotctl tag list {near}"),
                None => "slotctl tag list".to_owned(),
            };
            Err(Refused::new(name.to_string(), what, help).into())
        }
    }
}

/// Makes the plan of a sync, and reads the values that planning asks for.
pub(crate) fn plan(
    desired: &Desired,
    actual: Actual,
    store: &Store<'_>,
    options: &Options,
) -> Result<Plan> {
    let mut step = Planning::begin(desired, actual, options);
    loop {
        let mut planning = match step {
            PlanningStep::Done(plan) => return Ok(plan),
            PlanningStep::Read(planning) => planning,
        };
        let keys = planning.keys().to_vec();
        store.read(&keys, |key, value| planning.supply(key, value))?;
        step = planning.advance();
    }
}
