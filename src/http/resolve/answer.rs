//! The response of `POST /resolve`.

use catalog::problem::Problem;
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::Found;
use serde::Serialize;

use crate::config::ScriptVersion;
use crate::resolve::Resolved;

/// A content as a JSON string.
pub(super) enum JsonContent {
    Utf8(String),
    Base64(String),
}

/// The body: one entry for each reference, in the order of the request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResolveResponse<'a> {
    pub(super) script_version: &'a ScriptVersion,
    pub(super) resolved: Vec<ResolveEntry<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ResolveEntry<'a> {
    Found(Box<ResolvedVersion<'a>>),
    Refused {
        #[serde(rename = "ref")]
        reference: &'a str,
        error: Problem<'a>,
    },
}

impl<'a> ResolveEntry<'a> {
    pub(super) fn of(
        reference: &'a str,
        result: &'a Result<(Resolved, Option<JsonContent>), Refusal>,
        script: &'a str,
    ) -> Self {
        match result {
            Ok((resolved, content)) => {
                Self::Found(Box::new(ResolvedVersion::of(reference, resolved, content.as_ref())))
            }
            Err(refusal) => {
                Self::Refused { reference, error: Problem::of(refusal, "/resolve", script) }
            }
        }
    }
}

/// A version, with the same facts as in the headers of `/components`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResolvedVersion<'a> {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_base64: Option<&'a str>,
}

impl<'a> ResolvedVersion<'a> {
    fn of(reference: &'a str, resolved: &'a Resolved, bytes: Option<&'a JsonContent>) -> Self {
        let selected = &resolved.basis.selected;
        let snapshot = &selected.snapshot;
        let slot = match &selected.found {
            Found::Slot(slot) => Some(slot),
            Found::Exact | Found::Range => None,
        };
        let (content, content_base64) = match bytes {
            Some(JsonContent::Utf8(text)) => (Some(text.as_str()), None),
            Some(JsonContent::Base64(text)) => (None, Some(text.as_str())),
            None => (None, None),
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
            content,
            content_base64,
        }
    }
}
