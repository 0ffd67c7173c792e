//! The texts in a file that can be references: YAML scalars, string literals of
//! TypeScript and JavaScript.

use saphyr_parser::{Event, Parser};

/// A text that stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// The line that it begins on, from 1.
    pub(super) line: usize,
    /// What it says.
    pub(super) text: String,
    /// The key whose value it is, in YAML.
    pub(super) key: Option<String>,
    /// The code on the same line in front of it and behind it, in a script.
    pub(super) around: (String, String),
}

impl Literal {
    fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into(), key: None, around: Default::default() }
    }
}

/// Why a file can't be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) why: String,
}

/// What opened, and whether a mapping's next scalar is a key.
enum Open {
    Mapping { key: Option<String> },
    Sequence,
}

/// The scalars of YAML, what stands inside `${...}` in quotes apart; as far as it
/// can be read.
pub(super) fn of_yaml(text: &str) -> (Vec<Literal>, Option<Unreadable>) {
    let (mut literals, mut open) = (Vec::new(), Vec::<Open>::new());
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let why = error.info().to_owned();
                return (literals, Some(Unreadable { line: error.marker().line(), why }));
            }
        };
        match event {
            Event::MappingStart(..) => open.push(Open::Mapping { key: None }),
            Event::SequenceStart(..) => open.push(Open::Sequence),
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                value_read(&mut open);
            }
            Event::Alias(_) => value_read(&mut open),
            Event::Scalar(value, ..) => match open.last_mut() {
                Some(Open::Mapping { key: key @ None }) => *key = Some(value.into_owned()),
                _ => {
                    let key = key_of(&open);
                    let line = span.start.line();
                    let lines = text.lines().skip(line.saturating_sub(1));
                    let source: Vec<&str> = lines.take(span.end.line() + 1 - line).collect();
                    literals.extend(
                        parts(&value, line, &source)
                            .into_iter()
                            .map(|literal| Literal { key: key.clone(), ..literal }),
                    );
                    value_read(&mut open);
                }
            },
            _ => {}
        }
    }
    (literals, None)
}

/// The key that a value stands under; that of a sequence counts for what is in it.
fn key_of(open: &[Open]) -> Option<String> {
    let mut mappings = open.iter().rev().filter_map(|open| match open {
        Open::Mapping { key } => Some(key.clone()),
        Open::Sequence => None,
    });
    mappings.next().flatten()
}

/// The value of a key is complete: the next scalar of the mapping is a key again.
fn value_read(open: &mut [Open]) {
    if let Some(Open::Mapping { key }) = open.last_mut() {
        *key = None;
    }
}

/// A text by itself, or what is quoted in its expressions; `source` are its lines.
fn parts(value: &str, line: usize, source: &[&str]) -> Vec<Literal> {
    let line_of = |text: &str| {
        line + source.iter().position(|source| source.contains(text)).unwrap_or_default()
    };
    if !value.contains("${") {
        let text = value.trim();
        return vec![Literal::new(line_of(text), text)];
    }
    quoted(value).into_iter().map(|text| Literal::new(line_of(text), text)).collect()
}

fn rest_of(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// What stands between quotes.
fn quoted(text: &str) -> Vec<&str> {
    let (mut rest, mut found) = (text, Vec::new());
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let after = rest_of(rest, at);
        let mark = after.chars().next().unwrap_or('"');
        let inside = rest_of(after, 1);
        let Some((literal, next)) = inside.split_once(mark) else { break };
        found.push(literal);
        rest = next;
    }
    found
}

/// The string literals of a script, comments left out. It is a scanner, no parser:
/// a quote inside of a regular expression can hide what follows on its line.
pub(super) fn of_script(text: &str) -> Vec<Literal> {
    let (mut literals, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(c) = rest_of(text, at).chars().next() {
        let rest = rest_of(text, at);
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' | '"' | '`' => {
                let (length, inside) = string(rest, c);
                if let Some(inside) = inside {
                    literals.extend(in_script(text, at, inside, line));
                }
                length
            }
            _ => c.len_utf8(),
        };
        line += rest.get(..length).unwrap_or_default().matches('\n').count();
        at += length;
    }
    literals
}

/// How long a string literal is, and what stands in it if it is closed: a quoted
/// one ends with its line.
fn string(text: &str, quote: char) -> (usize, Option<&str>) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' => return (at, None),
            _ if c == quote => return (at + 1, text.get(1..at)),
            _ => {}
        }
    }
    (text.len(), None)
}

/// A string literal that begins at byte `at`, with the code around it.
fn in_script<'a>(
    text: &'a str,
    at: usize,
    inside: &'a str,
    line: usize,
) -> impl Iterator<Item = Literal> + 'a {
    let source: Vec<&str> = inside.lines().collect();
    let before = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    let after = rest_of(text, at + inside.len() + 2).split(['\n', ';']).next().unwrap_or_default();
    let around = (before.to_owned(), after.to_owned());
    parts(inside, line, &source)
        .into_iter()
        .map(move |literal| Literal { around: around.clone(), ..literal })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(literals: &[Literal]) -> Vec<String> {
        let spell = |Literal { line, text, key, .. }: &Literal| match key {
            Some(key) => format!("{line} {key}: {text}"),
            None => format!("{line} {text}"),
        };
        literals.iter().map(spell).collect()
    }

    #[test]
    fn scalars_with_their_keys_and_lines() {
        let yaml = "\
# component: prompts/not@this
agents:
  - name: a
    component: prompts/a@production
  - name: b
    component: >
      ${Math.random() < env.P
        ? 'prompts/a@v1.1.0'
        : \"prompts/a@v1.0.0\"}
  - { prompt: 'prompts/b@canary', list: [schemas/x@v1.0.0,
      schemas/y@v1.0.0] }
last: &anchor
  inner: |
    some text
    prompts/a@production in prose
again: *anchor
";
        let (literals, error) = of_yaml(yaml);
        assert_eq!(error, None);
        assert_eq!(
            spelled(&literals),
            [
                "3 name: a",
                "4 component: prompts/a@production",
                "5 name: b",
                "8 component: prompts/a@v1.1.0",
                "9 component: prompts/a@v1.0.0",
                "10 prompt: prompts/b@canary",
                "10 list: schemas/x@v1.0.0",
                "11 list: schemas/y@v1.0.0",
                "14 inner: some text\nprompts/a@production in prose",
            ]
        );
    }

    #[test]
    fn what_is_no_yaml_says_where() {
        let (literals, error) = of_yaml("a: prompts/a@production\nb: ${x ? 'c' : 'd'}\n");
        assert_eq!(spelled(&literals), ["1 a: prompts/a@production", "2 b: c"]);
        assert_eq!(error.unwrap().line, 2);
    }

    #[test]
    fn string_literals_without_comments() {
        let script = "\
// 'prompts/a@comment'
const a = 'prompts/a@production' /* \"prompts/b@no\"
*/ + \"prompts/it's@x\"
const t = `prompts/a@v1.0.0`, u = `two
lines ${ok ? 'prompts/a@canary' : \"none\"}`
const e = 'it\\'s', n = 'https://example.com' // prompts
loadComponent('extraction@production', env, 'prompt'); more
const open = 'never closed
const last = 'z'
";
        let literals = of_script(script);
        assert_eq!(
            spelled(&literals),
            [
                "2 prompts/a@production",
                "3 prompts/it's@x",
                "4 prompts/a@v1.0.0",
                "5 prompts/a@canary",
                "5 none",
                "6 it\\'s",
                "6 https://example.com",
                "7 extraction@production",
                "7 prompt",
                "9 z",
            ]
        );
        let call = literals.iter().find(|literal| literal.text == "extraction@production").unwrap();
        assert_eq!(call.around, ("loadComponent(".to_owned(), ", env, 'prompt')".to_owned()));
    }
}
