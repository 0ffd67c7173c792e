//! Fetches objects that a clone lacks from a remote, without changing the clone.
//!
//! Objects are requested by id, with as few further objects as possible. If a server refuses
//! this, whole refs are requested. If a server does not support depth, their whole history is
//! requested.

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

/// The number of ids in one fetch: the time that Git needs grows with the square of it.
const TOGETHER: usize = 8_192;

/// The objects that are fetched together with the requested ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// The targets of tags, down to commits.
    Commits,
    /// Also the root trees of the commits.
    RootTrees,
    /// All trees of the commits.
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

/// The way in which objects are requested from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Ids,
    Refs,
    Histories,
}

/// Fetches objects from a remote.
#[derive(Debug)]
pub struct Fetcher {
    repository: Repository,
    remote: Remote,
    /// The full names of all refs that matter, for a server that does not serve objects by id.
    refs: Vec<String>,
    store: ObjectStore,
    limit: Limit,
    way: Way,
    /// True if the refs were fetched: nothing more can be requested.
    exhausted: bool,
    config: Option<Vec<(String, String)>>,
}

/// A fetcher that is shared by all readers that may need an object.
pub type Supply = Arc<Mutex<Fetcher>>;

/// Locks the fetcher.
pub(crate) fn lock(supply: &Supply) -> MutexGuard<'_, Fetcher> {
    supply.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fetcher {
    /// Creates a fetcher that stores objects in `store`. `refs` are the full names of all refs
    /// of the remote that may lead to the objects.
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

    /// Fetches these objects. The caller reads them afterwards to see which of them arrived.
    ///
    /// # Errors
    ///
    /// If the remote does not answer, or the objects cannot be stored.
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

    /// Fetches `depth` commits of the history of a commit, with their root trees. The returned
    /// repository records where the history was cut off.
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
        command.args(ARGS).arg(network::UPLOAD_PACK).args(flags);
        command.args(["--stdin", "--end-of-options", &self.remote.name]);
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

    /// Returns the store that the fetcher fills.
    pub(crate) fn store(&self) -> &ObjectStore {
        &self.store
    }
}

/// The settings of a fetch. No program of the user runs, and the server is not told which
/// objects exist: a shallow or partial clone may lack objects that these refer to.
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

/// Returns the next way to try if the message of Git says that the server refuses this one.
fn coarser(way: Way, said: &str) -> Option<Way> {
    let holds = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if holds(&["does not support shallow", "shallow capabilities"]) && way != Way::Histories {
        return Some(Way::Histories);
    }
    let by_id = ["unadvertised object", "not our ref", "allow-tip-sha1", "allow-any-sha1"];
    (way == Way::Ids && holds(&by_id)).then_some(Way::Refs)
}
