//! The texts of refusals.

use crate::grammar::{Grammar, GrammarError};
use crate::record::RecordError;
use crate::refusal::Refusal;

/// The way to mend a value that is not as it was written.
const REPAIR: &str = " Run slotctl sync --repair to write it again.";

/// Returns a short description of the code, the same at every occurrence (RFC 9457,
/// `title`).
pub fn title(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid(GrammarError { grammar: Grammar::Name, .. }) => "Invalid component name",
        Refusal::Invalid(_) => "Invalid reference",
        Refusal::ParameterInvalid { .. } => "Invalid parameter",
        Refusal::RouteUnknown => "No such resource",
        Refusal::PathTooLong => "Path too long",
        Refusal::MethodNotAllowed { .. } => "Method not allowed",
        Refusal::ConfigurationInvalid { .. } => "Invalid configuration",
        Refusal::TokenRequired => "Token required",
        Refusal::CallerInvalid(_) => "Invalid caller",
        Refusal::BodyInvalid(_) => "Invalid request body",
        Refusal::BodyTooLarge => "Request body too large",
        Refusal::MediaTypeUnsupported => "Unsupported media type",
        Refusal::ContentTooLarge { .. } => "Content too large",
        Refusal::ComponentUnknown(..) => "Unknown component",
        Refusal::TypeUnknown(..) => "Unknown type",
        Refusal::VersionUnknown(..) | Refusal::DigestUnknown(..) => "Unknown version",
        Refusal::RangeUnsatisfied(..) => "Unsatisfied range",
        Refusal::SlotUnknown(..) => "Unknown slot",
        Refusal::VersionRevoked { .. } => "Revoked version",
        Refusal::RecordUnreadable(..) => "Unreadable record",
        Refusal::ContentMissing(_) => "Missing content",
        Refusal::DigestMismatch { .. } => "Corrupt content",
        Refusal::PreconditionFailed(_) => "Precondition failed",
        Refusal::RecordMissing(_) => "Missing record",
        Refusal::StoreUnavailable(_) => "Store unavailable",
        Refusal::Overloaded => "Overloaded",
        Refusal::RateLimited => "Too many requests",
    }
}

/// Describes what happened and what to do about it (RFC 9457, `detail`).
#[expect(clippy::too_many_lines, reason = "the one table from a refusal to its wording")]
pub fn detail(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Invalid(error) => error.to_string(),
        Refusal::ParameterInvalid { name, takes } => {
            format!("The parameter {name} is not {takes}.")
        }
        Refusal::RouteUnknown => "The resources are /components/<type>/<name>[@<ref>], \
             /resolve, /catalog[/<type>[/<name>]], /version and /healthz."
            .to_owned(),
        Refusal::PathTooLong => "No component's address is that long.".to_owned(),
        Refusal::MethodNotAllowed { allow } => format!("This resource has the methods {allow}."),
        Refusal::ConfigurationInvalid { name } => format!(
            "The setting {name} of this Worker is invalid; requests that need it are refused \
             until an operator fixes it."
        ),
        Refusal::TokenRequired => "No valid token was sent. A read token is needed: \
             Authorization: Bearer <token>."
            .to_owned(),
        Refusal::CallerInvalid(error) => format!("The caller is too large: {error}."),
        Refusal::BodyInvalid(why) => format!(
            "The body is not {{\"refs\": [\"<type>/<name>[@<ref>]\", ...], \"key\"?, \
             \"segments\"?, \"content\"?}} with at most 100 refs: {why}"
        ),
        Refusal::BodyTooLarge => "The body is larger than 64 KiB.".to_owned(),
        Refusal::MediaTypeUnsupported => "The body has to be application/json without a \
             Content-Encoding."
            .to_owned(),
        Refusal::ContentTooLarge { name, version, limit } => format!(
            "The contents together are larger than {} MiB; fetch {name}@{version} by itself.",
            limit >> 20
        ),
        Refusal::ComponentUnknown(name, _) => format!("There is no component {name}."),
        Refusal::TypeUnknown(kind, _) => format!("No component has the type {kind}."),
        Refusal::VersionUnknown(name, version, _) => {
            format!("The component {name} has no version {version}.")
        }
        Refusal::DigestUnknown(name, digest, _) => {
            format!("The component {name} has no version with the digest sha256:{digest}.")
        }
        Refusal::RangeUnsatisfied(name, range, _) => {
            format!("The component {name} has no version in the range {range}.")
        }
        Refusal::SlotUnknown(name, slot, _) => {
            format!("The component {name} has no slot {slot}.")
        }
        Refusal::VersionRevoked { name, version, reason } => {
            format!("The version {version} of {name} was revoked: {reason}")
        }
        Refusal::RecordUnreadable(key, error) => format!(
            "The record {key} in {}: {error}.{}",
            key.namespace().binding(),
            match error {
                RecordError::Malformed(_) => REPAIR,
                // The record is well for a later version.
                RecordError::FormatTooHigh { .. } => "",
            }
        ),
        Refusal::ContentMissing(digest) => format!(
            "The content sha256:{digest} is named by a record but is not in COMPONENTS, or not \
             visible here yet. Try again. If it stays missing, run slotctl sync to write it again."
        ),
        Refusal::DigestMismatch { expected, found } => {
            format!(
                "The content stored as sha256:{expected} has the digest sha256:{found}.{REPAIR}"
            )
        }
        Refusal::PreconditionFailed(digest) => {
            format!("The entity tag is \"{digest}\", which If-Match does not name.")
        }
        Refusal::RecordMissing(key) => format!(
            "The record {key} is not in {}, or not visible here yet. Try again. If it stays \
             missing, run slotctl sync to write it.",
            key.namespace().binding()
        ),
        Refusal::Overloaded => {
            "Too many requests wait for Workers KV in this isolate, or too many large contents are \
             being sent. Try again."
                .to_owned()
        }
        Refusal::RateLimited => "This caller sends too many requests. Try again after the \
             seconds in Retry-After. POST /resolve counts once for each reference."
            .to_owned(),
        Refusal::StoreUnavailable(namespace) => {
            format!("The namespace {} does not answer. Try again.", namespace.binding())
        }
    }
}
