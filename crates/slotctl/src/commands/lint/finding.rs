//! The findings in a file, each with its line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use notice::printable;
use serde::Serialize;

use super::judge::{Level, Verdict};
use super::literal::{Ignore, LintProblem, Literal};

/// A mistake with its file and line.
#[derive(Debug, Serialize)]
pub(super) struct LintFinding {
    file: String,
    line: usize,
    pub(super) level: Level,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// The first line of the value, which a comment can silence too.
    #[serde(skip)]
    begins: usize,
}

/// Returns the finding of a mistake in a reference.
pub(super) fn of_verdict(
    file: &str,
    literal: &Literal,
    text: &str,
    verdict: Verdict,
) -> LintFinding {
    let Verdict { level, code, what, help } = verdict;
    let (file, reference) = (file.to_owned(), Some(text.to_owned()));
    let (line, begins) = (literal.line, literal.begins);
    LintFinding { file, line, level, code, reference, what, help, begins }
}

/// Returns the finding of a problem with the file itself.
pub(super) fn of_problem(file: &str, problem: &LintProblem) -> LintFinding {
    let LintProblem { line, code, is_error, what, help } = problem.clone();
    let level = if is_error { Level::Error } else { Level::Warning };
    let file = file.to_owned();
    LintFinding { file, line, level, code, reference: None, what, help, begins: line }
}

/// Removes silenced findings, and adds a warning for each comment that silences nothing.
pub(super) fn silence(
    file: &str,
    findings: Vec<LintFinding>,
    ignores: &[Ignore],
) -> Vec<LintFinding> {
    let mut used = BTreeSet::new();
    let silenced = |finding: &LintFinding, used: &mut BTreeSet<usize>| {
        let covers =
            |ignore: &&Ignore| ignore.silences == finding.line || ignore.silences == finding.begins;
        let lines: Vec<usize> = ignores.iter().filter(covers).map(|ignore| ignore.line).collect();
        used.extend(&lines);
        !lines.is_empty()
    };
    let mut left: Vec<LintFinding> =
        findings.into_iter().filter(|finding| !silenced(finding, &mut used)).collect();
    let unused = ignores.iter().filter(|ignore| !used.contains(&ignore.line));
    left.extend(unused.map(|ignore| unused_ignore(file, ignore.line)));
    left.sort_by_key(|finding| finding.line);
    left
}

fn unused_ignore(file: &str, line: usize) -> LintFinding {
    let what = "this slotctl-ignore silences nothing".to_owned();
    let help = Some("remove it".to_owned());
    let problem = LintProblem { line, code: "unused-ignore", is_error: false, what, help };
    of_problem(file, &problem)
}

/// Returns one line for each finding in the format of compilers, so that editors find the place.
pub(super) fn words(findings: &[LintFinding]) -> String {
    let mut text = String::new();
    for LintFinding { file, line, level, code, reference, what, help, .. } in findings {
        let level = match level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let reference = reference.as_ref().map_or(String::new(), |text| format!("{text}: "));
        let help = help.as_ref().map_or(String::new(), |help| format!("; instead: {help}"));
        let shown = format!("{file}:{line}: {level}: {reference}{what}{help} [{code}]");
        let _ = writeln!(text, "{}", printable(shown.as_bytes()));
    }
    text
}
