//! `/version` and `/healthz`: the state of the Worker, for its operators.

use catalog::key::Namespace;
use catalog::record::FORMAT;
use catalog::refusal::Refusal;
use serde::Serialize;

use crate::config::ScriptVersion;
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

/// Answers `/healthz`: 200 if both namespaces answer, else 503.
pub(crate) async fn health<B: Backend>(
    reader: &Reader<B>,
    trace: &mut Trace,
) -> Result<Response<B::Content>, Refusal> {
    let slots = reader.probe(Namespace::Slots, PROBE, trace).await;
    let components = reader.probe(Namespace::Components, PROBE, trace).await;
    Ok(describe(slots, components))
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
