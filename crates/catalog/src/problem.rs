//! Problem details: the body of the response to a refusal (RFC 9457).

use serde::Serialize;

use crate::existing::Existing;
use crate::refusal::Refusal;
use crate::slot::Slot;
use crate::suggestion::nearest_existing;
use crate::version::Version;
use crate::wording::{detail, title};

/// The maximum number of versions or slots that a response lists.
const LISTED: usize = 20;

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
    /// The existing name that is nearest to the unknown one.
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    existing: Option<ListedExisting<'a>>,
}

#[derive(Debug, Serialize)]
struct ListedExisting<'a> {
    versions: Vec<String>,
    slots: &'a [Slot],
}

impl<'a> Problem<'a> {
    /// Creates the body for a refusal. `instance` is the path of the request.
    pub fn of(refusal: &'a Refusal, instance: &'a str, script_version: &'a str) -> Self {
        let kind = refusal.code().to_ascii_lowercase().replace('_', "-");
        let nearest = nearest_existing(refusal);
        let what = detail(refusal);
        let detail = match &nearest {
            Some(nearest) => format!("{what} Did you mean {nearest}?"),
            None => what,
        };
        Self {
            kind: format!("urn:component-resolver:{kind}"),
            title: title(refusal),
            status: refusal.status(),
            detail,
            instance,
            code: refusal.code(),
            script_version,
            nearest,
            existing: refusal.existing().map(ListedExisting::of),
        }
    }
}

impl<'a> ListedExisting<'a> {
    fn of(existing: &'a Existing) -> Self {
        let versions = existing.versions.iter().take(LISTED).map(Version::to_string).collect();
        Self { versions, slots: existing.slots.get(..LISTED).unwrap_or(&existing.slots) }
    }
}
