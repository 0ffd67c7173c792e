//! Brings objects that a clone lacks from a remote, and changes nothing of the clone.
//!
//! Objects are asked for by their ids, with the least that has to come along. A server
//! that refuses this is asked for whole refs, and one that knows no depth for all of
//! their history.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use gix_hash::ObjectId;

use crate::address::Remote;
use crate::network::{self, Limit, Unanswered};
use crate::object_store::ObjectStore;
use crate::quarantine::Quarantine;
use crate::remote_refs::hide;
use crate::repository::Repository;
use crate::transport;

/// Ids in one fetch: Git's own time for them grows with their square.
const TOGETHER: usize = 8_192;

/// What comes along with the objects that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// What tags lead to, down to commits.
    Commits,
    /// The root folders of the commits too.
    RootTrees,
    /// All of their folders.
    Trees,
}

impl With {
    fn filter(self) -> &'static str {
        match self {
            Self::Commits => "--filter=tree:0",
            Self::RootTrees => "--filter=tree:1",
            Self::Trees => "--filter=blob:none",
        }
    }
}

/// In which way the server lets objects be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Ids,
    Refs,
    Histories,
}

/// Brings objects.
#[derive(Debug)]
pub struct Fetcher {
    repository: Repository,
    remote: Remote,
    /// The full names of all refs that matter, for a server that gives no objects by id.
    refs: Vec<String>,
    store: ObjectStore,
    limit: Limit,
    way: Way,
    /// Whether the refs were brought, after which there is nothing more to ask for.
    exhausted: bool,
    config: Option<Vec<(String, String)>>,
}

/// A fetcher that all share who may need an object.
pub type Supply = Arc<Mutex<Fetcher>>;

/// The fetcher, once nobody else uses it.
pub(crate) fn lock(supply: &Supply) -> MutexGuard<'_, Fetcher> {
    supply.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fetcher {
    /// One that brings objects into `store`; `refs` are the full names of all refs of
    /// the remote that may lead to them.
    pub fn new(
        repository: &Repository,
        remote: Remote,
        refs: Vec<String>,
        store: ObjectStore,
        limit: Limit,
    ) -> Self {
        let repository = repository.clone();
        Self {
            repository,
            remote,
            refs,
            store,
            limit,
            way: Way::Ids,
            exhausted: false,
            config: None,
        }
    }

    /// Brings these objects. Which of them came is seen by asking for them.
    ///
    /// # Errors
    ///
    /// If the remote does not answer, or its answer can't be kept.
    pub fn bring(&mut self, ids: &[ObjectId], with: With) -> Result<()> {
        for ids in ids.chunks(TOGETHER) {
            self.bring_together(ids, with)?;
        }
        Ok(())
    }

    fn bring_together(&mut self, ids: &[ObjectId], with: With) -> Result<()> {
        loop {
            if self.exhausted {
                return Ok(());
            }
            let said = match self.try_way(ids, with) {
                Ok(()) => return Ok(()),
                Err(error) => match error.downcast::<Unanswered>()? {
                    Unanswered::Said(said) => said,
                    other => return Err(self.unreachable(other)),
                },
            };
            match coarser(self.way, &said) {
                Some(way) => self.way = way,
                None => return Err(self.unreachable(Unanswered::Said(said))),
            }
        }
    }

    fn try_way(&mut self, ids: &[ObjectId], with: With) -> Result<()> {
        let ids: Vec<String> = ids.iter().map(ObjectId::to_string).collect();
        let (flags, wanted) = match self.way {
            Way::Ids => (&["--depth=1", with.filter()][..], ids),
            Way::Refs => (&["--depth=1", "--refetch"][..], self.refs.clone()),
            Way::Histories => (&["--refetch"][..], self.refs.clone()),
        };
        for wanted in wanted.chunks(TOGETHER) {
            self.fetch(flags, wanted)?;
        }
        self.exhausted = self.way != Way::Ids;
        Ok(())
    }

    /// A commit's history, `depth` commits deep, with its root folders; the repository
    /// that has it knows where it was cut off.
    pub(crate) fn history(&mut self, tip: ObjectId, depth: u32) -> Result<Quarantine> {
        let depth = format!("--depth={depth}");
        self.fetch(&[&depth, With::RootTrees.filter()], &[tip.to_string()])
    }

    fn fetch(&mut self, flags: &[&str], wanted: &[String]) -> Result<Quarantine> {
        let quarantine = self.quarantine()?;
        let config = match &self.config {
            Some(config) => config,
            None => self.config.insert(transport::entries(&self.repository, &quarantine)),
        };
        let mut command = quarantine.user_command();
        network::restrict(&mut command);
        transport::add(&mut command, config);
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", *setting]));
        command.args(ARGS).args(flags).args(["--stdin", "--end-of-options", &self.remote.name]);
        network::run(&mut command, wanted.join("\n").into_bytes(), self.limit)?;
        self.store.adopt(&quarantine.packs())?;
        Ok(quarantine)
    }

    fn quarantine(&self) -> Result<Quarantine> {
        let Repository { common_dir, work_tree, hash, .. } = &self.repository;
        let objects = self.repository.objects_dir()?;
        let root = work_tree.as_ref().unwrap_or(common_dir);
        Quarantine::make(&self.store, &objects, *hash, root).context("nothing can be fetched")
    }

    fn unreachable(&self, error: Unanswered) -> anyhow::Error {
        let shown = self.remote.shown();
        anyhow::Error::new(hide(error, &self.remote)).context(format!("{shown} sends no objects"))
    }

    /// The store that it fills.
    pub(crate) fn store(&self) -> &ObjectStore {
        &self.store
    }
}

/// Nothing of the user's runs and nothing is offered to the server: what a shallow or a
/// partial clone has does not say that it has what that leads to.
const SETTINGS: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.alternateRefsPrefixes=refs/none/",
    "fetch.negotiationAlgorithm=noop",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "fetch.parallel=1",
    "gc.auto=0",
    "submodule.recurse=false",
];

const ARGS: [&str; 7] = [
    "fetch",
    "--progress",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-show-forced-updates",
];

/// The next way to ask, if what Git said is that the server refuses this one.
fn coarser(way: Way, said: &str) -> Option<Way> {
    let holds = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if holds(&["does not support shallow", "shallow capabilities"]) && way != Way::Histories {
        return Some(Way::Histories);
    }
    let by_id = ["unadvertised object", "not our ref", "allow-tip-sha1", "allow-any-sha1"];
    (way == Way::Ids && holds(&by_id)).then_some(Way::Refs)
}
