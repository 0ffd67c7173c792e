//! Cross-origin reads (the CORS protocol of the Fetch standard, section 3.3).

use super::{AnswerHead, names};

const ORIGIN: &str = "access-control-allow-origin";
const MAX_AGE: &str = "access-control-max-age";

/// Permissions that are given by the value `true`.
const SWITCHES: [&str; 2] =
    ["access-control-allow-credentials", "access-control-allow-private-network"];

/// Permissions that list what is allowed.
const LISTS: [&str; 3] = [
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
];

/// The seconds for which a browser keeps a preflight without `Access-Control-Max-Age`.
const DEFAULT_MAX_AGE: u64 = 5;

/// Returns the name of a header by which pages of other origins may do more.
pub(super) fn looser(new: &AnswerHead, old: &AnswerHead) -> Option<&'static str> {
    let on = |head: &AnswerHead, name: &str| head.get(name).is_some_and(|it| it.trim() == "true");
    let switched = |name: &&str| on(new, name) && !on(old, name);
    let listed = |name: &&str| is_longer(new.get(name), old.get(name));
    is_opened(new.get(ORIGIN), old.get(ORIGIN))
        .then_some(ORIGIN)
        .or_else(|| SWITCHES.into_iter().find(switched))
        .or_else(|| LISTS.into_iter().find(listed))
        .or_else(|| is_kept_longer(new.get(MAX_AGE), old.get(MAX_AGE)).then_some(MAX_AGE))
}

/// Tells if another origin is admitted than before.
fn is_opened(new: Option<&str>, old: Option<&str>) -> bool {
    new.is_some() && new != old && old.map(str::trim) != Some("*")
}

fn is_longer(new: Option<&str>, old: Option<&str>) -> bool {
    let old = names(old);
    !old.contains("*") && !names(new).is_subset(&old)
}

/// Tells if a preflight is kept for longer. In doubt it is.
fn is_kept_longer(new: Option<&str>, old: Option<&str>) -> bool {
    let seconds = |field: Option<&str>, unreadable| {
        field.map_or(DEFAULT_MAX_AGE, |text| text.trim().parse().unwrap_or(unreadable))
    };
    new != old && seconds(new, u64::MAX) > seconds(old, 0)
}
