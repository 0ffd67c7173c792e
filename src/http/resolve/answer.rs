//! What `POST /resolve` says.

use catalog::problem::Problem;
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::Found;
use serde::Serialize;

use crate::config::ScriptVersion;
use crate::resolve::Resolved;

/// A content inside JSON.
pub(super) enum Text {
    Utf8(String),
    Base64(String),
}

/// The answer: each reference's entry in the order of the request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshot<'a> {
    pub(super) script_version: &'a ScriptVersion,
    pub(super) resolved: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Entry<'a> {
    Found(Box<Described<'a>>),
    Refused {
        #[serde(rename = "ref")]
        reference: &'a str,
        error: Problem<'a>,
    },
}

impl<'a> Entry<'a> {
    pub(super) fn of(
        reference: &'a str,
        answer: &'a Result<(Resolved, Option<Text>), Refusal>,
        script: &'a str,
    ) -> Self {
        match answer {
            Ok((resolved, text)) => {
                Self::Found(Box::new(Described::of(reference, resolved, text.as_ref())))
            }
            Err(refusal) => {
                Self::Refused { reference, error: Problem::of(refusal, "/resolve", script) }
            }
        }
    }
}

/// What an entry says of a version: what the headers say where it is fetched.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described<'a> {
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

impl<'a> Described<'a> {
    fn of(reference: &'a str, resolved: &'a Resolved, text: Option<&'a Text>) -> Self {
        let selected = &resolved.selected;
        let snapshot = &selected.snapshot;
        let slot = match &selected.found {
            Found::Slot(slot) => Some(slot),
            Found::Exact | Found::Range => None,
        };
        let (content, content_base64) = match text {
            Some(Text::Utf8(text)) => (Some(text.as_str()), None),
            Some(Text::Base64(text)) => (None, Some(text.as_str())),
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
