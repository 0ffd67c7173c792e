//! Files whose paths look like a wanted one: they differ only in letter case, or in the Unicode
//! normalization (macOS writes `é` as two code points, other systems as one).

use unicode_normalization::UnicodeNormalization as _;

use super::convention::CandidateFiles;
use super::files::{CommitFiles, TreeEntry};
use notice::printable;

/// Describes the file that differs from a path only in letter case or normalization; returns an
/// empty text if the commit has none.
///
/// # Errors
///
/// [`CommitFiles::Halt`] if the files cannot be read.
pub(super) fn alike<F: CommitFiles>(path: &str, files: &F) -> Result<String, F::Halt> {
    let found = resembling(path, files)?;
    Ok(found.map_or_else(String::new, |found| described(path, &found)))
}

/// Describes a file that would be a candidate if letter case and normalization did not matter.
///
/// # Errors
///
/// [`CommitFiles::Halt`] if the files cannot be read.
pub(super) fn alike_candidate<F: CommitFiles>(
    places: &[CandidateFiles],
    files: &F,
) -> Result<String, F::Halt> {
    for place in places {
        let Some(folder) = resembling(&place.folder, files)? else { continue };
        for (name, entry) in files.beginning(&folder, "")? {
            if matches!(entry, TreeEntry::File(_)) && place.admits(&folded(&name)) {
                let found = format!("{folder}/{name}");
                return Ok(described(&format!("{}/{}", place.folder, folded(&name)), &found));
            }
        }
    }
    Ok(String::new())
}

/// Returns the path of the commit that is equal to a path, or else resembles it.
fn resembling<F: CommitFiles>(path: &str, files: &F) -> Result<Option<String>, F::Halt> {
    let mut found = String::new();
    for segment in path.split('/') {
        let names = files.beginning(&found, "")?.into_iter().map(|(name, _)| name);
        let alike: Vec<String> = names.filter(|name| is_alike(name, segment)).collect();
        let equal = alike.iter().find(|name| *name == segment);
        let Some(name) = equal.or(alike.first()) else { return Ok(None) };
        let slash = if found.is_empty() { "" } else { "/" };
        found = format!("{found}{slash}{name}");
    }
    Ok(Some(found))
}

/// Tells if two names or paths differ at most in letter case and Unicode normalization.
pub fn is_alike(name: &str, other: &str) -> bool {
    match name.is_ascii() && other.is_ascii() {
        true => name.eq_ignore_ascii_case(other),
        false => folded(name) == folded(other),
    }
}

/// Returns a name in lower case and in normalization form C.
fn folded(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

fn described(wanted: &str, found: &str) -> String {
    let composed = |path: &str| path.nfc().collect::<String>();
    let how = match (composed(wanted) == composed(found), found.nfc().eq(found.chars())) {
        (true, true) => "the same letters in normalization form C",
        (true, false) => "the same letters in another Unicode normalization than form C",
        (false, _) => "which differs in letter case",
    };
    format!("; the commit has {}, {how}", printable(found.as_bytes()))
}
