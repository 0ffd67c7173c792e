//! Handles Ctrl-C: prints the state that the interrupted command leaves, and ends the process.

use crate::output::Output;

/// 128 and the number of SIGINT, as shells report it.
const EXIT_CODE: i32 = 130;

/// Handles Ctrl-C from now on. If the platform refuses the handler, Ctrl-C still ends the process,
/// without a message.
pub(crate) fn install(output: &Output) {
    let output = output.clone();
    let handler = move || {
        output.interrupted();
        std::process::exit(EXIT_CODE);
    };
    ctrlc::set_handler(handler).ok();
}

/// Returns the command line of this process with more options, to be pasted into a shell.
pub(crate) fn this_command(more: &[&str]) -> String {
    let own: Vec<String> = std::env::args().collect();
    let more = more.iter().filter(|option| !own.iter().any(|known| known == *option));
    let words = own.iter().map(String::as_str).chain(more.copied());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// Quotes a word for bash, zsh and PowerShell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=+".contains(&b);
    match !word.is_empty() && word.bytes().all(plain) {
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
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
