//! `slotctl lint`: finds the references of a Conductor project that will not resolve.

mod calls;
mod conductor;
mod expression;
mod files;
mod finding;
mod html;
mod json;
mod judge;
mod literal;
mod nearest;
mod places;
mod readers;
mod reference;
mod script;
mod silence;
mod tree;
mod yaml;

use std::collections::BTreeMap;

use anyhow::Result;
use catalog::conductor::Meaning;
use serde_json::json;

use self::files::LintedFile;
use self::finding::{LintFinding, of_problem, of_verdict, silence, words};
use self::judge::{Level, judge, types};
use self::nearest::Catalogs;
use self::reference::KnownReferences;
use crate::args::LintArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::offline;
use crate::output::count;
use crate::read::ReadPart;

/// The numbers of files and the findings.
#[derive(Debug, Default)]
struct Linted {
    files: usize,
    references: usize,
    findings: Vec<LintFinding>,
}

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, LintArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let source = offline::source(&args.common, &[], output)?;
    let reading = offline::read(&args.common, &source, ReadPart::default())?;
    reading.rollouts.misnamed.iter().for_each(|notice| output.warning(notice));
    let catalogs = offline::catalogs(&reading.desired);
    let linted = lint(&files::read(&args.dir)?, &catalogs);
    let Linted { files, references, findings } = &linted;
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let exit = if errors > 0 { Exit::Drift } else { Exit::Done };
    match args.common.json {
        true => {
            let value = json!({ "files": files, "references": references, "findings": findings });
            output.data(exit, &value)?;
        }
        false => output.print(&words(findings))?,
    }
    let (read, warnings) = (count(*files, "file"), count(findings.len() - errors, "warning"));
    let (asked, errors_text) = (count(*references, "reference"), count(errors, "error"));
    output.say(format_args!("{read}, {asked}: {errors_text}, {warnings}"));
    Ok(exit)
}

fn lint(files: &[LintedFile], catalogs: &Catalogs) -> Linted {
    let exists = |meaning: &Meaning| match meaning {
        Meaning::Content(name, _) | Meaning::Versions(name) => catalogs.contains_key(name),
    };
    let known = KnownReferences { types: types(catalogs), agents: agents(files), exists: &exists };
    let mut linted = Linted { files: files.len(), ..Linted::default() };
    for file in files {
        lint_file(file, &known, catalogs, &mut linted);
    }
    linted
}

fn lint_file(
    file: &LintedFile,
    known: &KnownReferences<'_>,
    catalogs: &Catalogs,
    linted: &mut Linted,
) {
    let LintedFile { name, contents } = file;
    let mut findings: Vec<LintFinding> =
        contents.problems.iter().map(|problem| of_problem(name, problem)).collect();
    for literal in &contents.literals {
        let Some(reference) = places::read(literal, known) else { continue };
        linted.references += 1;
        let verdicts = judge(&reference, catalogs).into_iter();
        findings
            .extend(verdicts.map(|verdict| of_verdict(name, literal, &reference.text, verdict)));
    }
    linted.findings.extend(silence(name, findings, &contents.ignores));
}

/// Returns the operation of each agent of the project. An agent that two files define differently
/// is left out.
fn agents(files: &[LintedFile]) -> BTreeMap<String, String> {
    let mut agents: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (name, operation) in files.iter().flat_map(|file| &file.contents.agents) {
        agents
            .entry(name.clone())
            .and_modify(|known| *known = known.take().filter(|known| known == operation))
            .or_insert_with(|| Some(operation.clone()));
    }
    agents.into_iter().filter_map(|(name, operation)| Some((name, operation?))).collect()
}
