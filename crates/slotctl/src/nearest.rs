//! Finds names that are similar to a mistyped one.

use strsim::damerau_levenshtein;

/// Returns ` (did you mean …?)`; a list of the names if none is near; empty without names.
pub(crate) fn did_you_mean<'a>(text: &str, there: impl Iterator<Item = &'a str>) -> String {
    const LISTED: usize = 8;
    let mut names: Vec<&str> = there.collect();
    if let Some(near) = nearest(text, &names) {
        return format!(" (did you mean `{near}`?)");
    }
    names.truncate(LISTED);
    if names.is_empty() { String::new() } else { format!(" (there is {})", quoted(&names)) }
}

/// Returns the name with the fewest typing errors, if at most a third of the letters differ, or
/// if one is an abbreviation of the other.
pub(crate) fn nearest<'a>(text: &str, there: &[&'a str]) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let slips = |name: &str| {
        let name = name.to_lowercase();
        let short = lower.len() > 1 && (name.starts_with(&lower) || lower.starts_with(&name));
        if short { 1 } else { damerau_levenshtein(&lower, &name) }
    };
    let (slips, name) = there.iter().map(|name| (slips(name), *name)).min()?;
    (slips <= lower.chars().count().div_ceil(3)).then_some(name)
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        for (text, there, expected) in [
            ("prod", &["production", "staging"][..], " (did you mean `production`?)"),
            ("stagign", &["production", "staging"], " (did you mean `staging`?)"),
            ("Staging", &["staging"], " (did you mean `staging`?)"),
            ("blue", &["production", "staging"], " (there is `production`, `staging`)"),
            ("blue", &[], ""),
        ] {
            assert_eq!(did_you_mean(text, there.iter().copied()), expected, "{text}");
        }
    }
}
