//! Git LFS: blobs that point to a file stored elsewhere.
//!
//! The format of a pointer is defined by `docs/spec.md` in git-lfs/git-lfs.

use std::path::{Path, PathBuf};

/// A pointer to a file. The name of the LFS object is the digest of the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The SHA-256 digest of the content, 64 lower-case hexadecimal digits.
    pub oid: String,
    /// The size of the content in bytes.
    pub size: u64,
}

/// The longest pointer in bytes: the specification requires less than 1,024 bytes.
const MAX_LEN: usize = 1024;

impl Pointer {
    /// Parses a blob as a pointer. Returns `None` for an ordinary file.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() >= MAX_LEN {
            return None;
        }
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        let version = lines.next()?.strip_prefix("version ")?;
        if !["https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1"]
            .contains(&version)
        {
            return None;
        }
        let (mut oid, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", text) => oid = text.strip_prefix("sha256:").filter(|hex| is_sha256(hex)),
                ("size", bytes) => size = bytes.parse().ok(),
                _ => {}
            }
        }
        Some(Self { oid: oid?.to_owned(), size: size? })
    }

    /// Returns the path at which the content is stored after it was fetched.
    pub fn path_in(&self, common_dir: &Path) -> PathBuf {
        let hex = self.oid.as_str();
        let (first, rest) = hex.split_at_checked(2).unwrap_or_default();
        let (second, _) = rest.split_at_checked(2).unwrap_or_default();
        common_dir.join("lfs").join("objects").join(first).join(second).join(hex)
    }
}

/// Tells if the text is a SHA-256 digest in its only allowed spelling, which is safe as part of
/// a path.
fn is_sha256(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn only_valid_lfs_pointers_are_parsed() {
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12\n");
        let parsed = Pointer::parse(pointer.as_bytes()).unwrap();
        assert_eq!((parsed.oid.as_str(), parsed.size), (OID, 12));
        assert_eq!(parsed.path_in(Path::new("g")), Path::new("g/lfs/objects/e3/b0").join(OID));
        for other in [
            String::new(),
            "version 1\n".to_owned(),
            pointer.replace("sha256:", "sha256:../"),
            pointer.replace("size 12", "size -1"),
            pointer.replace("oid", "id"),
            format!("{pointer}{}", "x".repeat(1024)),
            format!("\n{pointer}"),
        ] {
            assert_eq!(Pointer::parse(other.as_bytes()), None, "{other}");
        }
    }
}
