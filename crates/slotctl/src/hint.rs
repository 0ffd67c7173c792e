//! Completes the commands in hints, so that a pasted command acts on the repository and the
//! Workers KV of the command that printed it.
//!
//! A command in a text is in backticks, or it ends its part of the text (`ENDS`).
//! `hint_tests` checks that this finds the commands in all texts.

use std::borrow::Cow;
use std::ops::Range;

use clap::ArgMatches;
use clap::parser::ValueSource;
use git::address::without_credentials;
use notice::printable;
use serde_json::Value;

use crate::quote::quoted;

/// The ids of the options that name a repository or Workers KV.
const WHERE: [&str; 9] = [
    "local",
    "config",
    "env",
    "slots_id",
    "components_id",
    "repo",
    "remote",
    "local_refs",
    "registry",
];

/// The members of `--json` whose texts have commands.
const MEMBERS: [&str; 4] = ["help", "end", "lift", "finish"];

/// The ends of a command that is not in backticks.
const ENDS: [&str; 9] = [", ", "; ", " && ", " > ", " | ", " to ", " \\\n", "\n", ")"];

/// An option as the user typed it.
#[derive(Clone, Debug)]
struct TypedOption {
    /// The id of the option: `slots_id`.
    id: &'static str,
    /// The value, printable; `None` for a flag.
    value: Option<String>,
}

/// The options of the present command line that name a repository or Workers KV.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypedOptions {
    grammar: clap::Command,
    options: Vec<TypedOption>,
}

impl TypedOptions {
    /// Takes the options from the matches of a command line.
    pub(crate) fn of(grammar: clap::Command, matches: &ArgMatches) -> Self {
        let mut innermost = matches;
        while let Some((_, below)) = innermost.subcommand() {
            innermost = below;
        }
        let options = WHERE.into_iter().filter_map(|id| typed(innermost, id)).collect();
        Self { grammar, options }
    }

    /// Adds the options to each command in a text that takes them and does not have them.
    pub(crate) fn complete(&self, text: &str) -> String {
        let text = insert(text, "slotctl", |command| (command.len(), self.missing(command)));
        insert(&text, "git", |_| ("git".len(), self.folder())).into_owned()
    }

    /// Completes the commands in the members of a JSON value that are hints.
    pub(crate) fn complete_members(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match MEMBERS.contains(&name.as_str()) {
                        true => self.complete_texts(member),
                        false => self.complete_members(member),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|one| self.complete_members(one)),
            _ => {}
        }
    }

    fn complete_texts(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.complete(text),
            Value::Array(values) => values.iter_mut().for_each(|one| self.complete_texts(one)),
            _ => {}
        }
    }

    /// Returns the options that a command takes and does not have, with a space before each.
    fn missing(&self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let Some(of) = subcommand(&self.grammar, &words) else { return String::new() };
        let missing = self.options.iter().filter_map(|option| option.missing(of, &words));
        missing.map(|word| format!(" {word}")).collect()
    }

    /// Returns the option of Git that names the folder of the repository.
    fn folder(&self) -> String {
        let repo = self.options.iter().find(|option| option.id == "repo");
        let folder = repo.and_then(|option| option.value.as_deref());
        folder.map_or_else(String::new, |folder| format!(" -C {}", quoted(folder)))
    }
}

impl TypedOption {
    /// Returns the option as a command takes it; `None` if it does not, or has it already.
    fn missing(&self, command: &clap::Command, words: &[&str]) -> Option<String> {
        let argument = command.get_arguments().find(|argument| argument.get_id() == self.id)?;
        let value = self.value.as_deref().map(quoted);
        let Some(long) = argument.get_long() else { return self.positional(words) };
        let long = format!("--{long}");
        let is_same = |word: &&str| word.split('=').next() == Some(&long);
        if words.iter().any(is_same) {
            return None;
        }
        Some(value.map_or_else(|| long.clone(), |value| format!("{long} {value}")))
    }

    /// Returns the value for `slotctl push`, which takes the name of a remote as an argument and
    /// does not take an address.
    fn positional(&self, words: &[&str]) -> Option<String> {
        let is_named = words.iter().skip(1).any(|word| !word.starts_with('-'));
        let is_address = |value: &&String| value.contains([':', '/']);
        self.value.as_ref().filter(|value| !is_named && !is_address(value)).map(|name| quoted(name))
    }
}

/// Returns an option if the user typed it, and its value has no credentials: hints are kept in logs.
fn typed(matches: &ArgMatches, id: &'static str) -> Option<TypedOption> {
    let is_known = matches.try_contains_id(id).unwrap_or_default();
    if !is_known || matches.value_source(id) != Some(ValueSource::CommandLine) {
        return None;
    }
    let raw = matches.get_raw(id).and_then(|mut values| values.next());
    let value = raw.map(|value| printable(value.as_encoded_bytes()));
    if value.as_deref().is_some_and(has_credentials) {
        return None;
    }
    Some(TypedOption { id, value: value.filter(|_| id != "local_refs") })
}

/// Tells if a value is an address with a user name, a password or a query, which can be secret.
fn has_credentials(value: &str) -> bool {
    value.contains("://") && without_credentials(value) != value
}

/// Returns the subcommand that the first words name.
fn subcommand<'g>(grammar: &'g clap::Command, words: &[&str]) -> Option<&'g clap::Command> {
    let mut found = None;
    for word in words {
        let Some(below) = found.unwrap_or(grammar).find_subcommand(word) else { break };
        found = Some(below);
    }
    found
}

/// Inserts into each command of a program the text that `more` returns, at the offset it returns.
fn insert<'t>(
    text: &'t str,
    program: &str,
    more: impl Fn(&str) -> (usize, String),
) -> Cow<'t, str> {
    let (mut completed, mut rest_from) = (String::new(), 0);
    for command in commands(program, text) {
        let (at, more) = more(text.get(command.clone()).unwrap_or_default());
        let until = command.start + at;
        completed.push_str(text.get(rest_from..until).unwrap_or_default());
        completed.push_str(&more);
        rest_from = until;
    }
    match rest_from {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(completed + text.get(rest_from..).unwrap_or_default()),
    }
}

/// Finds the commands of a program in a text. Each begins with the name of the program.
pub(crate) fn commands(program: &str, text: &str) -> Vec<Range<usize>> {
    let name = format!("{program} ");
    let found = text.match_indices(&name).filter_map(|(start, name)| {
        let (before, rest) = (text.get(..start)?, text.get(start + name.len()..)?);
        let is_word = before.ends_with(|c: char| c.is_alphanumeric() || "-_/.".contains(c));
        let is_command = rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '{');
        let is_ended = |end: &usize| is_end(rest, *end, before.ends_with('`'));
        let length = (0..rest.len()).find(is_ended).unwrap_or(rest.len());
        (is_command && !is_word).then(|| start..start + name.len() + length)
    });
    found.collect()
}

/// Tells if a command ends at an offset of the text after its first word. An end in single quotes
/// is a part of an argument.
fn is_end(text: &str, at: usize, is_quoted: bool) -> bool {
    let (Some(before), Some(rest)) = (text.get(..at), text.get(at..)) else { return false };
    match is_quoted {
        true => rest.starts_with('`'),
        false => {
            before.matches('\'').count().is_multiple_of(2)
                && ENDS.iter().any(|end| rest.starts_with(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Args;

    fn options(line: &str) -> TypedOptions {
        let grammar = Args::command();
        let words = line.split(' ').map(|word| word.replace('_', " "));
        let matches = grammar.clone().try_get_matches_from(words).unwrap();
        TypedOptions::of(grammar, &matches)
    }

    #[test]
    fn commands_get_the_options_that_they_take() {
        let typed = options("slotctl status --env production --repo ../my_repo --remote upstream");
        for (text, expected) in [
            (
                "slotctl sync --allow-policy-removal",
                "slotctl sync --allow-policy-removal --env production --repo '../my repo' \
                 --remote upstream",
            ),
            (
                "did you mean a/b? slotctl history a/b",
                "did you mean a/b? slotctl history a/b --env production",
            ),
            (
                "`slotctl tag list` shows them; or slotctl push --tags",
                "`slotctl tag list --repo '../my repo'` shows them; \
                 or slotctl push --tags --repo '../my repo' upstream",
            ),
            (
                "slotctl tag set a/b c v1.0.0 --message 'a; b' && git push",
                "slotctl tag set a/b c v1.0.0 --message 'a; b' --repo '../my repo' && \
                 git -C '../my repo' push",
            ),
            ("slotctl sync --env= --repo=. --remote a", "slotctl sync --env= --repo=. --remote a"),
            ("this slotctl writes nothing", "this slotctl writes nothing"),
            ("/bin/slotctl sync", "/bin/slotctl sync"),
        ] {
            assert_eq!(typed.complete(text), expected);
        }
    }

    #[test]
    fn options_that_were_not_typed_are_not_added() {
        let typed = options("slotctl sync");
        assert_eq!(typed.complete("slotctl sync, git fetch"), "slotctl sync, git fetch");
        let typed = options("slotctl sync --local 9300 --local-refs");
        let expected = "slotctl sync --local 9300 --local-refs";
        assert_eq!(typed.complete("slotctl sync"), expected);
        let typed = options("slotctl tag list --repo a");
        assert_eq!(typed.complete("slotctl sync"), "slotctl sync --repo a");
    }

    #[test]
    fn push_takes_the_name_of_a_remote_and_no_address() {
        let named = options("slotctl sync --remote upstream");
        assert_eq!(named.complete("slotctl push origin"), "slotctl push origin");
        let address = options("slotctl sync --remote https://example.com/a");
        assert_eq!(address.complete("slotctl push"), "slotctl push");
    }

    #[test]
    fn credentials_are_not_printed() {
        for address in ["https://u:TOKEN@example.com/a", "https://TOKEN@example.com/a"] {
            let typed = options(&format!("slotctl sync --repo a --remote {address}"));
            assert_eq!(typed.complete("slotctl sync"), "slotctl sync --repo a");
        }
        let typed = options("slotctl sync --remote https://example.com/a");
        assert_eq!(typed.complete("slotctl sync"), "slotctl sync --remote https://example.com/a");
    }

    #[test]
    fn hints_in_json_are_completed_and_nothing_else() {
        let typed = options("slotctl sync --env a");
        let mut value = serde_json::json!({
            "refused": [{ "what": "slotctl sync", "help": "slotctl sync" }],
            "finish": ["slotctl sync"],
        });
        typed.complete_members(&mut value);
        let expected = serde_json::json!({
            "refused": [{ "what": "slotctl sync", "help": "slotctl sync --env a" }],
            "finish": ["slotctl sync --env a"],
        });
        assert_eq!(value, expected);
    }
}
