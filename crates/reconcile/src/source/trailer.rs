//! The trailer in a tag's message that names the file of the component.
//!
//! A trailer is a `Key: value` line in the last paragraph of a message, as in `git
//! interpret-trailers`. The last paragraph must not be the first one. It counts as trailers if
//! all of its lines are trailers, or if one line is Git's own (`Signed-off-by: `, `(cherry
//! picked from commit `) and at least a quarter of the lines are trailers.

use super::path::{PathError, RepoPath};
use notice::printable;

/// The trailer's key. Its case is ignored, as in Git.
pub const KEY: &str = "Component-Path";

/// The path in a trailer, or the reason why it is refused.
pub type TrailerPath = Result<RepoPath, PathError>;

/// Reads the path from the message of a tag, with or without its signature; `None` if the
/// message has no such trailer.
pub fn path_of(message: &[u8]) -> Option<TrailerPath> {
    let mut values = values(message);
    let first = values.pop()?;
    if let Some(other) = values.iter().find(|value| **value != first) {
        let shown = format!("{}' and '{}", printable(other), printable(&first));
        let why = "the tag's message has two different Component-Path trailers";
        return Some(Err(PathError { shown, why }));
    }
    Some(RepoPath::parse(&first))
}

/// Returns a tag's message with the user's text and the trailer. `None` for a path that would
/// not be read back unchanged, such as one that ends with a space.
pub fn message(text: &str, path: &RepoPath) -> Option<String> {
    let message = format!("{}\n\n{KEY}: {}\n", text.trim(), path.as_str());
    (path_of(message.as_bytes()).as_ref() == Some(&Ok(path.clone()))).then_some(message)
}

/// Returns the values of all trailers with the key. Folded lines are joined with a space.
fn values(message: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut in_ours = false;
    for line in trailer_block(unsigned(message)) {
        if is_continuation(line) {
            if let Some(value) = found.last_mut().filter(|_| in_ours) {
                if !value.is_empty() {
                    value.push(b' ');
                }
                value.extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        in_ours = false;
        if let Some((key, value)) = key_and_value(line)
            && key.eq_ignore_ascii_case(KEY.as_bytes())
        {
            found.push(value.to_vec());
            in_ours = true;
        }
    }
    found
}

/// Returns the message without the signature that `git tag -s` appends.
fn unsigned(message: &[u8]) -> &[u8] {
    const ARMOR: [&[u8]; 4] = [
        b"-----BEGIN PGP SIGNATURE-----",
        b"-----BEGIN PGP MESSAGE-----",
        b"-----BEGIN SIGNED MESSAGE-----",
        b"-----BEGIN SSH SIGNATURE-----",
    ];
    let mut end = 0;
    for line in message.split_inclusive(|b| *b == b'\n') {
        if ARMOR.iter().any(|armor| line.starts_with(armor)) {
            return message.get(..end).unwrap_or(message);
        }
        end += line.len();
    }
    message
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

fn is_continuation(line: &[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_whitespace)
}

/// Returns the key and the value of a line that has the form of a trailer: letters, digits and
/// '-', optional space, a colon.
fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|b| *b == b':')?;
    let (key, value) = line.split_at_checked(colon)?;
    let key = key.trim_ascii_end();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    let named = !key.is_empty() && key.iter().all(plain);
    named.then_some((key, value.get(1..).unwrap_or(b"").trim_ascii()))
}

/// Returns the lines of the message's trailer block; empty if it has no such block.
fn trailer_block(message: &[u8]) -> Vec<&[u8]> {
    let lines: Vec<&[u8]> = message.trim_ascii_end().split(|b| *b == b'\n').collect();
    let Some(title) = lines.iter().position(|line| !is_blank(line)) else {
        return Vec::new();
    };
    let Some(gap) = lines.iter().rposition(|line| is_blank(line)).filter(|gap| *gap > title) else {
        return Vec::new();
    };
    let block = lines.get(gap + 1..).unwrap_or(&[]);
    match counts_as_trailers(block) {
        true => block.to_vec(),
        false => Vec::new(),
    }
}

fn counts_as_trailers(block: &[&[u8]]) -> bool {
    const GENERATED: [&[u8]; 2] = [b"Signed-off-by: ", b"(cherry picked from commit "];
    let (mut trailers, mut others, mut generated) = (0, 0, false);
    let mut after_trailer = false;
    for line in block {
        if GENERATED.iter().any(|prefix| line.starts_with(prefix)) {
            generated = true;
            after_trailer = true;
            trailers += 1;
        } else if line.starts_with(b"#") {
            // A comment that an editor left counts as neither, and a folded line does not
            // continue it.
            after_trailer = false;
        } else if is_continuation(line) {
            // A folded line belongs to the trailer or to the prose above it.
            others += usize::from(!after_trailer);
        } else if key_and_value(line).is_some() {
            after_trailer = true;
            trailers += 1;
        } else {
            after_trailer = false;
            others += 1;
        }
    }
    (trailers > 0 && others == 0) || (generated && trailers * 3 >= others)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(message: &str, path: Option<&str>) {
        let found = path_of(message.as_bytes()).map(|path| path.unwrap().as_str().to_owned());
        assert_eq!(found.as_deref(), path, "{message:?}");
    }

    #[test]
    fn path_of_reads_only_the_last_paragraph() {
        check("Release\n\nComponent-Path: prompts/a.md\n", Some("prompts/a.md"));
        check("Release\n\ncomponent-path : ./a.md", Some("a.md"));
        check("Release\n\nbody\n\nReviewed-by: A\nComponent-Path: a.md\n\n", Some("a.md"));
        check("Release\n\nComponent-Path: a.md\n\nmore prose", None);
        check("Release\n\nprose\nComponent-Path: a.md", None);
        check("Component-Path: a.md", None);
        check("\n\nComponent-Path: a.md", None);
        check("Release\nComponent-Path: a.md", None);
        check("Release\n\nComponent-Paths: a.md", None);
        check("", None);
        check("Release\n\n Component-Path: a.md", None);
    }

    #[test]
    fn path_of_reads_folded_and_signed_messages() {
        check("R\n\nComponent-Path:\n a.md", Some("a.md"));
        check("R\n\nComponent-Path: my\n  file.md\nX: y", Some("my file.md"));
        check("R\n\nprose\nSigned-off-by: A\nComponent-Path: a.md", Some("a.md"));
        check("R\n\np\np\np\np\np\np\np\nSigned-off-by: A\nComponent-Path: a.md", None);
        for format in ["PGP SIGNATURE", "SSH SIGNATURE", "SIGNED MESSAGE"] {
            let signed = format!("R\n\nComponent-Path: a.md\n-----BEGIN {format}-----\n\nabc\n");
            check(&signed, Some("a.md"));
        }
    }

    #[test]
    fn written_trailers_round_trip() {
        let path = |text: &str| RepoPath::parse(text.as_bytes()).unwrap();
        for text in ["Release", "Release\n\nbody\n\nSigned-off-by: A\n"] {
            let message = message(text, &path("my prompts/#a.md")).unwrap();
            check(&message, Some("my prompts/#a.md"));
        }
        assert_eq!(message("Release", &path("a.md ")), None);
        assert_eq!(message(" ", &path("a.md")), None);
    }

    #[test]
    fn path_of_refuses_invalid_and_contradictory_trailers() {
        for message in [
            "R\n\nComponent-Path: ../a",
            "R\n\nComponent-Path:",
            "R\n\nComponent-Path: a.md\nComponent-Path: b.md",
        ] {
            assert!(path_of(message.as_bytes()).unwrap().is_err(), "{message}");
        }
        check("R\n\nComponent-Path: a.md\nComponent-Path: a.md", Some("a.md"));
        assert!(path_of(b"R\n\nComponent-Path: \xff").unwrap().is_err());
    }

    proptest! {
        #[test]
        fn path_of_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..99)) {
            let _ = path_of(&bytes);
            let _ = path_of(&[&b"R\n\nComponent-Path:"[..], &bytes].concat());
        }
    }
}
