//! Quotes words for shells.

/// Quotes a word for bash, zsh, fish and PowerShell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=+".contains(&b);
    // In zsh, `=name` is the path of a program.
    match !word.is_empty() && !word.starts_with('=') && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, expected) in [
            ("--check-url", "--check-url"),
            ("https://a.example:8787/b", "https://a.example:8787/b"),
            ("1,10", "'1,10'"),
            ("", "''"),
            ("my file's", r"'my file'\''s'"),
            ("$HOME", "'$HOME'"),
            ("=ls", "'=ls'"),
            ("~/a", "'~/a'"),
            ("a[1]", "'a[1]'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
