//! The protection of an answer: whether the caller is refused, and the headers that limit who
//! may store, read or run it. Pure.

mod cache;
mod cors;
mod csp;

use std::collections::{BTreeMap, BTreeSet};

/// The status and the headers of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerHead {
    /// The status code.
    pub status: u16,
    /// The headers by name in lower case. Several fields of a name are joined by `, `.
    pub headers: BTreeMap<String, String>,
}

/// Headers whose values have no order: another value may protect less.
const FIXED: [&str; 6] = [
    "x-content-type-options",
    "x-frame-options",
    "cross-origin-resource-policy",
    "cross-origin-opener-policy",
    "cross-origin-embedder-policy",
    "referrer-policy",
];

/// Returns a description of the first point in which the answer of the new version protects
/// less than that of the old version, which was asked the same.
///
/// An answer of a status of 500 or above protects nothing and is not compared. Headers are
/// compared between answers of the same status. If an answer is stale (`Component-Stale`), its
/// caching follows the outage of KV and not the version, and is not compared.
pub fn looser(new: &AnswerHead, old: &AnswerHead) -> Option<String> {
    if new.status >= 500 || old.status >= 500 {
        return None;
    }
    if openness(new.status) > openness(old.status) {
        return Some(format!("status {}, the old version's is {}", new.status, old.status));
    }
    if new.status != old.status {
        return None;
    }
    let found = [
        (!new.is_stale() && !old.is_stale()).then(|| cache::looser(new, old)).flatten(),
        (!varies_as(new.get("vary"), old.get("vary"))).then_some("vary"),
        csp::is_looser(new.get(csp::FIELD), old.get(csp::FIELD)).then_some(csp::FIELD),
        FIXED.into_iter().find(|name| old.get(name).is_some() && new.get(name) != old.get(name)),
        is_another_challenge(new, old).then_some(CHALLENGE),
        cors::looser(new, old),
    ];
    let name = found.into_iter().flatten().next()?;
    let shown = |head: &AnswerHead| head.get(name).map_or("missing", str::trim).to_owned();
    Some(format!("{name} is {}, the old version's is {}", shown(new), shown(old)))
}

impl AnswerHead {
    /// Returns a header by its name in lower case.
    fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    fn is_stale(&self) -> bool {
        self.get("component-stale").is_some()
    }
}

/// Returns how much a status gives away: a refusal of the caller nothing, another client error
/// what exists, everything else the content.
fn openness(status: u16) -> u8 {
    match status {
        401 | 403 => 0,
        400..500 => 1,
        _ => 2,
    }
}

/// Tells if a cache that follows `new` keeps all the answers apart that `old` kept apart (RFC
/// 9110, section 12.5.5).
fn varies_as(new: Option<&str>, old: Option<&str>) -> bool {
    let new = names(new);
    new.contains("*") || names(old).is_subset(&new)
}

const CHALLENGE: &str = "www-authenticate";

/// Tells if another scheme is asked for (RFC 9110, section 11.6.1), or none.
fn is_another_challenge(new: &AnswerHead, old: &AnswerHead) -> bool {
    let scheme = |head: &AnswerHead| {
        let field = head.get(CHALLENGE).unwrap_or_default().trim();
        field.split([' ', ',']).next().unwrap_or_default().to_ascii_lowercase()
    };
    old.get(CHALLENGE).is_some() && scheme(new) != scheme(old)
}

/// Returns the members of a comma-separated field, in lower case.
fn names(field: Option<&str>) -> BTreeSet<String> {
    let members = field.unwrap_or_default().split(',').map(str::trim);
    members.filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests;
