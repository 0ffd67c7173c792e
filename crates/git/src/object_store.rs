//! The store of fetched objects, separate from the objects of the repository.
//!
//! The objects are in `slotctl/objects` of the repository's directory, so that the next run
//! finds them. If that folder is not writable, they are in a temporary folder. Git reads this
//! store only if slotctl names it: the user's repository does not change.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// The number of packs above which those older than [`AGE`] are deleted. Each pack slows down
/// every look-up, and the objects that are still needed are fetched again in one pack.
const PACKS: usize = 64;

/// The age after which a pack can be deleted: no other process runs that long.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder of objects.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    home: PathBuf,
    /// Keeps the temporary folder until the last user is dropped.
    #[allow(dead_code, reason = "it is kept for its drop")]
    temporary: Option<Arc<TempDir>>,
}

impl ObjectStore {
    /// Opens the store of the repository with this common directory.
    ///
    /// # Errors
    ///
    /// If no folder is writable.
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

    /// Returns the folder of objects, in the form Git uses for an alternate.
    pub fn objects(&self) -> PathBuf {
        self.home.join("objects")
    }

    /// Returns the folder that contains the store and its files.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Creates a folder on the same file system, so that files can be moved into the store.
    pub(crate) fn beside(&self) -> Result<TempDir> {
        let made = TempDir::with_prefix_in("fetch-", &self.home);
        made.with_context(|| format!("no folder can be made in {}", self.home.display()))
    }

    /// Moves the packs of a folder into the store. Each index comes last because Git looks for
    /// indexes.
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

    /// Deletes old packs if there are too many, and old unfinished fetches. Failures are
    /// ignored.
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
    fn old_packs_are_deleted_if_there_are_many() {
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
    fn adopt_moves_all_files_of_a_pack() {
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
    fn a_read_only_repository_gets_a_temporary_store() {
        let store = ObjectStore::open(Path::new("/dev/null")).unwrap();
        assert!(store.objects().is_dir() && store.temporary.is_some());
    }
}
