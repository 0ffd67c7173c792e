//! The parts of a text: the whole text, the quoted texts in its expressions, and the partials
//! of a template.

use super::literal::{Literal, Owner, Place, Value};

/// A text that a file contains, and the lines of the file that spell it.
pub(super) struct Spelled<'a> {
    pub(super) text: &'a str,
    /// The line of the key or of the call, from 1.
    pub(super) begins: usize,
    /// The line of the first element of `source`, from 1.
    pub(super) line: usize,
    pub(super) source: Vec<&'a str>,
}

/// Returns the whole text, or the quoted texts inside its `${…}`, and all its partials.
pub(super) fn literals(spelled: &Spelled<'_>, place: &Place) -> Vec<Literal> {
    let Spelled { text, begins, .. } = *spelled;
    let place_each = |parts: Vec<&str>, place: &Place| -> Vec<Literal> {
        let mut from = (0, 0);
        let mut literal = |text: &str| {
            let line = line_of(spelled, text.trim(), &mut from);
            Literal { line, begins, text: text.to_owned(), place: place.clone() }
        };
        parts.into_iter().map(&mut literal).collect()
    };
    let owner = match place {
        Place::Value(Value { owner, .. }) => owner.clone(),
        _ => Owner::default(),
    };
    let partials = partials(text);
    let mut found = match text.contains("${") {
        true => place_each(quoted(text), place),
        false if partials.is_empty() => place_each(vec![text], place),
        false => Vec::new(),
    };
    found.extend(place_each(partials, &Place::Partial(owner)));
    found
}

/// Returns the line of the file that contains a part of the text. The search begins at `from`, a
/// line of the source and a byte in it, which then moves behind the part.
fn line_of(spelled: &Spelled<'_>, part: &str, from: &mut (usize, usize)) -> usize {
    let (first, column) = *from;
    for (at, line) in spelled.source.iter().enumerate().skip(first) {
        let skipped = if at == first { column } else { 0 };
        if let Some(found) = line.get(skipped..).and_then(|rest| rest.find(part)) {
            *from = (at, skipped + found + part.len());
            return spelled.line + at;
        }
    }
    // The part was not found: it is spelled with escapes in the file.
    spelled.line + first
}

/// Returns the texts between quotes.
fn quoted(text: &str) -> Vec<&str> {
    let (mut rest, mut found) = (text, Vec::new());
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let after = rest.get(at..).unwrap_or_default();
        let mark = after.chars().next().unwrap_or('"');
        let inside = after.get(1..).unwrap_or_default();
        let Some((literal, next)) = inside.split_once(mark) else { break };
        found.push(literal);
        rest = next;
    }
    found
}

/// Returns the names of the partials, `{{> name arguments}}`, as Conductor's template engine
/// reads them.
pub(super) fn partials(text: &str) -> Vec<&str> {
    let inside = text.split("{{>").skip(1).filter_map(|rest| rest.split_once("}}"));
    inside.filter_map(|(inside, _)| inside.split_whitespace().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_whole_texts_quoted_strings_or_partials() {
        let texts = |text: &str| -> Vec<String> {
            let source = text.lines().collect();
            let spelled = Spelled { text, begins: 1, line: 1, source };
            let found = literals(&spelled, &Place::Script);
            found.iter().map(|literal| format!("{} {}", literal.line, literal.text)).collect()
        };
        assert_eq!(texts("prompts/a@b"), ["1 prompts/a@b"]);
        assert_eq!(texts("${a\n ? 'b' : \"c\"}"), ["2 b", "2 c"]);
        assert_eq!(texts("<p>\n{{> a://b t=\"1\"}}{{>c}}"), ["2 a://b", "2 c"]);
        assert_eq!(texts("${a} {{> b }}"), ["1 b"]);
        assert_eq!(texts("{{> a}}{{> a}}\n{{> a}}"), ["1 a", "1 a", "2 a"]);
        assert_eq!(texts("{{> open"), ["1 {{> open"]);
    }
}
