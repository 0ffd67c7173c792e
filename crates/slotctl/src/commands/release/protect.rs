//! Asks both versions with the token, with a wrong one and without one, and compares how far
//! each protects its answers.

use std::collections::BTreeMap;
use std::thread::sleep;

use release::judge::{Finding, Observed};
use release::protection::{AnswerHead, looser};
use ureq::http::Method;

use super::probe::{AGAIN, BETWEEN, Probe, Versions, component_path, wrong_script};
use super::refs::CheckedReference;
use crate::resolver::{Ask, Credentials, ResolverAnswer};

/// The name of the check.
pub(super) const CHECK: &str = "protection";

/// The origin of a page that no configuration admits: `invalid` is reserved (RFC 2606).
const ORIGIN: (&str, &str) = ("Origin", "https://slotctl-release.invalid");

/// A preflight of such a page that wants to send a token.
const PREFLIGHT: [(&str, &str); 3] = [
    ORIGIN,
    ("Access-Control-Request-Method", "GET"),
    ("Access-Control-Request-Headers", "authorization"),
];

/// Paths that are asked besides the references.
const OTHERS: [&str; 3] = ["/catalog", "/version", "/healthz"];

/// Returns every point in which an answer of the new version protects less than the old
/// version's. Failures are counted in `observed`.
pub(super) fn compare(
    probe: &Probe,
    refs: &[CheckedReference],
    versions: Versions<'_>,
    observed: &mut Observed,
) -> Vec<Finding> {
    let paths: Vec<String> = refs.iter().map(|known| component_path(&known.text)).collect();
    let paths = || paths.iter().map(String::as_str).chain(OTHERS);
    let mut asks: Vec<Ask<'_>> = Vec::new();
    for &token in probe.credentials() {
        asks.extend(paths().map(|path| Ask { token, headers: &[ORIGIN], ..Ask::get(path) }));
    }
    let (token, method, headers) = (Credentials::Absent, Method::OPTIONS, &PREFLIGHT);
    asks.extend(paths().take(1).map(|path| Ask { method: method.clone(), path, token, headers }));
    let found = asks.iter().map(|ask| (ask, difference(probe, ask, versions, observed)));
    grouped(found.filter_map(|(ask, finding)| Some((ask, finding?))))
}

/// Joins the findings of several paths that say the same, in the order of the first ones.
fn grouped<'a>(found: impl Iterator<Item = (&'a Ask<'a>, Finding)>) -> Vec<Finding> {
    let mut groups: Vec<(&Ask<'_>, Finding, usize)> = Vec::new();
    for (ask, finding) in found {
        let alike = |of: &Ask<'_>| (&of.method, of.token) == (&ask.method, ask.token);
        match groups.iter_mut().find(|(of, known, _)| alike(of) && *known == finding) {
            Some((.., count)) => *count += 1,
            None => groups.push((ask, finding, 1)),
        }
    }
    let joined = groups.into_iter().map(|(ask, finding, count)| {
        let (method, path, token) = (&ask.method, ask.path, words(ask.token));
        let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
        let what = format!("{method} {path}{more} {token}: {}", finding.what);
        Finding { what, ..finding }
    });
    joined.collect()
}

/// Asks both versions until their answers are as protected, or differ each time: a slot may
/// move in between.
fn difference(
    probe: &Probe,
    ask: &Ask<'_>,
    versions: Versions<'_>,
    observed: &mut Observed,
) -> Option<Finding> {
    let mut found = None;
    for attempt in 0..AGAIN {
        if attempt > 0 {
            sleep(BETWEEN);
        }
        let (new, old) = probe.both(ask, versions, observed)?;
        found = Some(match wrong_script(&new, &old, versions) {
            Some(what) => Finding::new("version", what),
            None => Finding::new(CHECK, looser(&head(&new), &head(&old))?),
        });
    }
    found
}

fn head(answer: &ResolverAnswer) -> AnswerHead {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &answer.headers {
        let (name, value) = (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()));
        let known = headers.entry(name).or_default();
        *known = if known.is_empty() { value.into_owned() } else { format!("{known}, {value}") };
    }
    AnswerHead { status: answer.status, headers }
}

fn words(token: Credentials) -> &'static str {
    match token {
        Credentials::Configured => "with RESOLVER_TOKEN",
        Credentials::Absent => "without a token",
        Credentials::Invalid => "with a wrong token",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_findings_of_several_paths_are_one() {
        let absent = |path| Ask { token: Credentials::Absent, ..Ask::get(path) };
        let asks = [absent("/a"), absent("/b"), absent("/c"), Ask::get("/a")];
        let status = || Finding::new("protection", "status 200");
        let found = [status(), Finding::new("protection", "vary is missing"), status(), status()];
        let shown: Vec<String> =
            grouped(asks.iter().zip(found)).iter().map(Finding::to_string).collect();
        assert_eq!(
            shown,
            [
                "protection: GET /a (and 1 more) without a token: status 200",
                "protection: GET /b without a token: vary is missing",
                "protection: GET /a with RESOLVER_TOKEN: status 200",
            ]
        );
    }
}
