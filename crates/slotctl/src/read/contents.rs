//! Reads the files: digest, size and media type, each content once.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use anyhow::Result;
use catalog::digest::Digest;
use catalog::media_type::MediaType;
use catalog::record::MAX_VALUE;
use gix_hash::ObjectId;
use gix_object::Kind;
use reconcile::compile::File;
use reconcile::source::FileProblem;

use super::files::LocatedFile;
use super::model::{BlobSource, ContentPlace, OnProgress, ReadProgress};
use git::Repository;
use git::lfs::Pointer;
use git::objects::{ObjectAnswer, ObjectRequest, Objects};

type BlobsByDigest = BTreeMap<Digest, BlobSource>;
type Files = Vec<Result<File, FileProblem>>;

/// A blob, and the files that have it as their content.
struct Blob {
    id: ObjectId,
    size: u64,
    files: Vec<usize>,
}

/// Reads the contents of the files that were found, one at a time.
///
/// Asks for the sizes first: a content that is too large to be served is never read.
pub(super) fn read_contents(
    repository: &Repository,
    objects: &mut Objects,
    located: Vec<LocatedFile>,
    progress: OnProgress<'_>,
) -> Result<(Files, BlobsByDigest)> {
    let mut reader =
        ContentReader { repository, files: BTreeMap::new(), contents: BlobsByDigest::new() };
    let (blobs, paths) = reader.group(located);
    let blobs = reader.check_sizes(objects, blobs, &paths)?;
    let ids: Vec<ObjectId> = blobs.iter().map(|blob| blob.id).collect();
    objects.ask(ObjectRequest::Contents(MAX_VALUE), &ids, &mut |at, answer| {
        if let Some(blob) = blobs.get(at) {
            reader.read(blob, answer, &paths);
        }
        progress(ReadProgress { what: "contents", done: at + 1, total: blobs.len() });
        Ok(())
    })?;
    Ok((reader.files.into_values().collect(), reader.contents))
}

struct ContentReader<'a> {
    repository: &'a Repository,
    files: BTreeMap<usize, Result<File, FileProblem>>,
    contents: BlobsByDigest,
}

impl ContentReader<'_> {
    /// Groups the files by their blobs; files that were not found are set apart.
    fn group(&mut self, located: Vec<LocatedFile>) -> (Vec<Blob>, Vec<String>) {
        let mut blobs: Vec<Blob> = Vec::new();
        let mut by_id: HashMap<ObjectId, usize> = HashMap::new();
        let mut paths = Vec::with_capacity(located.len());
        for (file, found) in located.into_iter().enumerate() {
            let located = match found {
                Ok(located) => located,
                Err(problem) => {
                    self.files.insert(file, Err(problem));
                    paths.push(String::new());
                    continue;
                }
            };
            let at = *by_id.entry(located.id).or_insert(blobs.len());
            match blobs.get_mut(at) {
                Some(blob) => blob.files.push(file),
                None => blobs.push(Blob { id: located.id, size: 0, files: vec![file] }),
            }
            paths.push(located.path);
        }
        (blobs, paths)
    }

    /// Returns the blobs that can be read, with their sizes.
    fn check_sizes(
        &mut self,
        objects: &mut Objects,
        blobs: Vec<Blob>,
        paths: &[String],
    ) -> Result<Vec<Blob>> {
        let ids: Vec<ObjectId> = blobs.iter().map(|blob| blob.id).collect();
        let mut blobs: Vec<Option<Blob>> = blobs.into_iter().map(Some).collect();
        let mut readable = Vec::with_capacity(ids.len());
        objects.ask(ObjectRequest::Info, &ids, &mut |at, answer| {
            let Some(blob) = blobs.get_mut(at).and_then(Option::take) else { return Ok(()) };
            match answer {
                ObjectAnswer::Found { kind: Kind::Blob, size, .. } if size <= MAX_VALUE => {
                    readable.push(Blob { size, ..blob });
                }
                ObjectAnswer::Found { kind: Kind::Blob, size, .. } => {
                    self.refuse(&blob, paths, |path| FileProblem::too_large(path, size));
                }
                _ => self.refuse(&blob, paths, |path| not_here(path, blob.id)),
            }
            Ok(())
        })?;
        Ok(readable)
    }

    fn refuse(&mut self, blob: &Blob, paths: &[String], problem: impl Fn(&str) -> FileProblem) {
        for file in &blob.files {
            let path = paths.get(*file).map_or("", String::as_str);
            self.files.insert(*file, Err(problem(path)));
        }
    }

    fn read(&mut self, blob: &Blob, answer: ObjectAnswer, paths: &[String]) {
        let ObjectAnswer::Found { body, .. } = answer else {
            return self.refuse(blob, paths, |path| not_here(path, blob.id));
        };
        let Some(pointer) = Pointer::parse(&body) else {
            let source = BlobSource { size: blob.size, place: ContentPlace::Git(blob.id) };
            return self.add(blob, &body, source, paths);
        };
        match self.read_lfs(&pointer) {
            Ok((body, source)) => self.add(blob, &body, source, paths),
            Err(problem) => self.refuse(blob, paths, |path| problem.of(path, pointer.size)),
        }
    }

    fn add(&mut self, blob: &Blob, body: &[u8], source: BlobSource, paths: &[String]) {
        let digest = Digest::of(body);
        let mut types: BTreeMap<&str, MediaType> = BTreeMap::new();
        for file in &blob.files {
            let path = paths.get(*file).map_or("", String::as_str);
            let of_path = types.entry(path).or_insert_with(|| MediaType::of_file(path, body));
            let (path, media_type) = (path.to_owned(), of_path.clone());
            self.files.insert(*file, Ok(File { path, digest, size: source.size, media_type }));
        }
        self.contents.insert(digest, source);
    }

    fn read_lfs(&self, pointer: &Pointer) -> Result<(Vec<u8>, BlobSource), LfsProblem> {
        if pointer.size > MAX_VALUE {
            return Err(LfsProblem::TooLarge);
        }
        let path = pointer.path_in(&self.repository.common_dir);
        let there = fs::metadata(&path).is_ok_and(|found| found.len() == pointer.size);
        let body = fs::read(&path).ok().filter(|_| there).ok_or(LfsProblem::Absent)?;
        if Digest::of(&body).to_string() != pointer.oid {
            return Err(LfsProblem::Damaged);
        }
        Ok((body, BlobSource { size: pointer.size, place: ContentPlace::Lfs(path) }))
    }
}

/// The reason why a Git LFS pointer does not lead to a content.
enum LfsProblem {
    TooLarge,
    Absent,
    Damaged,
}

impl LfsProblem {
    fn of(&self, path: &str, size: u64) -> FileProblem {
        let fetch = "fetch it: git lfs fetch --all";
        match self {
            Self::TooLarge => FileProblem::too_large(path, size),
            Self::Absent => FileProblem::incomplete(
                format!(
                    "{path} is a Git LFS pointer, and this clone does not have the file itself"
                ),
                fetch,
            ),
            Self::Damaged => FileProblem::incomplete(
                format!("{path} is a Git LFS pointer, and the file that this clone has is damaged"),
                fetch,
            ),
        }
    }
}

fn not_here(path: &str, id: ObjectId) -> FileProblem {
    FileProblem::incomplete(
        format!("the content of {path} ({id}) cannot be read in this clone"),
        "fetch it: git fetch --refetch --no-filter in a partial clone; or look for damage with git fsck",
    )
}
