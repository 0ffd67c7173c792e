//! Errors in the command line that are found before a command runs.

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::args::Args;
use crate::exit::Exit;
use crate::output::{ErrorCode, Output, ReportedError};

/// Prints the error or the requested help, and returns the exit code. If the command line contains
/// `--json`, an error is printed to stdout as JSON too.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if error.use_stderr() && has_json(&words) {
        let command = command(&words);
        let reported = reported(&error.render().to_string(), command.as_deref());
        // The message on stderr follows in any case.
        let _ = Output::new(command).failed(Exit::Usage, &reported);
    }
    // As `clap` does, an error of the terminal is ignored.
    let _ = error.print();
    match error.use_stderr() {
        true => Exit::Usage.into(),
        false => Exit::Done.into(),
    }
}

/// Tells if the words contain the option `--json`; after `--`, all words are arguments.
fn has_json(words: &[String]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// Returns the command that the first words name: `sync`, `tag create`.
fn command(words: &[String]) -> Option<String> {
    let (mut within, mut names) = (Args::command(), Vec::new());
    for word in words {
        let Some(found) = within.find_subcommand(word).cloned() else { break };
        names.push(found.get_name().to_owned());
        within = found;
    }
    (!names.is_empty()).then(|| names.join(" "))
}

/// Converts clap's text: its first paragraph is the error, and a `tip` is advice.
fn reported(text: &str, command: Option<&str>) -> ReportedError {
    let mut paragraphs = text.split("\n\n").map(one_line);
    let what = paragraphs.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(&what).to_owned();
    let tip = paragraphs.find_map(|paragraph| Some(paragraph.strip_prefix("tip: ")?.to_owned()));
    let help = tip.unwrap_or_else(|| match command {
        Some(command) => format!("slotctl {command} --help"),
        None => "slotctl --help".to_owned(),
    });
    ReportedError { code: Some(ErrorCode::Usage), subject: None, what, help: Some(help) }
}

fn one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_command_is_read_from_the_first_words() {
        for (line, expected) in [
            ("sync --prune", Some("sync")),
            ("tag create prompts/a", Some("tag create")),
            ("rollout plan --keys f", Some("rollout plan")),
            ("rollout prompts/a plan", Some("rollout")),
            ("tag", Some("tag")),
            ("snyc --json", None),
            ("--json sync", None),
        ] {
            assert_eq!(command(&words(line)).as_deref(), expected, "{line}");
        }
        assert!(has_json(&words("sync --json")) && !has_json(&words("sync -- --json")));
    }

    #[test]
    fn the_text_of_clap_becomes_an_error_with_advice() {
        for (line, what, help) in [
            (
                "slotctl sync --prnue",
                "unexpected argument '--prnue' found",
                "a similar argument exists: '--prune'",
            ),
            (
                "slotctl history",
                "the following required arguments were not provided: <TYPE/NAME>",
                "slotctl history --help",
            ),
        ] {
            let error = Args::try_parse_from(line.split(' ')).unwrap_err();
            let name = command(&words(line)[1..]);
            let reported = reported(&error.render().to_string(), name.as_deref());
            assert_eq!((reported.what.as_str(), reported.help.as_deref()), (what, Some(help)));
        }
    }
}
