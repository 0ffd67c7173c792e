//! Finds the nearest existing name: the name that a mistyped one was probably meant to be.
//!
//! A general edit distance costs the product of both lengths. Here at most `MAX_SLIPS`
//! typing errors are tried out, and a search stops after a number of bytes, so that a
//! request for an unknown name stays cheap however many names exist.

/// The maximum number of typing errors between a name and a suggestion.
const MAX_SLIPS: usize = 2;

/// The maximum number of bytes that the searches of one request compare: enough for ten
/// thousand names of usual length.
pub const BUDGET: usize = 500_000;

/// Finds the name that differs from `wanted` by the fewest typing errors, or that `wanted`
/// abbreviates, or to which it adds the extension of a file. Returns the first of several, or `None` if each is a different word. A typing
/// error is a byte that is missing, added, different or swapped with the next one. Letter case
/// is ignored. Subtracts the compared bytes from `budget`, and ends when it is used up.
pub fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
    budget: &mut usize,
) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for name in names.into_iter().filter(|name| *name != wanted) {
        if *budget == 0 {
            break;
        }
        let Some(slips) = slips_of_name(wanted, name, budget) else { continue };
        if best.is_none_or(|(least, _)| slips < least) {
            best = Some((slips, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Counts the typing errors between two words. Returns `None` if there are more than `most`.
pub fn typing_errors(a: &str, b: &str, most: usize) -> Option<usize> {
    slips(a.as_bytes(), b.as_bytes(), most, &mut usize::MAX.clone())
}

/// Counts the typing errors in a name: those in its type plus those after it. Short parts may
/// have fewer, because other words are equally near.
fn slips_of_name(wanted: &str, name: &str, budget: &mut usize) -> Option<usize> {
    let (kind, path) = wanted.split_once('/').unwrap_or(("", wanted));
    let (other_kind, other_path) = name.split_once('/').unwrap_or(("", name));
    let in_kind = slips(kind.as_bytes(), other_kind.as_bytes(), allowed(kind), budget)?;
    let abbreviated = (3..other_path.len()).contains(&path.len()) && other_path.starts_with(path);
    // `extraction.md` is the file of `extraction`.
    let is_file = path.strip_prefix(other_path).is_some_and(|rest| rest.starts_with('.'));
    let in_path = match abbreviated || is_file {
        true => MAX_SLIPS,
        false => slips(path.as_bytes(), other_path.as_bytes(), allowed(path), budget)?,
    };
    Some(in_kind + in_path).filter(|slips| *slips <= MAX_SLIPS)
}

fn allowed(part: &str) -> usize {
    (part.len() / 3).min(MAX_SLIPS)
}

/// Counts the typing errors between two texts (optimal string alignment). Returns `None` if
/// there are more than `left`.
fn slips(a: &[u8], b: &[u8], left: usize, budget: &mut usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > left {
        *budget = budget.saturating_sub(1);
        return None;
    }
    let same = a.iter().zip(b).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    *budget = budget.saturating_sub(same + 1);
    let (a, b) = (a.get(same..)?, b.get(same..)?);
    if a.is_empty() && b.is_empty() {
        return Some(0);
    }
    let left = left.checked_sub(1)?;
    let swapped = matches!((a, b), ([a, c, ..], [b, d, ..]) if a == d && c == b);
    let ways = [(1, 1), (1, 0), (0, 1), (2, 2)].into_iter().take(if swapped { 4 } else { 3 });
    let rest = ways.filter_map(|(x, y)| slips(a.get(x..)?, b.get(y..)?, left, budget)).min();
    rest.map(|rest| rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_typing_errors_and_no_other_words() {
        let names = [
            "canary",
            "production",
            "prompts",
            "prompts/ab",
            "prompts/cd",
            "prompts/extraction",
            "prompts/support",
            "schemas/support",
            "treatment",
            "v1.0.0",
        ];
        for (wanted, expected) in [
            ("prompts/extracton", Some("prompts/extraction")),
            ("prompts/extractoin", Some("prompts/extraction")),
            ("prompts/Extraction", Some("prompts/extraction")),
            ("prompts/extract", Some("prompts/extraction")),
            ("prompt/extraction", Some("prompts/extraction")),
            ("prompts/suport", Some("prompts/support")),
            ("schema/suport", Some("schemas/support")),
            ("prompt/ab", Some("prompts/ab")),
            ("prompts/extraction.md", Some("prompts/extraction")),
            ("prompts/ef", None),
            ("prompts/analysis", None),
            ("prompts/extraction", None),
            ("prompt", Some("prompts")),
            ("prod", Some("production")),
            ("treatmnt", Some("treatment")),
            ("canray", Some("canary")),
            ("staging", None),
            ("v1.0.1", Some("v1.0.0")),
            ("v7.8.9", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, names, &mut BUDGET.clone()), expected, "{wanted}");
        }
    }

    #[test]
    fn typing_errors_are_counted_up_to_a_limit() {
        for (a, b, most, expected) in [
            ("prompts", "prompts", 1, Some(0)),
            ("promtps", "prompts", 1, Some(1)),
            ("prmpt", "prompts", 2, Some(2)),
            ("prmpt", "prompts", 1, None),
        ] {
            assert_eq!(typing_errors(a, b, most), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_search_compares_no_more_bytes_than_its_budget() {
        let long = |at: usize| format!("prompts/{}{at:05}{}", "x".repeat(90), "y".repeat(90));
        let names: Vec<String> = (0..10_000).map(long).collect();
        let mut budget = BUDGET;
        let wanted = format!("prompts/{}zzzzz{}", "x".repeat(90), "y".repeat(90));
        let mut seen = 0;
        let counted = names.iter().map(String::as_str).inspect(|_| seen += 1);
        assert_eq!(nearest(&wanted, counted, &mut budget), None);
        assert_eq!(budget, 0);
        assert!(seen < names.len(), "{seen}");
        assert_eq!(nearest("prompts/x", ["prompts/extraction"], &mut budget), None);
    }

    #[test]
    fn the_budget_is_enough_for_ten_thousand_usual_names() {
        let mut names: Vec<String> =
            (0..10_000).map(|at| format!("prompts/component-{at:05}")).collect();
        names.push("prompts/extraction".to_owned());
        let found =
            nearest("prompts/extracton", names.iter().map(String::as_str), &mut BUDGET.clone());
        assert_eq!(found, Some("prompts/extraction"));
    }
}
