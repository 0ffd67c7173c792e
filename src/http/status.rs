//! `/version` and `/healthz`: the state of the Worker, for its operators.

use catalog::key::Namespace;
use catalog::record::FORMAT;
use catalog::refusal::Refusal;
use serde::Serialize;

use crate::config::{MIN_CACHE_TTL, ScriptVersion};
use crate::http::{Response, respond};
use crate::resolve::backend::Backend;
use crate::resolve::reader::Reader;
use crate::trace::Trace;

/// A key that is never written: reading it shows that the namespace answers.
const PROBE: &str = "healthz";

/// Answers `/version`: the script version and the record format that the Worker reads.
pub(crate) fn version<B>(script: &ScriptVersion) -> Response<B> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Release<'a> {
        script_version: &'a ScriptVersion,
        record_format: u32,
    }
    respond::json(200, &Release { script_version: script, record_format: FORMAT })
}

/// The time for which a healthy result is used, in milliseconds: the resource needs no token.
const HEALTHY: f64 = 10_000.0;

/// Answers `/healthz`: 200 if both namespaces answer, else 503. A healthy result is at most ten
/// seconds old; an unhealthy one is never used again.
pub(crate) async fn health<B: Backend>(
    reader: &Reader<B>,
    trace: &mut Trace,
) -> Result<Response<B::Body>, Refusal> {
    if reader.backend.now() - reader.healthy_at.get() < HEALTHY {
        return Ok(describe(true, true));
    }
    let slots = answers(reader, Namespace::Slots, trace).await;
    let components = answers(reader, Namespace::Components, trace).await;
    if slots && components {
        reader.healthy_at.set(reader.backend.now());
    }
    Ok(describe(slots, components))
}

async fn answers<B: Backend>(reader: &Reader<B>, namespace: Namespace, trace: &mut Trace) -> bool {
    trace.kv_reads += 1;
    reader.backend.record(namespace, PROBE, MIN_CACHE_TTL).await.is_ok()
}

fn describe<B>(slots: bool, components: bool) -> Response<B> {
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
    let response = respond::json(if healthy { 200 } else { 503 }, &body);
    if healthy { response } else { response.with("Retry-After", "5") }
}
