//! Fetches objects that a clone lacks from a remote, without changing the clone.
//!
//! Objects are requested by id, with as few further objects as possible. If a server refuses
//! this, whole refs are requested. If a server does not support depth, their whole history is
//! requested.

use std::io::{IsTerminal as _, stdin};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result};
use gix_hash::ObjectId;

use crate::address::Remote;
use crate::network::{self, Limit, Unanswered};
use crate::object_store::ObjectStore;
use crate::quarantine::Quarantine;
use crate::remote_refs::hide;
use crate::repository::Repository;
use crate::transport::{self, Entries};

/// The number of ids in one fetch: the time that Git needs grows with the square of it.
const TOGETHER: usize = 8_192;

/// The number of fetches at the same time. Each spends most of its time on waiting for the server.
const AT_ONCE: usize = 3;

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
    config: Option<Entries>,
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
        let mut groups = ids.chunks(TOGETHER);
        // The first fetch finds the way that the server allows.
        if let Some(first) = groups.next() {
            self.bring_together(first, with)?;
        }
        let groups: Vec<&[ObjectId]> = groups.collect();
        let left = match self.way == Way::Ids && groups.len() > 1 && !stdin().is_terminal() {
            true => self.bring_at_once(&groups, with)?,
            // On a terminal, `ssh` may ask for a passphrase, and can do so only once at a time.
            false => groups,
        };
        left.into_iter().try_for_each(|ids| self.bring_together(ids, with))
    }

    /// Fetches groups of objects, several at the same time. Returns the groups that were not
    /// fetched, because the server refused one of them.
    fn bring_at_once<'a>(
        &mut self,
        groups: &[&'a [ObjectId]],
        with: With,
    ) -> Result<Vec<&'a [ObjectId]>> {
        self.read_config()?;
        let (this, queue) = (&*self, Mutex::new(groups.iter().copied()));
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        // Each worker ends at its first failure.
        let work = || {
            while let Some(ids) = next() {
                if let Err(error) = this.fetch_ids(ids, with) {
                    return Some((ids, error));
                }
            }
            None
        };
        let failed: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .filter_map(|worker| worker.join().unwrap_or_else(|cause| resume_unwind(cause)))
                .collect()
        });
        let mut left: Vec<&[ObjectId]> = std::iter::from_fn(next).collect();
        for (ids, error) in failed {
            match error.downcast::<Unanswered>()? {
                Unanswered::Said(_) => left.push(ids),
                other => return Err(self.unreachable(other)),
            }
        }
        Ok(left)
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
        self.read_config()?;
        let flags = match self.way {
            Way::Ids => return self.fetch_ids(ids, with),
            Way::Refs => &["--depth=1", "--refetch"][..],
            Way::Histories => &["--refetch"][..],
        };
        for refs in self.refs.chunks(TOGETHER) {
            self.fetch(flags, refs)?;
        }
        self.exhausted = true;
        Ok(())
    }

    fn fetch_ids(&self, ids: &[ObjectId], with: With) -> Result<()> {
        let ids: Vec<String> = ids.iter().map(ObjectId::to_string).collect();
        self.fetch(&["--depth=1", with.filter()], &ids).map(drop)
    }

    /// Fetches `depth` commits of the history of a commit, with their root trees. The returned
    /// repository records where the history was cut off.
    pub(crate) fn history(&mut self, tip: ObjectId, depth: u32) -> Result<Quarantine> {
        let depth = format!("--depth={depth}");
        self.read_config()?;
        self.fetch(&[&depth, With::RootTrees.filter()], &[tip.to_string()])
    }

    /// Reads the user's configuration of remotes, once.
    fn read_config(&mut self) -> Result<()> {
        if self.config.is_none() {
            let quarantine = self.quarantine()?;
            self.config = Some(transport::entries(&self.repository, &quarantine));
        }
        Ok(())
    }

    fn fetch(&self, flags: &[&str], wanted: &[String]) -> Result<Quarantine> {
        let quarantine = self.quarantine()?;
        let mut command = quarantine.user_command();
        network::restrict(&mut command);
        transport::add(&mut command, self.config.as_deref().unwrap_or_default());
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
