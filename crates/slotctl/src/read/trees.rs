//! Trees: the entries of a commit by their names.

use std::cmp::Ordering;

use gix_hash::{Kind, ObjectId};
use gix_object::tree::{EntryKind, EntryRef};
use gix_object::{TreeRefIter, bstr::ByteSlice};
use reconcile::source::{NotAFile, TreeEntry};

/// A tree whose entries can be found by their names.
///
/// Reading a tree notes only the places at which entries begin: with many commits, most of
/// what is read are trees, and only a few entries of each are looked at. Git sorts the
/// entries by name, and a folder as if its name ended with `/`.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    data: Vec<u8>,
    hash: Kind,
    starts: Vec<u32>,
}

impl Tree {
    /// Reads a tree object's body; `None` if it is malformed.
    pub(super) fn parse(data: Vec<u8>, hash: Kind) -> Option<Self> {
        let mut starts = Vec::new();
        let mut start = 0;
        while start < data.len() {
            starts.push(u32::try_from(start).ok()?);
            // `<mode> <name>`, a NUL, the id.
            let nul = data.get(start..)?.find_byte(0)?;
            start += nul + 1 + hash.len_in_bytes();
        }
        (start == data.len()).then_some(Self { data, hash, starts })
    }

    /// Returns the size of the tree in memory, in bytes.
    pub(super) fn footprint(&self) -> usize {
        self.data.len() + self.starts.len() * size_of::<u32>()
    }

    /// Returns the entry with this name.
    pub(super) fn find(&self, name: &[u8]) -> Option<(EntryKind, ObjectId)> {
        let with = |end: &[u8]| {
            let key = [name, end].concat();
            let at = self.starts.partition_point(|start| self.is_before(*start, &key));
            let entry = self.entry(*self.starts.get(at)?)?;
            (entry.filename == name).then(|| (entry.mode.kind(), entry.oid.to_owned()))
        };
        with(b"").or_else(|| with(b"/"))
    }

    /// Returns the entries whose names begin with `start`, which contains no `/`.
    pub(super) fn beginning(&self, start: &[u8]) -> impl Iterator<Item = EntryRef<'_>> {
        let first = self.starts.partition_point(|entry| self.is_before(*entry, start));
        let starts = self.starts.get(first..).unwrap_or(&[]).iter();
        starts
            .map_while(|start| self.entry(*start))
            .take_while(move |entry| entry.filename.starts_with(start))
    }

    fn entry(&self, start: u32) -> Option<EntryRef<'_>> {
        let data = self.data.get(start as usize..)?;
        TreeRefIter::from_bytes(data, self.hash).next()?.ok()
    }

    /// Tells if an entry's name, with `/` after that of a folder, sorts before `key`.
    ///
    /// A lookup calls it a dozen times, so it does not parse the whole entry.
    fn is_before(&self, start: u32, key: &[u8]) -> bool {
        let entry = self.data.get(start as usize..).unwrap_or_default();
        let Some(space) = entry.iter().take(7).position(|byte| *byte == b' ') else { return false };
        let (mode, name) = entry.split_at(space + 1);
        let end: &[u8] = if is_folder(mode) { b"/" } else { b"" };
        let name = name.iter().take_while(|byte| **byte != 0).chain(end);
        name.cmp(key) == Ordering::Less
    }
}

/// Tells if a mode is that of a folder. The mode is in octal digits with the space after it.
fn is_folder(mode: &[u8]) -> bool {
    matches!(mode, b"40000 " | b"040000 ")
}

/// Returns an entry as [`reconcile::source`] uses it; `at` is its path.
pub(super) fn entry(kind: EntryKind, id: ObjectId, at: String) -> TreeEntry<ObjectId> {
    match kind {
        EntryKind::Blob | EntryKind::BlobExecutable => TreeEntry::File(id),
        EntryKind::Tree => TreeEntry::Other(NotAFile::Folder, at),
        EntryKind::Link => TreeEntry::Other(NotAFile::Symlink, at),
        EntryKind::Commit => TreeEntry::Other(NotAFile::Submodule, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut data = Vec::new();
        for (at, (mode, name)) in entries.iter().enumerate() {
            data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            data.extend_from_slice(&[u8::try_from(at).unwrap(); 20]);
        }
        data
    }

    #[test]
    fn entries_are_found_by_name_in_the_order_of_git() {
        let data = tree(&[
            ("100644", "a-b"),
            ("100755", "a.md"),
            ("40000", "a"),
            ("100644", "a0"),
            ("120000", "b"),
            ("160000", "c"),
        ]);
        let tree = Tree::parse(data, Kind::Sha1).unwrap();
        for (at, name, kind) in [
            (0, "a-b", EntryKind::Blob),
            (1, "a.md", EntryKind::BlobExecutable),
            (2, "a", EntryKind::Tree),
            (3, "a0", EntryKind::Blob),
            (4, "b", EntryKind::Link),
            (5, "c", EntryKind::Commit),
        ] {
            let (found, id) = tree.find(name.as_bytes()).unwrap();
            assert_eq!((found, id.as_slice()), (kind, &[at; 20][..]), "{name}");
        }
        for absent in ["", "a.", "a/", "a-", "d", "0"] {
            assert_eq!(tree.find(absent.as_bytes()), None, "{absent}");
        }
        let names = |start: &str| -> Vec<String> {
            tree.beginning(start.as_bytes()).map(|entry| entry.filename.to_string()).collect()
        };
        assert_eq!(names("a"), ["a-b", "a.md", "a", "a0"]);
        assert_eq!(names("a."), ["a.md"]);
        assert!(names("d").is_empty());
    }

    #[test]
    fn parse_rejects_truncated_trees() {
        let data = tree(&[("100644", "a"), ("100644", "b")]);
        for end in 1..data.len() {
            let cut = data[..end].to_vec();
            assert_eq!(Tree::parse(cut, Kind::Sha1).is_some(), end == data.len() / 2, "{end}");
        }
        let empty = Tree::parse(Vec::new(), Kind::Sha1).unwrap();
        assert_eq!(empty.find(b"a"), None);
        let odd = Tree::parse(tree(&[("frog", "a")]), Kind::Sha1).unwrap();
        assert_eq!(odd.find(b"a"), None);
    }

    #[test]
    fn damaged_trees_do_not_panic() {
        let whole = tree(&[("100644", "a-b"), ("40000", "a"), ("120000", "b")]);
        for at in 0..whole.len() {
            for byte in [0, 1, b' ', b'/', b'7', 0xff] {
                let mut data = whole.clone();
                data[at] = byte;
                for hash in [Kind::Sha1, Kind::Sha256] {
                    let Some(tree) = Tree::parse(data.clone(), hash) else { continue };
                    let _ = (tree.find(b"a"), tree.find(b"b"), tree.beginning(b"a").count());
                }
            }
        }
    }
}
