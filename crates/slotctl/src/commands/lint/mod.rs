//! `slotctl lint`: which references of a Conductor project will not resolve.

mod judge;
mod literal;
mod reference;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ignore::WalkBuilder;
use notice::printable;
use serde::Serialize;
use serde_json::json;

use self::judge::{Judge, Level, Verdict};
use self::literal::Literal;
use crate::args::LintArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::offline;
use crate::output::count;
use crate::read::Part;

/// What is wrong, and where.
#[derive(Debug, Serialize)]
struct Finding {
    file: String,
    line: usize,
    level: Level,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// What was read, and what came of it.
#[derive(Debug, Default)]
struct Linted {
    files: usize,
    references: usize,
    findings: Vec<Finding>,
}

/// A file that is read, by its extension.
#[derive(Clone, Copy)]
enum Kind {
    Yaml,
    Script,
}

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, LintArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. What there is.
    let reading = offline::read(&args.common, Part::default())?;
    let judge = Judge::new(offline::catalogs(&reading.desired));
    // 2. What the project asks for.
    let mut linted = Linted::default();
    for (path, kind) in files(&args.dir)? {
        lint(&judge, &args.dir, &path, kind, &mut linted)?;
    }
    // 3. Told.
    let Linted { files, references, findings } = &linted;
    match args.common.json {
        true => output.data(&json!({
            "command": "lint", "files": files, "references": references, "findings": findings,
        }))?,
        false => output.print(&words(findings))?,
    }
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let (read, warnings) = (count(*files, "file"), count(findings.len() - errors, "warning"));
    let (asked, errors_text) = (count(*references, "reference"), count(errors, "error"));
    output.say(format_args!("{read}, {asked}: {errors_text}, {warnings}"));
    Ok(if errors > 0 { Exit::Drift } else { Exit::Done })
}

/// The files of a project that Git would not ignore, in the order of their names.
fn files(dir: &Path) -> Result<Vec<(PathBuf, Kind)>> {
    if !dir.is_dir() {
        bail!("{} is no folder", dir.display());
    }
    let mut walk = WalkBuilder::new(dir);
    // A project's .gitignore counts also where the project is no repository yet.
    walk.require_git(false).filter_entry(|entry| entry.file_name() != "node_modules");
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("can't read {}", dir.display()))?;
        let kind = match entry.path().extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => Kind::Yaml,
            Some("ts" | "tsx" | "mts" | "cts" | "js" | "jsx" | "mjs" | "cjs") => Kind::Script,
            _ => continue,
        };
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push((entry.into_path(), kind));
        }
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}

fn lint(judge: &Judge, dir: &Path, path: &Path, kind: Kind, linted: &mut Linted) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let file = path.strip_prefix(dir).unwrap_or(path).display().to_string();
    linted.files += 1;
    let (literals, unreadable) = match kind {
        Kind::Yaml => literal::of_yaml(&text),
        Kind::Script => (literal::of_script(&text), None),
    };
    let types = judge.types();
    for literal in &literals {
        let Some(reference) = reference::read(literal, &types) else { continue };
        linted.references += 1;
        let found = judge.judge(&reference).into_iter();
        linted.findings.extend(found.map(|verdict| finding(&file, literal, verdict)));
    }
    if let Some(literal::Unreadable { line, why }) = unreadable {
        let what = format!("this is no YAML, so what follows is not read: {why}");
        let help = "a text with ': ' or ' #' in it is put in quotes".to_owned();
        let (level, code) = (Level::Error, "no-yaml");
        linted.findings.push(Finding {
            file,
            line,
            level,
            code,
            reference: None,
            what,
            help: Some(help),
        });
    }
    Ok(())
}

fn finding(file: &str, literal: &Literal, verdict: Verdict) -> Finding {
    let Verdict { level, code, what, help } = verdict;
    let (file, line) = (file.to_owned(), literal.line);
    Finding { file, line, level, code, reference: Some(literal.text.clone()), what, help }
}

/// A line a finding, as compilers write it, so that editors find the place.
fn words(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { file, line, level, code, reference, what, help } in findings {
        let level = match level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let reference = reference.as_ref().map_or(String::new(), |text| format!("{text}: "));
        let help = help.as_ref().map_or(String::new(), |help| format!("; instead: {help}"));
        let said = format!("{file}:{line}: {level}: {reference}{what}{help} [{code}]");
        let _ = writeln!(text, "{}", printable(said.as_bytes()));
    }
    text
}
