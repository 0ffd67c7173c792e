//! The pages of docs/cli: the `--help` of every command. With `UPDATE_DOCS=1`, the test writes
//! them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use super::Args;

/// The width at which the help is wrapped: that of a code block of the site.
const WIDTH: usize = 84;

const INDEX: &str = "README.md";

/// Returns the pages of a command and of its subcommands, by file name.
fn pages(command: &mut Command, name: &str, pages: &mut BTreeMap<String, String>) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let help = command.render_long_help().to_string();
    let lines = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let text = format!("# {name}\n\n{about}.\n\n```text\n{}\n```\n", lines.trim());
    pages.insert(format!("{}.md", name.replace(' ', "-")), text);
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set()) {
        let name = format!("{name} {}", below.get_name());
        self::pages(below, &name, pages);
    }
}

/// Returns the list of the pages.
fn index(pages: &BTreeMap<String, String>) -> String {
    let rows = pages.iter().map(|(file, text)| {
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let name = lines.next().unwrap_or_default().trim_start_matches("# ");
        let about = lines.next().unwrap_or_default().trim_end_matches('.');
        format!("| [`{name}`]({file}) | {about} |\n")
    });
    let rows: String = rows.collect();
    format!(
        "# Commands of slotctl\n\nEach page has the text that `--help` prints. \
         [docs/json.md](../json.md) describes `--json`.\n\n| command | what it does |\n| --- | --- |\n{rows}"
    )
}

/// A longer line would be wrapped in the middle of a paragraph.
#[test]
fn examples_and_explanations_fit_the_width() {
    let mut open = vec![Args::command()];
    while let Some(command) = open.pop() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let long = help.lines().find(|line| line.chars().count() > WIDTH);
        assert_eq!(long, None, "{}", command.get_name());
        open.extend(command.get_subcommands().cloned());
    }
}

#[test]
fn the_command_reference_is_what_help_prints() {
    let mut command = Args::command().disable_help_subcommand(true).term_width(WIDTH);
    // Sets the full names of the subcommands.
    command.build();
    let mut expected = BTreeMap::new();
    pages(&mut command, "slotctl", &mut expected);
    let list = index(&expected);
    expected.insert(INDEX.to_owned(), list);
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        // A page of a command that is gone must not stay.
        fs::remove_dir_all(folder).ok();
        fs::create_dir_all(folder).unwrap();
        expected.iter().for_each(|(file, text)| fs::write(folder.join(file), text).unwrap());
    }
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let written: BTreeMap<String, String> = files
        .map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(file).unwrap().replace("\r\n", "\n"))
        })
        .collect();
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&written), names(&expected));
    for (file, text) in expected {
        assert_eq!(written[&file], text, "docs/cli/{file}: UPDATE_DOCS=1 cargo test -p slotctl");
    }
}
