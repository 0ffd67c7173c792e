//! Reads YAML as npm's `yaml` does, which Conductor uses.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::literal::{DocumentContents, Ignore, LintProblem, lines_of};
use super::silence::{ignore_at, in_markup, silences};
use super::tree::{DocumentEntry, DocumentNode, Text, collect, duplicates};

/// Returns the contents of a file, as far as it is YAML.
pub(super) fn read(text: &str) -> DocumentContents {
    let lines: Vec<&str> = text.lines().collect();
    let mut contents = DocumentContents::default();
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => add(&mut builder, event, span),
            Err(error) => {
                contents.problems.push(not_yaml(error.marker().line(), error.info()));
                break;
            }
        }
    }
    close_all(&mut builder);
    for document in &builder.documents {
        contents.problems.extend(duplicates(document, true));
        collect(document, &lines, &mut contents);
    }
    contents.problems.sort_by_key(|problem| problem.line);
    contents.ignores = comments(text, &builder.scalars);
    contents
}

fn not_yaml(line: usize, why: &str) -> LintProblem {
    let what = format!("this is not YAML, and the rest of the file is not read: {why}");
    let help = Some("put a text that contains `: ` or ` #` in quotes".to_owned());
    LintProblem { line, code: "no-yaml", is_error: true, what, help }
}

/// Builds nodes out of events.
#[derive(Default)]
struct Builder {
    open: Vec<OpenCollection>,
    documents: Vec<DocumentNode>,
    /// The ranges of the scalars, in characters.
    scalars: Vec<(usize, usize)>,
}

enum OpenCollection {
    Mapping { entries: Vec<DocumentEntry>, key: Option<MappingKey> },
    Sequence(Vec<DocumentNode>),
}

struct MappingKey {
    text: String,
    identity: String,
    line: usize,
}

fn add(builder: &mut Builder, event: Event<'_>, span: Span) {
    match event {
        Event::MappingStart(..) => {
            builder.open.push(OpenCollection::Mapping { entries: Vec::new(), key: None });
        }
        Event::SequenceStart(..) => builder.open.push(OpenCollection::Sequence(Vec::new())),
        Event::MappingEnd | Event::SequenceEnd => close(builder),
        Event::Alias(_) => put(builder, DocumentNode::Other, None, span.start.line()),
        Event::Scalar(text, style, ..) => {
            builder.scalars.push((span.start.index(), span.end.index()));
            let identity = identity(&text, style);
            let (first, last) = (span.start.line(), span.end.line());
            let node = DocumentNode::Text(Text { text: text.into_owned(), first, last });
            put(builder, node, Some(identity), first);
        }
        _ => {}
    }
}

fn close(builder: &mut Builder) {
    let node = match builder.open.pop() {
        Some(OpenCollection::Mapping { entries, .. }) => DocumentNode::Mapping(entries),
        Some(OpenCollection::Sequence(items)) => DocumentNode::Sequence(items),
        None => return,
    };
    put(builder, node, None, 0);
}

/// Closes the nodes that were open when the file stopped being YAML.
fn close_all(builder: &mut Builder) {
    while !builder.open.is_empty() {
        close(builder);
    }
}

/// Adds a node to the innermost open one. A text has an identity, by which keys are compared.
fn put(builder: &mut Builder, node: DocumentNode, identity: Option<String>, line: usize) {
    match builder.open.last_mut() {
        None => builder.documents.push(node),
        Some(OpenCollection::Sequence(items)) => items.push(node),
        Some(OpenCollection::Mapping { entries, key }) => match key.take() {
            Some(MappingKey { text, identity, line }) => {
                entries.push(DocumentEntry { key: text, identity, line, value: node });
            }
            None => *key = Some(key_of(node, identity, line, entries.len())),
        },
    }
}

/// Returns a key. A key that is not a scalar equals no other key.
fn key_of(node: DocumentNode, identity: Option<String>, line: usize, at: usize) -> MappingKey {
    match (node, identity) {
        (DocumentNode::Text(text), Some(identity)) => {
            MappingKey { text: text.text, identity, line }
        }
        _ => MappingKey { text: String::new(), identity: format!("\0{at}"), line },
    }
}

/// Returns the value that npm's `yaml` compares: `1` and `0x1` are one key and `"1"` is another.
fn identity(text: &str, style: ScalarStyle) -> String {
    let number = match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok().map(|number| number.to_string()),
        None if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            text.parse::<f64>().ok().map(|number| number.to_string())
        }
        None => None,
    };
    match (style, text, number) {
        (ScalarStyle::Plain, "null" | "Null" | "NULL" | "~" | "", _) => "\0null".to_owned(),
        (ScalarStyle::Plain, "true" | "True" | "TRUE", _) => "\0true".to_owned(),
        (ScalarStyle::Plain, "false" | "False" | "FALSE", _) => "\0false".to_owned(),
        (ScalarStyle::Plain, _, Some(number)) => format!("\0{number}"),
        _ => text.to_owned(),
    }
}

/// Returns the comments that silence a line: `#` outside a scalar, and those of a template inside
/// one.
fn comments(text: &str, scalars: &[(usize, usize)]) -> Vec<Ignore> {
    let lines = lines_of(text);
    let mut ignores = in_markup(text, &lines);
    let hashes = text.char_indices().enumerate().filter(|(_, (_, c))| *c == '#');
    for (at, (offset, _)) in hashes {
        let (before, rest) = text.split_at_checked(offset).unwrap_or_default();
        let rest = rest.lines().next().unwrap_or_default();
        let begins = before.is_empty() || before.ends_with([' ', '\t', '\n']);
        let inside = || scalars.iter().any(|(start, end)| (*start..*end).contains(&at));
        if begins && silences(rest.trim_start_matches('#')) && !inside() {
            ignores.push(ignore_at(text, &lines, offset, offset + rest.len()));
        }
    }
    ignores.sort_by_key(|ignore| ignore.line);
    ignores
}
