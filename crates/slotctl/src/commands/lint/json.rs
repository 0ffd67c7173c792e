//! Reads JSON, also with comments.

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

use super::literal::{DocumentContents, Ignore, Lines, LintProblem, lines_of};
use super::silence::{ignore_at, silences};
use super::tree::{DocumentEntry, DocumentNode, Text, collect, duplicates};

/// Returns the contents of a file; only a problem if it is not JSON.
pub(super) fn read(text: &str) -> DocumentContents {
    let comments = CommentCollectionStrategy::Separate;
    let collect_options = CollectOptions { comments, tokens: false };
    let parsed = match parse_to_ast(text, &collect_options, &ParseOptions::default()) {
        Ok(parsed) => parsed,
        Err(error) => return not_json(error.line_display(), &error.kind().to_string()),
    };
    let lines = lines_of(text);
    let mut contents = DocumentContents::default();
    if let Some(value) = &parsed.value {
        let document = node(value, &lines);
        contents.problems = duplicates(&document, false);
        collect(&document, &text.lines().collect::<Vec<_>>(), &mut contents);
    }
    let comments = parsed.comments.into_iter().flat_map(std::collections::HashMap::into_values);
    let all = comments.flat_map(|comments| comments.iter().cloned().collect::<Vec<_>>());
    let silencing = all.filter(|comment| silences(comment.text()));
    contents.ignores =
        silencing.map(|comment| ignore_at(text, &lines, comment.start(), comment.end())).collect();
    unique(&mut contents.ignores);
    contents
}

/// Removes duplicates: a comment before one token and after another is reported twice.
fn unique(ignores: &mut Vec<Ignore>) {
    ignores.sort_by_key(|ignore| ignore.line);
    ignores.dedup();
}

fn not_json(line: usize, why: &str) -> DocumentContents {
    let what = format!("this is not JSON, and the file is not read: {why}");
    let problem = LintProblem { line, code: "no-json", is_error: false, what, help: None };
    DocumentContents { problems: vec![problem], ..DocumentContents::default() }
}

fn node(value: &Value<'_>, lines: &Lines) -> DocumentNode {
    match value {
        Value::StringLit(text) => {
            let line = lines.at(text.range.start);
            DocumentNode::Text(Text { text: text.value.to_string(), first: line, last: line })
        }
        Value::Array(array) => {
            DocumentNode::Sequence(array.elements.iter().map(|value| node(value, lines)).collect())
        }
        Value::Object(object) => {
            let entry = |property: &jsonc_parser::ast::ObjectProp<'_>| {
                let key = name(&property.name);
                let line = lines.at(property.range.start);
                DocumentEntry {
                    identity: key.clone(),
                    key,
                    line,
                    value: node(&property.value, lines),
                }
            };
            DocumentNode::Mapping(object.properties.iter().map(entry).collect())
        }
        _ => DocumentNode::Other,
    }
}

fn name(name: &ObjectPropName<'_>) -> String {
    match name {
        ObjectPropName::String(text) => text.value.to_string(),
        ObjectPropName::Word(word) => word.value.to_owned(),
    }
}
