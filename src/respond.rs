//! Answers: statuses, headers and bodies. Knows nothing of where things are stored.

use catalog::digest::Digest;
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::{Found, Selected};
use serde_json::{Value, json};

use crate::conditional;
use crate::config::ScriptVersion;
use crate::http::{Answer, Body, Request};

/// What an answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Reads of Workers KV.
    pub kv_reads: u32,
    /// Where the content came from.
    pub content: Source,
}

/// Where a content came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// It was not needed.
    #[default]
    None,
    /// The isolate's memory.
    Memory,
    /// Workers KV.
    Kv,
}

impl Source {
    /// As `Server-Timing` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::Kv => "kv",
        }
    }
}

const EXACT: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";
const NO_STORE: &str = "no-store";

/// Whether `If-None-Match` says that the caller has the content `digest`.
pub fn has_current(request: &Request<'_>, digest: &Digest) -> bool {
    let field = (request.header)("If-None-Match");
    field.is_some_and(|field| conditional::matches(&field, &digest.to_string()))
}

/// 200 with the component's bytes.
pub fn component<B>(selected: &Selected, cost: &Cost, content: B) -> Answer<B> {
    represent(Answer::new(200, Body::Content(content)), selected, cost)
}

/// 200 for `HEAD`: what [`component`] says, less the bytes.
pub fn component_head<B>(selected: &Selected, cost: &Cost) -> Answer<B> {
    let length = selected.snapshot.size.to_string();
    represent(Answer::new(200, Body::Empty), selected, cost).with("Content-Length", length)
}

/// 304 with the headers that a cache may have to update (RFC 9110, section 15.4.5).
pub fn not_modified<B>(selected: &Selected, cost: &Cost) -> Answer<B> {
    identify(Answer::new(304, Body::Empty), selected, cost)
}

/// The headers that describe the bytes.
fn represent<B>(answer: Answer<B>, selected: &Selected, cost: &Cost) -> Answer<B> {
    let snapshot = &selected.snapshot;
    identify(answer, selected, cost)
        .with("Content-Type", snapshot.media_type.as_str())
        .with("Repr-Digest", snapshot.digest.repr_digest())
        .with("Last-Modified", snapshot.date.http_date())
}

/// The headers that name the version.
fn identify<B>(answer: Answer<B>, selected: &Selected, cost: &Cost) -> Answer<B> {
    let snapshot = &selected.snapshot;
    let named = answer
        .with("ETag", format!("\"{}\"", snapshot.digest))
        .with("Content-Location", Address::canonical_path(&selected.name, &snapshot.version))
        .with("Component-Version", snapshot.version.to_string())
        .with("Component-Commit", snapshot.sha.as_str())
        .with("Server-Timing", server_timing(cost));
    match &selected.found {
        Found::Exact => named.with("Cache-Control", EXACT),
        Found::Range => named.with("Cache-Control", REVALIDATE),
        Found::Slot(slot) => named
            .with("Component-Slot", slot.slot.as_str())
            .with("Component-Assignment", slot.assignment.as_str())
            .with("Cache-Control", REVALIDATE),
    }
}

fn server_timing(cost: &Cost) -> String {
    format!("kv;desc=\"reads={}\", content;desc=\"{}\"", cost.kv_reads, cost.content.as_str())
}

/// What a refusal says: `application/problem+json` (RFC 9457).
pub fn problem<B>(refusal: &Refusal, instance: &str, script: &ScriptVersion) -> Answer<B> {
    let body = refusal.problem(instance, &script.id).to_string();
    let mut answer = Answer::new(refusal.status(), Body::Text(body))
        .with("Content-Type", "application/problem+json")
        .with("Cache-Control", NO_STORE);
    if let Refusal::MethodNotAllowed { allow } = refusal {
        answer = answer.with("Allow", *allow);
    }
    match refusal.retry_after() {
        Some(seconds) => answer.with("Retry-After", seconds.to_string()),
        None => answer,
    }
}

/// The script version, for whoever releases it.
pub fn version<B>(script: &ScriptVersion) -> Answer<B> {
    json(200, &json!({ "scriptVersion": script }))
}

/// Whether each namespace answers.
pub fn health<B>(slots: bool, components: bool) -> Answer<B> {
    let word = |up| if up { "ok" } else { "unavailable" };
    let healthy = slots && components;
    let body = json!({
        "status": word(healthy),
        "namespaces": { "SLOTS": word(slots), "COMPONENTS": word(components) },
    });
    let answer = json(if healthy { 200 } else { 503 }, &body);
    if healthy { answer } else { answer.with("Retry-After", "5") }
}

/// The methods of a resource.
pub fn options<B>(allow: &'static str) -> Answer<B> {
    Answer::new(204, Body::Empty).with("Allow", allow)
}

fn json<B>(status: u16, body: &Value) -> Answer<B> {
    Answer::new(status, Body::Text(body.to_string()))
        .with("Content-Type", "application/json")
        .with("Cache-Control", NO_STORE)
}

/// The headers of every answer: which script made it, and that a browser runs
/// nothing of it (templates are HTML written by others).
pub fn finish<B>(answer: Answer<B>, script: &ScriptVersion) -> Answer<B> {
    let answer = answer
        .with("Script-Version", script.id.as_str())
        .with("X-Content-Type-Options", "nosniff")
        .with("Content-Security-Policy", "sandbox; default-src 'none'");
    match script.tag.as_str() {
        "" => answer,
        tag => answer.with("Script-Version-Tag", tag),
    }
}
