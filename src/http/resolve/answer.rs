//! The response of `POST /resolve`.

use std::mem::take;

use catalog::problem::Problem;
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::Found;
use serde::Serialize;

use crate::config::ScriptVersion;
use crate::http::respond::to_json;
use crate::http::{Body, JsonPart};
use crate::resolve::Resolved;

/// The result for a reference: a version, with its content if it was asked for, or a refusal.
pub(super) type ResolveResult<B> = Result<(Resolved, Option<B>), Refusal>;

/// Writes the body: one entry for each reference, in the order of the request.
pub(super) fn write<B>(
    refs: &[String],
    results: Vec<ResolveResult<B>>,
    script: &ScriptVersion,
) -> Body<B> {
    let mut parts = Vec::new();
    let mut text = format!(r#"{{"scriptVersion":{},"resolved":["#, to_json(script));
    for (at, (reference, result)) in refs.iter().zip(results).enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&to_json(&ResolveEntry::of(reference, &result, &script.id)));
        if let Ok((_, Some(content))) = result {
            // The content is the last member of the object.
            text.pop();
            text.push(',');
            parts.push(JsonPart::Text(take(&mut text)));
            parts.push(JsonPart::Content(content));
            text.push('}');
        }
    }
    text.push_str("]}");
    if parts.is_empty() {
        return Body::Text(text);
    }
    parts.push(JsonPart::Text(text));
    Body::Json(parts)
}

#[derive(Serialize)]
#[serde(untagged)]
enum ResolveEntry<'a> {
    Found(Box<ResolvedVersion<'a>>),
    Refused {
        #[serde(rename = "ref")]
        reference: &'a str,
        error: Problem<'a>,
    },
}

impl<'a> ResolveEntry<'a> {
    fn of<B>(reference: &'a str, result: &'a ResolveResult<B>, script: &'a str) -> Self {
        match result {
            Ok((resolved, _)) => Self::Found(Box::new(ResolvedVersion::of(reference, resolved))),
            Err(refusal) => {
                Self::Refused { reference, error: Problem::of(refusal, "/resolve", script) }
            }
        }
    }
}

/// A version, with the same facts as in the headers of `/components`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResolvedVersion<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    exact: String,
    url: String,
    component: &'a str,
    version: String,
    digest: String,
    size: u64,
    #[serde(rename = "type")]
    media_type: &'a str,
    commit: &'a str,
    date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    override_ignored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<u64>,
}

impl<'a> ResolvedVersion<'a> {
    fn of(reference: &'a str, resolved: &'a Resolved) -> Self {
        let selected = &resolved.basis.selected;
        let snapshot = &selected.snapshot;
        let slot = match &selected.found {
            Found::Slot(slot) => Some(slot),
            Found::Exact | Found::Range => None,
        };
        Self {
            reference,
            exact: format!("{}@{}", selected.name, snapshot.version),
            url: Address::canonical_path(&selected.name, &snapshot.version),
            component: selected.name.as_str(),
            version: snapshot.version.to_string(),
            digest: snapshot.digest.to_string(),
            size: snapshot.size,
            media_type: snapshot.media_type.as_str(),
            commit: snapshot.sha.as_str(),
            date: snapshot.date.to_string(),
            slot: slot.map(|slot| slot.slot.as_str()),
            assignment: slot.map(|slot| slot.assignment.as_str()),
            override_ignored: slot.is_some_and(|slot| slot.override_ignored),
            stale: resolved.stale,
        }
    }
}
