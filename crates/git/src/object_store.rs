//! Objects that were fetched to be read, beside the repository's own.
//!
//! They lie in `slotctl/objects` of the repository's directory, so that the next run
//! finds them; in a temporary folder if nothing can be written there. Git itself looks
//! there only if it is told to: the user's repository stays as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// With more packs than this, those that are older than [`AGE`] go: each makes every
/// look-up slower, and all that is still needed comes again in one.
const PACKS: usize = 64;

/// No run of another process is that old.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder of objects.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    home: PathBuf,
    /// Keeps a temporary home until the last user is gone.
    #[allow(dead_code, reason = "it is kept for its drop")]
    temporary: Option<Arc<TempDir>>,
}

impl ObjectStore {
    /// The store of the repository with this directory.
    ///
    /// # Errors
    ///
    /// If there is no place that can be written to.
    pub fn open(common_dir: &Path) -> Result<Self> {
        let home = common_dir.join("slotctl");
        let packs = home.join("objects").join("pack");
        if fs::create_dir_all(&packs).and_then(|()| tempfile::tempfile_in(&packs)).is_ok() {
            let store = Self { home, temporary: None };
            store.tidy();
            return Ok(store);
        }
        let temporary = TempDir::with_prefix("slotctl-objects-");
        let temporary = temporary.context("no folder for what is fetched can be made")?;
        let home = temporary.path().to_owned();
        fs::create_dir_all(home.join("objects").join("pack"))?;
        Ok(Self { home, temporary: Some(Arc::new(temporary)) })
    }

    /// Its folder, as Git takes it for an alternate.
    pub fn objects(&self) -> PathBuf {
        self.home.join("objects")
    }

    /// Where what belongs to it is kept.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// A folder beside it, from which files can be moved into it.
    pub(crate) fn beside(&self) -> Result<TempDir> {
        let made = TempDir::with_prefix_in("fetch-", &self.home);
        made.with_context(|| format!("no folder can be made in {}", self.home.display()))
    }

    /// Takes over the packs in a folder, each index last: Git looks for those.
    pub(crate) fn adopt(&self, packs: &Path) -> Result<()> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(packs)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.sort_by_key(|file| file.extension().is_some_and(|end| end == "idx"));
        for file in files {
            let Some(name) = file.file_name().filter(|_| !file.ends_with(".keep")) else {
                continue;
            };
            fs::rename(&file, self.objects().join("pack").join(name))?;
        }
        Ok(())
    }

    /// Takes away what nobody needs. That it can't be done is no reason to stop.
    fn tidy(&self) {
        let old = |path: &Path| {
            let modified = fs::metadata(path).and_then(|found| found.modified());
            modified
                .is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > AGE))
        };
        let unfinished = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"fetch-"))
        };
        for folder in entries(&self.home).into_iter().filter(unfinished).filter(|path| old(path)) {
            let _ = fs::remove_dir_all(folder);
        }
        let packs = entries(&self.objects().join("pack"));
        let is_pack = |path: &&PathBuf| path.extension().is_some_and(|end| end == "pack");
        if packs.iter().filter(is_pack).count() > PACKS {
            packs.iter().filter(|path| old(path)).for_each(|path| drop(fs::remove_file(path)));
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(store: &ObjectStore, name: &str, age: Duration) -> PathBuf {
        let path = store.objects().join("pack").join(name);
        let file = fs::File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        path
    }

    #[test]
    fn old_packs_go_once_there_are_many() {
        let dir = TempDir::new().unwrap();
        let store = ObjectStore::open(dir.path()).unwrap();
        let old = pack(&store, "pack-old.pack", 2 * AGE);
        let stale = store.home().join("fetch-old");
        fs::create_dir(&stale).unwrap();
        let store = ObjectStore::open(dir.path()).unwrap();
        assert!(old.exists() && stale.exists(), "few packs, a run of today");
        for number in 0..PACKS {
            pack(&store, &format!("pack-{number}.pack"), Duration::ZERO);
        }
        let store = ObjectStore::open(dir.path()).unwrap();
        assert!(!old.exists());
        assert_eq!(entries(&store.objects().join("pack")).len(), PACKS);
    }

    #[test]
    fn packs_are_taken_over_with_all_that_belongs_to_them() {
        let dir = TempDir::new().unwrap();
        let store = ObjectStore::open(dir.path()).unwrap();
        let beside = store.beside().unwrap();
        for end in ["idx", "pack", "promisor", "rev"] {
            fs::write(beside.path().join(format!("pack-1.{end}")), end).unwrap();
        }
        store.adopt(beside.path()).unwrap();
        assert_eq!(entries(&store.objects().join("pack")).len(), 4);
        assert_eq!(entries(beside.path()).len(), 0);
    }

    #[test]
    fn a_repository_that_can_not_be_written_to_gets_a_temporary_store() {
        let store = ObjectStore::open(Path::new("/dev/null")).unwrap();
        assert!(store.objects().is_dir() && store.temporary.is_some());
    }
}
