//! Suggests existing names in place of mistyped ones. The Worker decides in the same way which
//! name is near: see [`catalog::nearest`].

use std::fs;
use std::path::Path;

/// Returns ` (did you mean …?)`; a list of the names if none is near; empty without names.
pub(crate) fn did_you_mean<'a>(text: &str, there: impl Iterator<Item = &'a str>) -> String {
    const LISTED: usize = 8;
    let mut names: Vec<&str> = there.collect();
    if let Some(near) = nearest(text, names.iter().copied()) {
        return format!(" (did you mean `{near}`?)");
    }
    names.truncate(LISTED);
    if names.is_empty() { String::new() } else { format!(" (there is {})", quoted(&names)) }
}

/// Returns the nearest of the other names, if it is near enough for a typing error.
pub(crate) fn nearest<'a>(text: &str, there: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A command answers one question: it may compare all names.
    catalog::nearest::nearest(text, there, &mut usize::MAX.clone())
}

/// Returns the name that a new one was probably meant to be. Names that differ only in their
/// numbers (`ring-1`, `ring-2`) are different on purpose.
pub(crate) fn probably<'a>(new: &str, there: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    let own = letters(new);
    nearest(new, there.into_iter().filter(|name| letters(name) != own))
}

/// Returns ` (did you mean …?)` with the nearest name in the folder of a file or folder that does
/// not exist, else an empty text.
pub(crate) fn nearest_file(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match nearest(&name, names.iter().map(String::as_str)) {
        Some(near) if !path.exists() => {
            format!(" (did you mean `{}`?)", path.with_file_name(near).display())
        }
        _ => String::new(),
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        for (text, there, expected) in [
            ("prod", &["production", "staging"][..], " (did you mean `production`?)"),
            ("stagign", &["production", "staging"], " (did you mean `staging`?)"),
            ("Staging", &["staging"], " (did you mean `staging`?)"),
            ("blue", &["production", "staging"], " (there is `production`, `staging`)"),
            ("blue", &[], ""),
        ] {
            assert_eq!(did_you_mean(text, there.iter().copied()), expected, "{text}");
        }
    }

    #[test]
    fn names_that_differ_in_their_numbers_are_not_typing_errors() {
        for (new, expected) in [
            ("treatmnt", Some("treatment")),
            ("ring-2", None),
            ("rinng-1", Some("ring-1")),
            ("green", None),
        ] {
            assert_eq!(probably(new, ["treatment", "ring-1", "blue"]), expected, "{new}");
        }
    }

    #[test]
    fn the_nearest_file_is_in_the_same_folder() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("keys.txt"), "").unwrap();
        let near = dir.path().join("keys.txt");
        let expected = format!(" (did you mean `{}`?)", near.display());
        assert_eq!(nearest_file(&dir.path().join("kyes.txt")), expected);
        assert_eq!(nearest_file(&near), "");
        assert_eq!(nearest_file(&dir.path().join("other")), "");
    }
}
