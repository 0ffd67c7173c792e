//! Mappings, sequences and scalars of YAML and JSON.

use std::collections::BTreeMap;

use super::expression::{Spelled, literals};
use super::literal::{DocumentContents, LintProblem, Literal, Owner, Place, Value};

/// A value of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DocumentNode {
    Mapping(Vec<DocumentEntry>),
    Sequence(Vec<DocumentNode>),
    Text(Text),
    /// An alias, or a value that is not a text.
    Other,
}

/// A key with its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DocumentEntry {
    pub(super) key: String,
    /// Two keys with the same identity are the same key.
    pub(super) identity: String,
    pub(super) line: usize,
    pub(super) value: DocumentNode,
}

/// A scalar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// The first and the last line of the scalar in the file, from 1.
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Adds the texts and the agents of a document to what was found in its file.
pub(super) fn collect(document: &DocumentNode, lines: &[&str], contents: &mut DocumentContents) {
    let mut walk = Walk { lines, contents, keys: Vec::new() };
    let owner = Owner { is_document: true, ..Owner::default() };
    node(&mut walk, document, &owner, 0);
}

struct Walk<'a, 'b> {
    lines: &'a [&'a str],
    contents: &'b mut DocumentContents,
    keys: Vec<String>,
}

fn node(walk: &mut Walk<'_, '_>, value: &DocumentNode, owner: &Owner, begins: usize) {
    match value {
        DocumentNode::Mapping(entries) => mapping(walk, entries, owner),
        DocumentNode::Sequence(items) => {
            let owner = Owner { is_document: false, ..owner.clone() };
            items.iter().for_each(|item| node(walk, item, &owner, begins));
        }
        DocumentNode::Text(text) => walk.contents.literals.extend(parts(walk, text, owner, begins)),
        DocumentNode::Other => {}
    }
}

fn mapping(walk: &mut Walk<'_, '_>, entries: &[DocumentEntry], outer: &Owner) {
    let owner = owner_of(entries, outer, walk.keys.is_empty());
    if let (Some(name), Some(operation)) = (text_at(entries, "name"), text_at(entries, "operation"))
    {
        walk.contents.agents.push((name.to_owned(), operation.to_owned()));
    }
    for entry in entries {
        walk.keys.push(entry.key.clone());
        node(walk, &entry.value, &owner, entry.line);
        walk.keys.pop();
    }
}

/// Returns the agent or step of a mapping; else that of the mapping around it.
fn owner_of(entries: &[DocumentEntry], outer: &Owner, is_document: bool) -> Owner {
    let operation = text_at(entries, "operation").map(str::to_owned);
    let agent = text_at(entries, "agent").map(str::to_owned);
    // `config.operation` of a data agent is not the operation of the agent.
    match (&operation, &agent, &outer.operation) {
        (Some(_), _, None) | (_, Some(_), _) => {
            Owner { operation, agent, is_document: is_document && outer.is_document }
        }
        _ => outer.clone(),
    }
}

fn text_at<'a>(entries: &'a [DocumentEntry], key: &str) -> Option<&'a str> {
    entries.iter().find(|entry| entry.key == key).and_then(|entry| match &entry.value {
        DocumentNode::Text(text) => Some(text.text.as_str()),
        _ => None,
    })
}

fn parts(walk: &Walk<'_, '_>, text: &Text, owner: &Owner, begins: usize) -> Vec<Literal> {
    // The end of a block is the line after it, which the file may lack.
    let lines = text.first.saturating_sub(1)..text.last.min(walk.lines.len());
    let source = walk.lines.get(lines).unwrap_or_default();
    let begins = if begins == 0 { text.first } else { begins };
    let spelled = Spelled { text: &text.text, begins, line: text.first, source: source.to_vec() };
    let (keys, owner) = (walk.keys.clone(), owner.clone());
    literals(&spelled, &Place::Value(Value { keys, owner, ..Value::default() }))
}

/// Returns a problem for each key that a mapping has twice.
pub(super) fn duplicates(document: &DocumentNode, is_error: bool) -> Vec<LintProblem> {
    match document {
        DocumentNode::Sequence(items) => {
            items.iter().flat_map(|item| duplicates(item, is_error)).collect()
        }
        DocumentNode::Mapping(entries) => {
            let mut seen = BTreeMap::new();
            let mut problems = Vec::new();
            for DocumentEntry { key, identity, line, value } in entries {
                if let Some(first) = seen.insert(identity, line) {
                    problems.push(duplicate(key, *line, *first, is_error));
                }
                problems.extend(duplicates(value, is_error));
            }
            problems
        }
        DocumentNode::Text(_) | DocumentNode::Other => Vec::new(),
    }
}

fn duplicate(key: &str, line: usize, first: usize, is_error: bool) -> LintProblem {
    let taken = match is_error {
        true => "the YAML parser of Conductor refuses the file",
        false => "`JSON.parse` takes the last one",
    };
    let what = format!("the key `{key}` is already on line {first}, and {taken}");
    let help = Some("remove or rename one of the two".to_owned());
    LintProblem { line, code: "duplicate-key", is_error, what, help }
}
