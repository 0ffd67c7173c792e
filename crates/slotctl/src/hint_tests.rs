//! Checks the commands in the texts of all crates: `slotctl` commands against the command line,
//! `git` commands against the usage that Git prints.
//!
//! A command is in backticks, or it ends its part of the text. A command in backticks without
//! arguments is the name of that command.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use proc_macro2::{TokenStream, TokenTree};

use crate::args::Args;
use crate::hint::{TypedOptions, commands};

/// Values for placeholders such as `{name}` and `<version>`; one of them must fit each.
const VALUES: [&str; 8] = [
    "prompts/x",
    "production",
    "v1.0.0",
    "prompts/x@v1.0.0",
    "patch",
    "sync",
    "https://example.com",
    "",
];

/// Returns the source files of the crates, without those of tests.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut folders, mut files) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_test = ["tests", "tests.rs", "examples", "testing.rs"].contains(&name.as_str())
                || name.ends_with("_tests.rs");
            match path.is_dir() {
                _ if is_test => {}
                true => folders.push(path),
                false if name.ends_with(".rs") => files.push(path),
                false => {}
            }
        }
    }
    files
}

/// Collects the string literals of code that is not for tests. Attributes are skipped, and with
/// them doc comments.
fn literals(tokens: TokenStream, texts: &mut Vec<String>) {
    let (mut tokens, mut is_test) = (tokens.into_iter().peekable(), false);
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(_)));
                let attribute = tokens.next().map(|next| next.to_string()).unwrap_or_default();
                is_test |= attribute.replace(' ', "").contains("cfg(test)");
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => is_test = false,
            TokenTree::Group(_) if is_test => is_test = false,
            TokenTree::Group(group) => literals(group.stream(), texts),
            TokenTree::Literal(literal) => {
                let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
                texts.extend(text.ok().map(|text| text.value()));
            }
            _ => {}
        }
    }
}

/// Returns the texts in the source files of the crates, each with its file.
fn texts() -> Vec<(PathBuf, String)> {
    let of = |file: PathBuf| {
        let tokens: TokenStream = fs::read_to_string(&file).unwrap().parse().unwrap();
        let mut texts = Vec::new();
        literals(tokens, &mut texts);
        texts.into_iter().map(move |text| (file.clone(), text))
    };
    sources().into_iter().flat_map(of).collect()
}

/// A command in a text.
#[derive(Debug, PartialEq, Eq)]
struct Hint {
    words: Vec<String>,
    is_quoted: bool,
}

/// Splits a command into words; a word in single quotes may have spaces.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_open) = (vec![String::new()], false);
    for c in command.trim().chars() {
        match c {
            '\'' => is_open = !is_open,
            ' ' if !is_open => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Finds the commands of a program in a text.
fn hints(program: &str, text: &str) -> Vec<Hint> {
    let found = commands(program, text).into_iter().filter_map(|at| {
        let (command, is_quoted) = (&text[at.clone()], text[..at.start].ends_with('`'));
        // A text that ends with a space is the beginning of another one.
        let is_whole = !command.ends_with(' ') || at.end < text.len();
        is_whole.then(|| Hint { words: words(&command[program.len()..]), is_quoted })
    });
    found.collect()
}

/// Replaces the first placeholder of a word.
fn filled(word: &str, value: &str) -> Option<String> {
    let (open, close) = [('{', '}'), ('<', '>')]
        .into_iter()
        .find(|(open, close)| word.find(*open).is_some_and(|at| word[at..].contains(*close)))?;
    let (before, rest) = word.split_once(open)?;
    let (_, after) = rest.split_once(close)?;
    Some(format!("{before}{value}{after}"))
}

/// Tells if the command line accepts the words, with some values for the placeholders.
fn is_accepted(words: &[String]) -> bool {
    let open = words.iter().enumerate().find_map(|(at, word)| {
        let word = if word == "<type>/<name>" { "<name>" } else { word };
        filled(word, "").map(|_| (at, word.to_owned()))
    });
    let Some((at, word)) = open else {
        let words = words.iter().filter(|word| !word.is_empty()).map(String::as_str);
        return match Args::try_parse_from(std::iter::once("slotctl").chain(words)) {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::DisplayHelp,
        };
    };
    VALUES.iter().filter_map(|value| filled(&word, value)).any(|value| {
        let mut words = words.to_vec();
        words[at] = value;
        is_accepted(&words)
    })
}

/// Tells if the words are the name of a command.
fn is_name(words: &[String]) -> bool {
    let mut command = Args::command();
    words.iter().all(|word| match command.find_subcommand(word).cloned() {
        Some(found) => {
            command = found;
            true
        }
        None => false,
    })
}

/// Tells if a hint can be used as it is. Without backticks, a word that is not a command belongs
/// to a sentence: "slotctl writes".
fn is_slotctl_command(Hint { words, is_quoted }: &Hint) -> bool {
    let first = words.first().map_or("", String::as_str);
    let is_command = first.starts_with('{') || Args::command().find_subcommand(first).is_some();
    match is_quoted {
        true => is_accepted(words) || is_name(words),
        false => !is_command || is_accepted(words),
    }
}

/// Tells if Git has the subcommand and its options. Words that it does not name are not checked.
fn is_git_command(Hint { words, is_quoted }: &Hint) -> bool {
    let [command, rest @ ..] = words.as_slice() else { return false };
    // `lfs` may not be installed, and the usage of `config` depends on the version of Git.
    if ["lfs", "config"].contains(&command.as_str()) {
        return true;
    }
    let printed = Command::new("git").args([command, "-h"]).output().unwrap();
    let usage = [printed.stdout, printed.stderr].concat();
    let usage = String::from_utf8_lossy(&usage).replace("[no-]", "");
    let has = |option: &str| {
        let name = option.split(['=', '{']).next().unwrap_or(option);
        usage.contains(name) || usage.contains(&name.replace("--no-", "--"))
    };
    if !usage.contains("usage: git") {
        return !is_quoted;
    }
    rest.iter().filter(|word| word.starts_with("--")).all(|option| has(option))
}

#[test]
fn every_command_in_a_text_works() {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (file, text) in texts() {
        let own = hints("slotctl", &text).into_iter().map(|hint| (is_slotctl_command(&hint), hint));
        let git = hints("git", &text).into_iter().map(|hint| (is_git_command(&hint), hint));
        for (works, hint) in own.chain(git) {
            if !works {
                wrong.push(format!("{}: {}", file.display(), hint.words.join(" ")));
            }
            seen.insert(hint.words);
        }
    }
    assert!(wrong.is_empty(), "{} commands do not work:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.len() > 60, "{seen:?}");
}

/// Returns the options of the line that a command takes and does not have.
fn lost(hint: &Hint, line: &[String]) -> Vec<String> {
    let mut command = Args::command();
    for word in &hint.words {
        let Some(found) = command.find_subcommand(word).cloned() else { break };
        command = found;
    }
    let options = line.iter().filter_map(|word| word.strip_prefix("--"));
    let takes = |name: &&str| command.get_arguments().any(|one| one.get_long() == Some(name));
    let options = options.filter(takes).map(|name| format!("--{name}"));
    options.filter(|option| !hint.words.contains(option)).collect()
}

/// Tells if a text is neither the beginning of another one nor that of `--help`.
fn is_whole(text: &str) -> bool {
    !text.ends_with(' ') && !text.contains("Examples:")
}

#[test]
fn every_command_in_a_text_gets_the_typed_options() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for line in [
        "slotctl sync --config w.jsonc --env staging --slots-id 1 --components-id 2 --repo ../a \
         --remote upstream --registry r.json",
        "slotctl sync --local 9300 --local-refs",
    ] {
        let line = words(line);
        let grammar = Args::command();
        let typed = TypedOptions::of(grammar.clone(), &grammar.get_matches_from(&line));
        for (file, text) in texts().into_iter().filter(|(_, text)| is_whole(text)) {
            let (before, after) =
                (hints("slotctl", &text), hints("slotctl", &typed.complete(&text)));
            assert_eq!(before.len(), after.len(), "{text}");
            for (before, after) in before.into_iter().zip(after) {
                let is_kept = is_accepted(&after.words) || !is_accepted(&before.words);
                if !is_kept || (after.words != before.words && !lost(&after, &line).is_empty()) {
                    wrong.push(format!("{}: {}", file.display(), after.words.join(" ")));
                }
                seen += usize::from(after.words != before.words);
            }
        }
    }
    assert!(wrong.is_empty(), "{} commands do not work:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen > 100, "{seen}");
}

/// Returns the pages for users: the README and everything in `docs`.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut folders, mut files) = (vec![root.join("docs")], vec![root.join("README.md")]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_page = path.extension().is_some_and(|of| of == "md");
            match path.is_dir() {
                true => folders.push(path),
                false if is_page => files.push(path),
                false => {}
            }
        }
    }
    files
}

/// Finds the commands of `slotctl` in a line of a page: in backticks, or at its beginning. A comment
/// and the `\\` of a continued line are not part of a command. A variable of the shell counts as a
/// placeholder.
fn typed(line: &str) -> Vec<Hint> {
    let line = line.split(" #").next().unwrap_or_default().trim().trim_end_matches(" \\");
    let line = line.strip_prefix("$ ").unwrap_or(line).replace("\"$", "<").replace('"', ">");
    // The synopsis of `--help`, as a command with subcommands prints it.
    let is_typed = line.starts_with("slotctl ") && !line.ends_with("<COMMAND>");
    // The message of a deployment: "slotctl release <id> done".
    let is_message = |hint: &Hint| hint.words.get(1).is_some_and(|word| word.len() == 36);
    let found = hints("slotctl", &line).into_iter();
    found.filter(|hint| hint.is_quoted || (is_typed && !is_message(hint))).collect()
}

#[test]
fn every_command_of_a_page_works() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in pages() {
        for hint in fs::read_to_string(&page).unwrap().lines().flat_map(typed) {
            seen += 1;
            if !is_slotctl_command(&hint) {
                wrong.push(format!("{}: {}", page.display(), hint.words.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} commands do not work:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen > 100, "{seen}");
}

#[test]
fn commands_that_do_not_work_are_found() {
    for (text, works) in [
        ("slotctl tag bump {name} patch", true),
        ("slotctl tag bump {name}", false),
        ("slotctl tag list <type>/<name>; or git fetch --tags", true),
        ("`slotctl tag create` makes it", true),
        ("`slotctl tag crate` makes it", false),
        ("slotctl writes no tag", true),
        ("slotctl sync makes it", false),
        ("slotctl push --tags --force{repo}", true),
        ("slotctl {command} --help", true),
        ("slotctl sync --frobnicate", false),
    ] {
        let found = hints("slotctl", text);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found.iter().all(is_slotctl_command), works, "{text}");
    }
    for (text, works) in [
        ("git fetch --refetch --no-filter", true),
        ("git push --force-with-lease={full}:{id} origin :{full}", true),
        ("git fetch --frobnicate", false),
        ("`git frobnicate`", false),
        ("git is old", true),
    ] {
        assert_eq!(hints("git", text).iter().all(is_git_command), works, "{text}");
    }
    assert_eq!(hints("git", "digit it, slotctl-git it"), []);
}
