//! A refusal as the body of an answer.

use serde::Serialize;

use super::{Existing, Refusal};
use crate::slot::Slot;
use crate::version::Version;

/// How many versions or slots an answer lists.
const LISTED: usize = 20;

impl Refusal {
    /// The answer's body.
    ///
    /// `instance` is the path of the request.
    pub fn problem<'a>(&'a self, instance: &'a str, script_version: &'a str) -> Problem<'a> {
        let kind = self.code().to_ascii_lowercase().replace('_', "-");
        Problem {
            kind: format!("urn:component-resolver:{kind}"),
            title: self.title(),
            status: self.status(),
            detail: self.detail(),
            instance,
            code: self.code(),
            script_version,
            existing: self.existing().map(Existing::listed),
        }
    }
}

impl Existing {
    fn listed(&self) -> Listed<'_> {
        let versions = self.versions.iter().take(LISTED).map(Version::to_string).collect();
        Listed { versions, slots: self.slots.get(..LISTED).unwrap_or(&self.slots) }
    }
}

/// A refusal as `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    instance: &'a str,
    code: &'static str,
    script_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    existing: Option<Listed<'a>>,
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    versions: Vec<String>,
    slots: &'a [Slot],
}
