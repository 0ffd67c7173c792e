//! Reads TypeScript and JavaScript: the texts, and the calls that they are arguments of.

mod names;
mod texts;

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit as _;
use oxc_parser::{Parser, ParserReturn};
use oxc_span::SourceType;

use self::names::ImportedNames;
use super::literal::{DocumentContents, Ignore, Lines, LintProblem, lines_of};
use super::silence::{ignore_at, in_markup, silences};

/// Returns the contents of a script, as far as it can be parsed; `path` determines the language.
pub(super) fn read(path: &Path, text: &str) -> DocumentContents {
    let kind = SourceType::from_path(path).unwrap_or_default();
    // JSX in a `.js` file is common, and no other syntax is spelled like it.
    let kind = if kind.is_javascript() { kind.with_jsx(true) } else { kind };
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, kind).parse();
    let lines = lines_of(text);
    let mut names = ImportedNames::default();
    names.visit_program(&parsed.program);
    let mut contents = texts::read(&parsed.program, text, &names);
    contents.ignores = comments(&parsed, text, &lines);
    contents.problems =
        if parsed.panicked { vec![not_a_script(&parsed, &lines)] } else { Vec::new() };
    contents
}

fn comments(parsed: &ParserReturn<'_>, text: &str, lines: &Lines) -> Vec<Ignore> {
    let mut ignores = in_markup(text, lines);
    for comment in &parsed.program.comments {
        let (inside, span) = (comment.content_span(), comment.span);
        if text.get(inside.start as usize..inside.end as usize).is_some_and(silences) {
            ignores.push(ignore_at(text, lines, span.start as usize, span.end as usize));
        }
    }
    ignores.sort_by_key(|ignore| ignore.line);
    ignores
}

fn not_a_script(parsed: &ParserReturn<'_>, lines: &Lines) -> LintProblem {
    let error = parsed.errors.first();
    let why = error.map(|error| error.message.to_string()).unwrap_or_default();
    let label = error.and_then(|error| error.labels.as_ref()?.first().cloned());
    let line = label.map_or(1, |label| lines.at(label.offset()));
    let what = format!("this cannot be parsed, and the file is not read: {why}");
    LintProblem { line, code: "no-script", is_error: false, what, help: None }
}
