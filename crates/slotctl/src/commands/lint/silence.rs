//! Comments that silence a line: `# slotctl-ignore`, `// slotctl-ignore`,
//! `<!-- slotctl-ignore -->`.
//!
//! A comment after something on its line silences that line. A comment on a line of its own
//! silences the next line. Findings of a value of several lines are also silenced by a
//! comment that silences the line of its key. The rest of the comment is for people.

use super::literal::{Ignore, Lines};

const WORD: &str = "slotctl-ignore";

/// Tells if a comment, without its marks, silences a line.
pub(super) fn silences(comment: &str) -> bool {
    let rest = comment.trim_start_matches([' ', '\t', '*', '-', '!']).strip_prefix(WORD);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
}

/// Returns the comment at `start..end`, both in bytes. Marks of JSX (`{/* … */}`) around it do not
/// count.
pub(super) fn ignore_at(text: &str, lines: &Lines, start: usize, end: usize) -> Ignore {
    let before = text.get(..start).and_then(|text| text.rsplit('\n').next()).unwrap_or_default();
    let after = text.get(end..).and_then(|text| text.split('\n').next()).unwrap_or_default();
    let is_blank = |text: &str, mark: char| text.trim().trim_matches(mark).is_empty();
    let alone = is_blank(before, '{') && is_blank(after, '}');
    let line = lines.at(start);
    let silences = if alone { lines.at(end.saturating_sub(1)) + 1 } else { line };
    Ignore { line, silences }
}

/// Returns the comments of HTML and of Handlebars that silence a line.
pub(super) fn in_markup(text: &str, lines: &Lines) -> Vec<Ignore> {
    const MARKS: [(&str, &str); 3] = [("<!--", "-->"), ("{{!--", "--}}"), ("{{!", "}}")];
    let mut ignores: Vec<Ignore> = Vec::new();
    for (open, close) in MARKS {
        for (start, _) in text.match_indices(open) {
            let inside = text.get(start + open.len()..).unwrap_or_default();
            let Some((comment, _)) = inside.split_once(close) else { continue };
            if silences(comment) {
                let end = start + open.len() + comment.len() + close.len();
                ignores.push(ignore_at(text, lines, start, end));
            }
        }
    }
    ignores.sort_by_key(|ignore| ignore.line);
    ignores.dedup();
    ignores
}

#[cfg(test)]
mod tests {
    use super::super::literal::lines_of;
    use super::*;

    #[test]
    fn only_a_comment_that_begins_with_the_exact_word_silences() {
        for (comment, expected) in [
            (" slotctl-ignore", true),
            ("slotctl-ignore: the agent is made at run time", true),
            ("* slotctl-ignore ", true),
            (" slotctl-ignored", false),
            (" see slotctl-ignore", false),
            (" slotctl-ignore-file", false),
        ] {
            assert_eq!(silences(comment), expected, "{comment}");
        }
    }

    #[test]
    fn a_comment_on_its_own_line_silences_the_next_line() {
        let text = "<p>\n  <!-- slotctl-ignore -->\n</p> <!-- slotctl-ignore because -->\n";
        let ignores = in_markup(text, &lines_of(text));
        assert_eq!(ignores, [Ignore { line: 2, silences: 3 }, Ignore { line: 3, silences: 3 }]);
    }
}
