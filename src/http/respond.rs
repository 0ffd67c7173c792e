//! Answers: statuses, headers and bodies. Knows nothing of where things are stored.

use catalog::assign::Assignment;
use catalog::digest::Digest;
use catalog::explain::Explanation;
use catalog::name::ComponentName;
use catalog::problem::Problem;
use catalog::record::{FORMAT, SlotRecord};
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::{Found, Selected, SelectedSlot};
use catalog::version::Version;
use serde::Serialize;

use crate::config::{Config, ScriptVersion};
use crate::http::caller;
use crate::http::conditional;
use crate::http::{Answer, Body, Request};
use crate::trace::Trace;

const EXACT: &str = "public, max-age=31536000, immutable";
const EXACT_PRIVATE: &str = "private, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";
const NO_STORE: &str = "no-store";

/// Whether `If-None-Match` says that the caller has the content `digest`.
pub fn has_current(request: &Request<'_>, digest: &Digest) -> bool {
    let field = (request.header)("If-None-Match");
    field.is_some_and(|field| conditional::matches(&field, &digest.to_string()))
}

/// 200 with the component's bytes.
pub fn component<B>(selected: &Selected, trace: &Trace, content: B) -> Answer<B> {
    represent(Answer::new(200, Body::Content(content)), selected, trace)
}

/// 200 for `HEAD`: what [`component`] says, less the bytes.
pub fn component_head<B>(selected: &Selected, trace: &Trace) -> Answer<B> {
    let length = selected.snapshot.size.to_string();
    represent(Answer::new(200, Body::Empty), selected, trace).with("Content-Length", length)
}

/// 304 with the headers that a cache may have to update (RFC 9110, section 15.4.5).
pub fn not_modified<B>(selected: &Selected, trace: &Trace) -> Answer<B> {
    identify(Answer::new(304, Body::Empty), selected, trace)
}

/// The headers that describe the bytes.
fn represent<B>(answer: Answer<B>, selected: &Selected, trace: &Trace) -> Answer<B> {
    let snapshot = &selected.snapshot;
    identify(answer, selected, trace)
        .with("Content-Type", snapshot.media_type.as_str())
        .with("Repr-Digest", snapshot.digest.repr_digest())
        .with("Last-Modified", snapshot.date.http_date())
        .with("Accept-Ranges", "none")
}

/// The headers that name the version.
fn identify<B>(answer: Answer<B>, selected: &Selected, trace: &Trace) -> Answer<B> {
    let snapshot = &selected.snapshot;
    let mut answer = answer
        .with("ETag", format!("\"{}\"", snapshot.digest))
        .with("Content-Location", Address::canonical_path(&selected.name, &snapshot.version))
        .with("Component-Version", snapshot.version.to_string())
        .with("Component-Commit", snapshot.sha.as_str())
        .with("Server-Timing", server_timing(trace));
    if let Some(seconds) = trace.stale {
        answer = answer.with("Component-Stale", seconds.to_string());
    }
    match &selected.found {
        // What is served from memory because KV is away may have been revoked meanwhile.
        Found::Exact if trace.stale.is_none() => answer.with("Cache-Control", EXACT),
        Found::Exact | Found::Range => answer.with("Cache-Control", REVALIDATE),
        Found::Slot(slot) => assigned(answer, slot),
    }
}

/// The headers of a slot's answer: whose version it is, why, and for whom.
fn assigned<B>(answer: Answer<B>, slot: &SelectedSlot) -> Answer<B> {
    let drawn = slot.assignment == Assignment::Random;
    let mut answer = answer
        .with("Component-Slot", slot.slot.as_str())
        .with("Component-Assignment", slot.assignment.as_str())
        .with("Cache-Control", if drawn { NO_STORE } else { REVALIDATE });
    if slot.override_ignored {
        answer = answer.with(caller::OVERRIDE, "ignored");
    }
    if !slot.split {
        return answer;
    }
    answer = answer.varying(caller::OVERRIDE);
    if slot.segmented {
        answer = answer.varying(caller::SEGMENT);
    }
    caller::KEYS.into_iter().fold(answer, Answer::varying)
}

/// `?explain`: how the version was chosen.
pub fn explanation<B>(selected: &Selected, record: Option<&SlotRecord>) -> Answer<B> {
    #[derive(Serialize)]
    struct Chosen<'a> {
        component: &'a ComponentName,
        assignment: &'a str,
        version: &'a Version,
    }
    let chosen = |assignment| {
        let (component, version) = (&selected.name, &selected.snapshot.version);
        json(200, &Chosen { component, assignment, version })
    };
    match (&selected.found, record) {
        (Found::Slot(slot), Some(record)) => json(200, &Explanation::of(selected, slot, record)),
        (Found::Range, _) => chosen("range"),
        _ => chosen("exact"),
    }
}

/// The reads of KV and where the content came from, as metrics with a description
/// (Server Timing, section 3): the runtime's clock stands still between reads.
fn server_timing(trace: &Trace) -> String {
    format!("kv;desc=\"reads={}\", content;desc=\"{}\"", trace.kv_reads, trace.content.as_str())
}

/// What a refusal says: `application/problem+json` (RFC 9457).
pub fn problem<B>(refusal: &Refusal, instance: &str, script: &ScriptVersion) -> Answer<B> {
    let body = to_json(&Problem::of(refusal, instance, &script.id));
    let answer = Answer::new(refusal.status(), Body::Text(body))
        .with("Content-Type", "application/problem+json")
        .with("Cache-Control", NO_STORE);
    match refusal {
        Refusal::MethodNotAllowed { allow } => answer.with("Allow", *allow),
        Refusal::TokenRequired => answer.with("WWW-Authenticate", "Bearer"),
        _ => match refusal.retry_after() {
            Some(seconds) => answer.with("Retry-After", seconds.to_string()),
            None => answer,
        },
    }
}

/// The script version and the records that it reads, for whoever releases it.
pub fn version<B>(script: &ScriptVersion) -> Answer<B> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Release<'a> {
        script_version: &'a ScriptVersion,
        record_format: u32,
    }
    json(200, &Release { script_version: script, record_format: FORMAT })
}

/// Whether each namespace answers.
pub fn health<B>(slots: bool, components: bool) -> Answer<B> {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
        namespaces: Namespaces,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "UPPERCASE")]
    struct Namespaces {
        slots: &'static str,
        components: &'static str,
    }
    let word = |up| if up { "ok" } else { "unavailable" };
    let healthy = slots && components;
    let namespaces = Namespaces { slots: word(slots), components: word(components) };
    let body = Health { status: word(healthy), namespaces };
    let answer = json(if healthy { 200 } else { 503 }, &body);
    if healthy { answer } else { answer.with("Retry-After", "5") }
}

/// What is written here has string keys only, so it can't fail.
fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// A JSON answer that nobody may store.
pub fn json<B>(status: u16, body: &impl Serialize) -> Answer<B> {
    Answer::new(status, Body::Text(to_json(body)))
        .with("Content-Type", "application/json")
        .with("Cache-Control", NO_STORE)
}

/// A JSON answer to be revalidated by its digest: 200, or 304 for who has it.
pub fn document<B>(request: &Request<'_>, body: &impl Serialize, trace: &Trace) -> Answer<B> {
    let text = to_json(body);
    let digest = Digest::of(text.as_bytes());
    let described = |answer: Answer<B>| {
        let answer = answer
            .with("ETag", format!("\"{digest}\""))
            .with("Cache-Control", REVALIDATE)
            .with("Server-Timing", server_timing(trace));
        match trace.stale {
            Some(seconds) => answer.with("Component-Stale", seconds.to_string()),
            None => answer,
        }
    };
    if has_current(request, &digest) {
        return described(Answer::new(304, Body::Empty));
    }
    let answer = Answer::new(200, Body::Text(text)).with("Content-Type", "application/json");
    described(answer)
}

/// The headers of every answer: which script made it, who may store and read it,
/// and that a browser runs nothing of it (templates are HTML written by others).
pub fn finish<B>(answer: Answer<B>, config: &Config, origin: Option<&str>) -> Answer<B> {
    let script = &config.script_version;
    let mut answer = config
        .origins
        .admit(answer, origin)
        .with("Script-Version", script.id.as_str())
        .with("X-Content-Type-Options", "nosniff")
        .with("Content-Security-Policy", "sandbox; default-src 'none'");
    if !script.tag.is_empty() {
        answer = answer.with("Script-Version-Tag", script.tag.as_str());
    }
    if config.needs_token() { for_one_caller(answer) } else { answer }
}

/// Where tokens are needed, what one caller gets is not for another's cache.
fn for_one_caller<B>(mut answer: Answer<B>) -> Answer<B> {
    for (name, value) in &mut answer.headers {
        if *name == "Cache-Control" && value == EXACT {
            EXACT_PRIVATE.clone_into(value);
        } else if *name == "Cache-Control" && value == REVALIDATE {
            *value = format!("private, {REVALIDATE}");
        }
    }
    answer.varying("Authorization")
}
