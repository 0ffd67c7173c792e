//! Sends requests to a version or to any version, and compares the responses of two.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use catalog::digest::Digest;
use catalog::record::MAX_VALUE;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::resolver::{Ask, Credentials, Resolver, ResolverAnswer};
use release::judge::{Finding, Observed};
use release::model::Id;

/// The characters that are escaped in a path; the rest of a reference stays readable.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'\\')
    .add(b'+');

/// The number of attempts to get equal responses: a slot may have moved between two requests,
/// or a location may not have the deployment yet.
pub(super) const AGAIN: usize = 3;

pub(super) const BETWEEN: Duration = Duration::from_millis(250);

/// A resolver, and the name by which its versions are selected.
pub(crate) struct Probe {
    resolver: Resolver,
    /// The Worker's name.
    worker: String,
}

/// The two versions of a release.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions<'a> {
    pub(crate) new: &'a Id,
    pub(crate) old: &'a Id,
}

impl Probe {
    pub(crate) fn new(resolver: Resolver, worker: String) -> Self {
        Self { resolver, worker }
    }

    /// Requests a path, with the configured token, from the version that an override selects, or
    /// from any version.
    pub(crate) fn ask(&self, path: &str, version: Option<&Id>) -> Result<ResolverAnswer> {
        self.send(&Ask::get(path), version)
    }

    /// Returns the credentials that make a difference: without a token, the first two are one.
    pub(super) fn credentials(&self) -> &'static [Credentials] {
        use Credentials::{Absent, Configured, Invalid};
        if self.resolver.has_token() { &[Absent, Invalid, Configured] } else { &[Absent, Invalid] }
    }

    /// Sends a request to both versions and counts failures; returns the answers of the new and
    /// the old version if neither failed.
    pub(super) fn both(
        &self,
        ask: &Ask<'_>,
        versions: Versions<'_>,
        observed: &mut Observed,
    ) -> Option<(ResolverAnswer, ResolverAnswer)> {
        let new = self.send(ask, Some(versions.new));
        let old = self.send(ask, Some(versions.old));
        let failures = (failure(&new), failure(&old));
        let failed = failures.0.is_some() || failures.1.is_some();
        observed.new.add(failures.0);
        observed.old.add(failures.1);
        Some((new.ok()?, old.ok()?)).filter(|_| !failed)
    }

    fn send(&self, ask: &Ask<'_>, version: Option<&Id>) -> Result<ResolverAnswer> {
        // A Dictionary (RFC 9651, section 3.2) with one String.
        let dictionary = version.map(|id| format!("{}=\"{id}\"", self.worker));
        let mut headers = vec![
            // This key selects the same arm of a split each time, but not the script version.
            ("Component-Version-Key", "slotctl-release"),
            // Compression makes strong ETags weak.
            ("Accept-Encoding", "identity"),
        ];
        let name = "Cloudflare-Workers-Version-Overrides";
        headers.extend(dictionary.as_deref().map(|dictionary| (name, dictionary)));
        headers.extend(ask.headers);
        self.resolver.send(&Ask { headers: &headers, ..ask.clone() }, MAX_VALUE + 1)
    }

    /// Requests `/version`: returns the id of the script version that answers, and the highest
    /// format of records that it reads. A version without that member reads format 1.
    pub(crate) fn version(&self, version: Option<&Id>) -> Result<(String, u64)> {
        let answer = self.ask("/version", version)?;
        if answer.status != 200 {
            bail!("/version answers with status {}", answer.status);
        }
        let said: Value =
            serde_json::from_slice(&answer.body).context("the body of /version is not JSON")?;
        let id = said.pointer("/scriptVersion/id").and_then(Value::as_str);
        let format = said.get("recordFormat").map_or(Some(1), Value::as_u64);
        match (id, format) {
            (Some(id), Some(format)) => Ok((id.to_owned(), format)),
            _ => Err(anyhow!("/version is not a resolver's")),
        }
    }

    /// Asks both versions for a reference; returns the times of the new and the old one if
    /// neither fails and the responses are equal.
    pub(crate) fn compare(
        &self,
        reference: &str,
        versions: Versions<'_>,
        observed: &mut Observed,
    ) -> Option<(Duration, Duration)> {
        let path = component_path(reference);
        let mut difference = None;
        for attempt in 0..AGAIN {
            if attempt > 0 {
                sleep(BETWEEN);
            }
            let (new, old) = self.both(&Ask::get(&path), versions, observed)?;
            difference = differs(&new, &old, versions);
            match difference {
                None => return Some((new.took, old.took)),
                Some(Differs::Corrupt(_)) => break,
                Some(_) => {}
            }
        }
        let found = difference.map(|difference| difference.finding(reference));
        observed.different.extend(found);
        None
    }
}

/// Returns the path of a reference.
pub(crate) fn component_path(reference: &str) -> String {
    format!("/components/{}", utf8_percent_encode(reference, ESCAPED))
}

/// Returns the reason why a request counts as failed: it got no response, or a status of 500
/// or above.
fn failure(answer: &Result<ResolverAnswer>) -> Option<String> {
    match answer {
        Err(error) => Some(format!("{error:#}")),
        Ok(answer) if answer.status >= 500 => Some(format!("status {}", answer.status)),
        Ok(_) => None,
    }
}

/// The difference between two responses.
#[derive(Debug, PartialEq)]
enum Differs {
    /// Another script version answered than the override selects.
    Script(String),
    /// The bytes do not have the digest in their `ETag`. Another attempt does not change that.
    Corrupt(String),
    /// The response differs from that of the old version.
    Answer(String),
}

impl Differs {
    fn finding(self, reference: &str) -> Finding {
        match self {
            Self::Script(what) => Finding::new("version", format!("{reference}: {what}")),
            Self::Corrupt(what) | Self::Answer(what) => {
                Finding::new("answers", format!("{reference}: {what}"))
            }
        }
    }
}

/// Describes the answer that another script version gave than the override selects, if any.
pub(super) fn wrong_script(
    new: &ResolverAnswer,
    old: &ResolverAnswer,
    versions: Versions<'_>,
) -> Option<String> {
    let answers = [(new, versions.new), (old, versions.old)];
    answers.into_iter().find_map(|(answer, asked)| {
        let by = answer.header("Script-Version").unwrap_or("none");
        (by != asked.as_str()).then(|| format!("{asked} was asked, {by} answered"))
    })
}

fn differs(new: &ResolverAnswer, old: &ResolverAnswer, versions: Versions<'_>) -> Option<Differs> {
    if let Some(what) = wrong_script(new, old, versions) {
        return Some(Differs::Script(what));
    }
    if new.status != old.status {
        let what = format!("status {}, the old version's is {}", new.status, old.status);
        return Some(Differs::Answer(what));
    }
    // Only contents are compared: the body of an error names the script version.
    if new.status == 200 {
        let digest = Digest::of(&new.body);
        if etag(new).is_some_and(|etag| etag != digest) {
            return Some(Differs::Corrupt(format!(
                "its bytes are {digest}, which its ETag is not"
            )));
        }
        if new.body != old.body {
            let (new, old) = (digest, Digest::of(&old.body));
            return Some(Differs::Answer(format!("bytes {new}, the old version's are {old}")));
        }
    }
    let (new, old) = (described(new), described(old));
    // A header that a release adds is harmless; one that changes or is removed may not be.
    let other = old.iter().find(|(name, value)| new.get(*name) != Some(value));
    other.map(|(name, value)| {
        let found = new.get(name).map_or("missing", String::as_str);
        Differs::Answer(format!("{name} is {found}, the old version's is {value}"))
    })
}

/// Parses the digest in the `ETag`.
fn etag(answer: &ResolverAnswer) -> Option<Digest> {
    let etag = answer.header("ETag")?;
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"').parse().ok()
}

/// Returns the headers that describe the served content, by name in lower case.
/// `Component-Stale` is left out: it gives the time that KV has been unavailable.
fn described(answer: &ResolverAnswer) -> BTreeMap<&str, String> {
    let names = answer.headers.iter().map(|(name, value)| (name.as_str(), value));
    let ours = names.filter(|(name, _)| {
        ["etag", "content-type"].contains(name)
            || (name.starts_with("component-") && *name != "component-stale")
    });
    ours.map(|(name, value)| (name, String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const OLD: &str = "db7cd8d3-4425-4fe7-8c81-01bf963b6067";
    const NEW: &str = "dc8dcd28-271b-4367-9840-6c244f84cb40";

    fn answer(script: &str, status: u16, body: &str, headers: &[(&str, &str)]) -> ResolverAnswer {
        let mut map = HeaderMap::new();
        let etag = format!("\"{}\"", Digest::of(body.as_bytes()));
        for (name, value) in [("script-version", script), ("etag", &etag)].iter().chain(headers) {
            let name: HeaderName = name.parse().unwrap();
            map.insert(name, HeaderValue::from_str(value).unwrap());
        }
        ResolverAnswer { status, headers: map, body: body.into(), took: Duration::ZERO }
    }

    #[test]
    fn differs_compares_version_status_bytes_and_headers() {
        let (new, old): (Id, Id) = (NEW.parse().unwrap(), OLD.parse().unwrap());
        let slot = ("component-slot", "production");
        let base = || answer(OLD, 200, "a", &[slot]);
        for (found, expected) in [
            (answer(NEW, 200, "a", &[slot]), None),
            (answer(NEW, 200, "a", &[slot, ("component-new", "1")]), None),
            (answer(NEW, 200, "a", &[slot, ("component-stale", "3")]), None),
            (answer(OLD, 200, "a", &[slot]), Some("was asked, db7cd8d3")),
            (answer(NEW, 404, "a", &[slot]), Some("status 404, the old version's is 200")),
            (answer(NEW, 200, "b", &[slot]), Some("bytes 3e23")),
            (answer(NEW, 200, "a", &[]), Some("component-slot is missing")),
            (
                answer(NEW, 200, "a", &[("component-slot", "canary")]),
                Some("component-slot is canary"),
            ),
            (answer(NEW, 200, "a", &[slot, ("content-type", "text/html")]), None),
            (answer(NEW, 200, "a", &[slot, ("etag", "\"x\"")]), Some("etag is \"x\"")),
        ] {
            let versions = Versions { new: &new, old: &old };
            let found = differs(&found, &base(), versions).map(|found| found.finding("r").what);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
        let zeros = format!("\"{}\"", "0".repeat(64));
        let corrupt = answer(NEW, 200, "a", &[slot, ("etag", &zeros)]);
        let versions = Versions { new: &new, old: &old };
        assert!(matches!(differs(&corrupt, &base(), versions), Some(Differs::Corrupt(_))));
    }

    #[test]
    fn references_are_percent_encoded_in_paths() {
        for (reference, path) in [
            ("prompts/extraction@production", "/components/prompts/extraction@production"),
            ("prompts/extraction@^1 || ^2", "/components/prompts/extraction@%5E1%20%7C%7C%20%5E2"),
            ("prompts/extraction@v1.0.0+b", "/components/prompts/extraction@v1.0.0%2Bb"),
        ] {
            assert_eq!(component_path(reference), path);
        }
    }
}
