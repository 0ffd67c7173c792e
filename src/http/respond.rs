//! Responses: statuses, headers and bodies. Nothing here depends on the storage of components.

use catalog::assign::Assignment;
use catalog::digest::Digest;
use catalog::explain::Explanation;
use catalog::name::ComponentName;
use catalog::problem::Problem;
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::{Basis, Found, Selected, SelectedSlot};
use catalog::timestamp::Timestamp;
use catalog::version::Version;
use serde::Serialize;

use crate::config::{Config, ScriptVersion};
use crate::http::{Body, Request, Response, conditional, cors, headers};
use crate::trace::Trace;

const EXACT: &str = "public, max-age=31536000, immutable";
const EXACT_PRIVATE: &str = "private, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";
const NO_STORE: &str = "no-store";

/// Creates a 200 with the bytes of the component. `now` is the time of the response.
pub(crate) fn component<B>(
    selected: &Selected,
    trace: &Trace,
    now: Timestamp,
    content: B,
) -> Response<B> {
    represent(Response::new(200, Body::Content(content)), selected, trace, now)
}

/// Creates a 200 for `HEAD`: the headers of [`component`] without the bytes.
pub(crate) fn component_head<B>(selected: &Selected, trace: &Trace, now: Timestamp) -> Response<B> {
    let length = selected.snapshot.size.to_string();
    represent(Response::new(200, Body::Empty), selected, trace, now).with("Content-Length", length)
}

/// Creates a 304 with the headers that a cache may have to update (RFC 9110, section 15.4.5).
/// `Content-Type` is among them because some caches replace all headers with those of the 304.
pub(crate) fn not_modified<B>(selected: &Selected, trace: &Trace) -> Response<B> {
    let media_type = selected.snapshot.media_type.as_str();
    identify(Response::new(304, Body::Empty), selected, trace).with("Content-Type", media_type)
}

/// Adds the headers that describe the bytes.
fn represent<B>(
    response: Response<B>,
    selected: &Selected,
    trace: &Trace,
    now: Timestamp,
) -> Response<B> {
    let snapshot = &selected.snapshot;
    let response = identify(response, selected, trace)
        .with("Content-Type", snapshot.media_type.as_str())
        .with("Repr-Digest", snapshot.digest.repr_digest())
        .with("Accept-Ranges", "none");
    // A slot or a range may move to a version with an earlier date, which a client that compares
    // dates would not fetch. A later date than `now` is not allowed (RFC 9110, section 8.8.2.1).
    match selected.found {
        Found::Exact if snapshot.date <= now => {
            response.with("Last-Modified", snapshot.date.http_date())
        }
        _ => response,
    }
}

/// Adds the headers that name the version.
fn identify<B>(response: Response<B>, selected: &Selected, trace: &Trace) -> Response<B> {
    let snapshot = &selected.snapshot;
    let mut response = response
        .with("ETag", format!("\"{}\"", snapshot.digest))
        .with("Content-Location", Address::canonical_path(&selected.name, &snapshot.version))
        .with("Component-Version", snapshot.version.to_string())
        .with("Component-Commit", snapshot.sha.as_str())
        .with("Server-Timing", server_timing(trace));
    if let Some(seconds) = trace.stale {
        response = response.with("Component-Stale", seconds.to_string());
    }
    match &selected.found {
        // A stale version may have been revoked in the meantime.
        Found::Exact if trace.stale.is_none() => response.with("Cache-Control", EXACT),
        Found::Exact | Found::Range => response.with("Cache-Control", REVALIDATE),
        Found::Slot(slot) => assigned(response, slot),
    }
}

/// Adds the headers of a slot: the slot of the version, the rule that chose it, and the inputs
/// it depends on.
fn assigned<B>(response: Response<B>, slot: &SelectedSlot) -> Response<B> {
    let random = slot.assignment == Assignment::Random;
    let mut response = response
        .with("Component-Slot", slot.slot.as_str())
        .with("Component-Assignment", slot.assignment.as_str())
        .with("Cache-Control", if random { NO_STORE } else { REVALIDATE });
    if slot.override_ignored {
        response = response.with(headers::OVERRIDE, "ignored");
    }
    if !slot.split {
        return response;
    }
    response = response.varying(headers::OVERRIDE);
    if slot.segmented {
        response = response.varying(headers::SEGMENT);
    }
    headers::KEYS.into_iter().fold(response, Response::varying)
}

/// Creates the response to `?explain`: the reasons for the choice of the version.
pub(crate) fn explanation<B>(basis: &Basis) -> Response<B> {
    #[derive(Serialize)]
    struct Chosen<'a> {
        component: &'a ComponentName,
        assignment: &'a str,
        version: &'a Version,
    }
    let selected = &basis.selected;
    let chosen = |assignment| {
        let (component, version) = (&selected.name, &selected.snapshot.version);
        json(200, &Chosen { component, assignment, version })
    };
    match (&selected.found, &basis.slot) {
        (Found::Slot(slot), Some(record)) => json(200, &Explanation::of(selected, slot, record)),
        (Found::Range, _) => chosen("range"),
        _ => chosen("exact"),
    }
}

/// Formats the reads of KV and the source of the content as metrics with a description (Server
/// Timing, section 3). There are no durations because the clock of the runtime stops between
/// reads.
fn server_timing(trace: &Trace) -> String {
    format!("kv;desc=\"reads={}\", content;desc=\"{}\"", trace.kv_reads, trace.content.as_str())
}

/// Creates the response to a refusal: `application/problem+json` (RFC 9457).
pub(crate) fn problem<B>(refusal: &Refusal, instance: &str, script: &ScriptVersion) -> Response<B> {
    let body = to_json(&Problem::of(refusal, instance, &script.id));
    let response = Response::new(refusal.status(), Body::Text(body))
        .with("Content-Type", "application/problem+json")
        .with("Cache-Control", NO_STORE);
    match refusal {
        Refusal::MethodNotAllowed { allow } => response.with("Allow", *allow),
        Refusal::TokenRequired => response.with("WWW-Authenticate", "Bearer"),
        _ => match refusal.retry_after() {
            Some(seconds) => response.with("Retry-After", seconds.to_string()),
            None => response,
        },
    }
}

/// Writes JSON. The bodies have only string keys, so this cannot fail.
pub(crate) fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// Creates a JSON response that no cache may store.
pub(crate) fn json<B>(status: u16, body: &impl Serialize) -> Response<B> {
    json_body(status, Body::Text(to_json(body)))
}

/// Creates a response with a JSON body that no cache may store.
pub(crate) fn json_body<B>(status: u16, body: Body<B>) -> Response<B> {
    Response::new(status, body)
        .with("Content-Type", "application/json")
        .with("Cache-Control", NO_STORE)
}

/// Creates a JSON response that is revalidated by its digest: 200, or 304 if the caller has it.
///
/// # Errors
///
/// 412 if the caller demands another one.
pub(crate) fn document<B>(
    request: &Request<'_>,
    body: &impl Serialize,
    trace: &Trace,
) -> Result<Response<B>, Refusal> {
    let text = to_json(body);
    let digest = Digest::of(text.as_bytes());
    conditional::check_match(request, &digest)?;
    let described = |response: Response<B>| {
        let response = response
            .with("Content-Type", "application/json")
            .with("ETag", format!("\"{digest}\""))
            .with("Cache-Control", REVALIDATE)
            .with("Server-Timing", server_timing(trace));
        match trace.stale {
            Some(seconds) => response.with("Component-Stale", seconds.to_string()),
            None => response,
        }
    };
    if conditional::has_current(request, &digest) {
        return Ok(described(Response::new(304, Body::Empty)));
    }
    Ok(described(Response::new(200, Body::Text(text))))
}

/// Adds the headers of every response: the script version that made it, the permissions to
/// store and read it, and the instruction to a browser not to run it (templates are HTML
/// written by others).
pub(crate) fn finish<B>(
    response: Response<B>,
    config: &Config,
    origin: Option<&str>,
) -> Response<B> {
    let script = &config.script_version;
    let mut response = cors::admit(&config.origins, response, origin)
        .with("Script-Version", script.id.as_str())
        .with("X-Content-Type-Options", "nosniff")
        .with("Content-Security-Policy", "sandbox; default-src 'none'");
    if !script.tag.is_empty() {
        response = response.with("Script-Version-Tag", script.tag.as_str());
    }
    if config.needs_token() { for_one_caller(response) } else { response }
}

/// Keeps a response from shared caches: with tokens, callers may see different things.
fn for_one_caller<B>(mut response: Response<B>) -> Response<B> {
    for (name, value) in &mut response.headers {
        if *name == "Cache-Control" && value == EXACT {
            EXACT_PRIVATE.clone_into(value);
        } else if *name == "Cache-Control" && value == REVALIDATE {
            *value = format!("private, {REVALIDATE}");
        }
    }
    response.varying(headers::AUTHORIZATION)
}
