//! The plan and the result as Markdown, for the summary of a CI job.

use std::fmt::{Display, Write as _};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use catalog::record::SlotRecord;
use notice::{Notice, printable};
use reconcile::plan::{Plan, Stage, Write, traffic, way_out};
use reconcile::tag::TagTarget;

use super::outcome::SyncOutcome;
use super::report::SyncReport;
use super::show::up_to_date;
use crate::output::{Output, count};

/// The largest number of rows of a table: GitHub accepts 1 MiB of summary per step.
const ROWS: usize = 500;

/// Appends the summary to a file, as GitHub's `$GITHUB_STEP_SUMMARY` requires.
pub(super) fn append(report: &SyncReport<'_>, outcome: &SyncOutcome, file: &Path) -> Result<()> {
    let open = OpenOptions::new().create(true).append(true).open(file);
    open.and_then(|mut open| open.write_all(markdown(report, outcome).as_bytes()))
        .with_context(|| format!("cannot write the summary to {}", file.display()))
}

fn markdown(report: &SyncReport<'_>, outcome: &SyncOutcome) -> String {
    let SyncReport { session, plan, reading } = report;
    let env = session.target.environment.as_deref().unwrap_or("local");
    let mut text = format!("### slotctl sync: {}\n\n{}\n\n", cell(env), gist(report, outcome));
    let moved = plan.stage(Stage::Slots).filter_map(slot);
    table(&mut text, ["Slot", "From", "To", "Change"], moved);
    let held = plan.held.iter().map(|held| {
        let key = format!("{}@{}", held.name, held.record.slot);
        let hold = held.record.hold.as_ref();
        let why = hold.map(|hold| format!("{}, by {}", hold.reason, hold.by));
        let wanted = held.wanted.as_ref().map_or("–".to_owned(), traffic);
        [
            key,
            traffic(&held.record),
            wanted,
            why.unwrap_or_default(),
            session.output.completed(&way_out(held)),
        ]
    });
    table(&mut text, ["On hold", "Serves", "Git says", "Why", "To make Git agree"], held);
    let refused = reading.refused.iter().chain(&plan.refused).chain(&plan.blocked);
    table(
        &mut text,
        ["Refused", "Why", "What to do"],
        refused.map(|of| notice(of, session.output)),
    );
    let warnings = reading.warnings.iter().chain(&plan.warnings);
    table(
        &mut text,
        ["Warning", "What", "What to do"],
        warnings.map(|of| notice(of, session.output)),
    );
    let rebuild = reading.logic.iter().map(|tag| {
        let what = match &tag.target {
            TagTarget::Version(version) => version.to_string(),
            TagTarget::Slot(slot) => format!("{slot}: {}", tag.version),
        };
        [format!("logic/{}", tag.name), what, tag.commit.to_string()]
    });
    table(&mut text, ["Needs a rebuild", "Tag", "Commit"], rebuild);
    text
}

/// Summarizes the result in one paragraph, and the error that stopped the sync in another.
fn gist(report: &SyncReport<'_>, outcome: &SyncOutcome) -> String {
    let SyncReport { session, plan, .. } = report;
    let written: usize = outcome.written.values().sum();
    let mut gist = match (written, plan.is_empty(), session.args.dry_run) {
        (0, true, _) => format!("Nothing to write: {}.", up_to_date(plan)),
        (_, _, true) => format!("A plan; nothing was written.{}", new_versions(plan)),
        _ => format!("{} written, {} deleted.", keys(written), keys(outcome.deleted)),
    };
    if let Some(error) = &outcome.error {
        let _ = write!(gist, "\n\n**Stopped:** {}", cell(&format!("{error:#}")));
    }
    gist
}

fn keys(number: usize) -> String {
    count(number, "key")
}

fn new_versions(plan: &Plan) -> String {
    match plan.stage(Stage::Versions).count() {
        0 => String::new(),
        number => format!(" {} new or changed.", count(number, "version")),
    }
}

fn slot(write: &Write) -> Option<[String; 4]> {
    let Write::Slot { record, before, .. } = write else { return None };
    let (key, words) = (write.key().to_string(), write.to_string());
    let change = words.strip_prefix(&format!("{key}: ")).unwrap_or(&words).to_owned();
    Some([key, version(before.as_deref()), version(Some(record)), change])
}

fn version(record: Option<&SlotRecord>) -> String {
    let own = record.and_then(SlotRecord::own_version);
    own.map_or("–".to_owned(), ToString::to_string)
}

fn notice(notice: &Notice, output: &Output) -> [String; 3] {
    let Notice { subject, what, help } = notice;
    let help = help.as_deref().map(|help| output.completed(help));
    [subject.clone(), what.clone(), help.unwrap_or_default()]
}

/// Writes a table, unless it has no rows.
fn table<const N: usize>(
    text: &mut String,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let rows: Vec<[String; N]> = rows.collect();
    if rows.is_empty() {
        return;
    }
    line(text, head.iter());
    line(text, head.iter().map(|_| "---"));
    for row in rows.iter().take(ROWS) {
        line(text, row.iter().map(|text| cell(text)));
    }
    if let Some(more) = rows.len().checked_sub(ROWS).filter(|more| *more > 0) {
        let _ = write!(text, "\nAnd {}.\n", count(more, "more row"));
    }
    text.push('\n');
}

fn line(text: &mut String, cells: impl Iterator<Item = impl Display>) {
    for cell in cells {
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

/// Escapes a text for a cell, so that nothing in it is read as Markdown or HTML: names of
/// tags and texts of commits are not trusted.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in printable(text.as_bytes()).chars() {
        match c {
            '&' => cell.push_str("&amp;"),
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '@' => cell.push_str("&#64;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' | '$' => {
                cell.extend(['\\', c]);
            }
            _ => cell.push(c),
        }
    }
    // GitHub turns URLs into links without any markup.
    cell.replace("://", ":&#47;&#47;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_escape_markdown() {
        for (text, expected) in [
            ("prompts/a@production", "prompts/a&#64;production"),
            ("a|b`c`\n**d**", "a\\|b\\`c\\`\\n\\*\\*d\\*\\*".replace("\\n", "\\\\n").as_str()),
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("[x](https://e.com)", "\\[x\\](https:&#47;&#47;e.com)"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn long_tables_are_truncated() {
        let mut text = String::new();
        table(&mut text, ["A"], std::iter::empty());
        assert_eq!(text, "");
        table(&mut text, ["A"], (0..ROWS + 2).map(|row| [row.to_string()]));
        assert!(text.starts_with("| A |\n| --- |\n| 0 |\n"));
        assert!(text.ends_with("| 499 |\n\nAnd 2 more rows.\n\n"));
    }
}
