//! Reads the registries of a repository: the file that was named on the command line, the one
//! in the work tree, and those in commits.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use gix_hash::ObjectId;
use notice::Notice;
use reconcile::source::registry::{History, PATH, Registry};

use crate::nearest::nearest_file;
use git::Repository;
use git::command::Git;
use git::objects::{ObjectAnswer, ObjectRequest, Objects};

/// The largest registry that is read, in bytes: some hundred thousand components.
pub(super) const MAX_REGISTRY: u64 = 32 * 1024 * 1024;

/// The number of changes of the registry that are read from the history.
const MAX_HISTORY: usize = 1000;

/// The registries that do not depend on the tagged commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Registries {
    /// The file that was named on the command line.
    pub(super) given: Option<Arc<Registry>>,
    /// The registry in the work tree.
    pub(super) work_tree: Option<Arc<Registry>>,
    /// The tree of HEAD.
    pub(super) head: Option<ObjectId>,
    /// HEAD, from which the history of the registry is read.
    pub(super) tip: Option<ObjectId>,
    /// The registries in the history of HEAD, once they were read.
    pub(super) history: Option<Arc<History>>,
    git: Option<Git>,
    /// Notices of registries that can't be read.
    pub(super) warnings: Vec<Notice>,
}

impl Registries {
    /// Reads the registries that are files. The named one must be readable.
    pub(super) fn open(repository: &Repository, given: Option<&Path>) -> Result<Self> {
        let mut registries = Self { git: Some(repository.git.clone()), ..Self::default() };
        if let Some(path) = given {
            let shown = path.display();
            let registry = read_file(path)
                .and_then(|read| {
                    read.ok_or_else(|| anyhow!("the file does not exist{}", nearest_file(path)))
                })
                .with_context(|| format!("the registry {shown} cannot be read"))?;
            registries.given = Some(Arc::new(registry));
        }
        if let Some(root) = &repository.work_tree {
            match read_file(&root.join(PATH)) {
                Ok(registry) => registries.work_tree = registry.map(Arc::new),
                Err(error) => registries.warn("in the work tree", &format!("{error:#}")),
            }
        }
        Ok(registries)
    }

    /// Reads the registries in the history of HEAD, as far as the clone has them.
    ///
    /// # Errors
    ///
    /// If Git can't be called.
    pub(super) fn read_history(&mut self, objects: &mut Objects) -> Result<()> {
        let mut history = History::default();
        if let (Some(git), Some(tip)) = (&self.git, self.tip) {
            let mut blobs =
                git::changes::contents_of(git, tip, PATH, MAX_HISTORY).unwrap_or_default();
            let mut seen = HashSet::new();
            blobs.retain(|blob| seen.insert(*blob));
            objects.ask(ObjectRequest::Contents(MAX_REGISTRY), &blobs, &mut |_, answer| {
                if let ObjectAnswer::Found { body, .. } = answer
                    && let Ok(registry) = Registry::parse(&body)
                {
                    history.add(registry);
                }
                Ok(())
            })?;
        }
        self.history = Some(Arc::new(history));
        Ok(())
    }

    /// Notes that a registry is skipped.
    pub(super) fn warn(&mut self, whence: &str, why: &str) {
        self.warnings.push(Notice {
            subject: PATH.to_owned(),
            what: format!("the registry {whence} is passed over: {why}"),
            help: Some("correct it, or name another with --registry FILE".to_owned()),
        });
    }
}

/// Reads a registry; `None` if there is no file.
fn read_file(path: &Path) -> Result<Option<Registry>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        bail!("it is not a file");
    }
    if metadata.len() > MAX_REGISTRY {
        bail!("it is over 32 MiB");
    }
    Registry::parse(&fs::read(path)?).map(Some).map_err(|why| anyhow!(why))
}
