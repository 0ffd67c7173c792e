//! Refusals: one table from the reason to its stable code, status and text.

use crate::digest::Digest;
use crate::existing::Existing;
use crate::grammar::{Grammar, GrammarError};
use crate::key::{Key, Namespace};
use crate::name::ComponentName;
use crate::range::Range;
use crate::record::RecordError;
use crate::slot::Slot;
use crate::version::Version;

/// The reason why a request is not answered with a component.
///
/// Not found, unreadable and unreachable are three different refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The path is not the address of a component.
    Invalid(GrammarError),
    /// A query parameter is invalid.
    ParameterInvalid {
        /// The name of the parameter.
        name: &'static str,
        /// A description of valid values.
        takes: &'static str,
    },
    /// The path has no resource.
    RouteUnknown,
    /// The path is longer than that of any component.
    PathTooLong,
    /// The resource does not have this method.
    MethodNotAllowed {
        /// The methods of the resource, as `Allow` lists them.
        allow: &'static str,
    },
    /// A setting of the Worker is invalid, and the request needs it.
    ConfigurationInvalid {
        /// The name of the setting.
        name: &'static str,
    },
    /// A bearer token is needed, and no valid one was sent.
    TokenRequired,
    /// The body of the request is invalid, for this reason.
    BodyInvalid(String),
    /// The body of the request is too large.
    BodyTooLarge,
    /// The body of the request is not JSON, or has a content coding.
    MediaTypeUnsupported,
    /// The contents of one answer are too large together.
    ContentTooLarge {
        /// The component whose content exceeds the limit.
        name: ComponentName,
        /// The version of it.
        version: Version,
        /// The limit in bytes, a whole number of MiB.
        limit: u64,
    },
    /// No component has this name; with the nearest name that the caller may see.
    ComponentUnknown(ComponentName, Option<ComponentName>),
    /// No component has this type; with the nearest type that the caller may see.
    TypeUnknown(String, Option<String>),
    /// The component has no such version.
    VersionUnknown(ComponentName, Version, Existing),
    /// No version of the component has this content.
    DigestUnknown(ComponentName, Digest, Existing),
    /// No version of the component is in the range.
    RangeUnsatisfied(ComponentName, Range, Existing),
    /// The component has no such slot.
    SlotUnknown(ComponentName, Slot, Existing),
    /// The version was revoked.
    VersionRevoked {
        /// The component.
        name: ComponentName,
        /// The version.
        version: Version,
        /// The reason.
        reason: String,
    },
    /// A record in KV cannot be used.
    RecordUnreadable(Key, RecordError),
    /// A record names a content that does not exist.
    ContentMissing(Digest),
    /// A content in KV has another digest than its key.
    DigestMismatch {
        /// The digest in the key.
        expected: Digest,
        /// The digest of the content.
        found: Digest,
    },
    /// The request demands another content than this one.
    PreconditionFailed(Digest),
    /// A record that every sync writes does not exist.
    RecordMissing(Key),
    /// A namespace does not answer.
    StoreUnavailable(Namespace),
}

impl Refusal {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(GrammarError { grammar: Grammar::Name, .. }) => "NAME_INVALID",
            Self::Invalid(_) => "REF_INVALID",
            Self::ParameterInvalid { .. } => "PARAMETER_INVALID",
            Self::RouteUnknown => "ROUTE_UNKNOWN",
            Self::PathTooLong => "URI_TOO_LONG",
            Self::MethodNotAllowed { .. } => "METHOD_NOT_ALLOWED",
            Self::ConfigurationInvalid { .. } => "CONFIGURATION_INVALID",
            Self::TokenRequired => "TOKEN_REQUIRED",
            Self::BodyInvalid(_) => "BODY_INVALID",
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::MediaTypeUnsupported => "MEDIA_TYPE_UNSUPPORTED",
            Self::ContentTooLarge { .. } => "CONTENT_TOO_LARGE",
            Self::ComponentUnknown(..) => "COMPONENT_UNKNOWN",
            Self::TypeUnknown(..) => "TYPE_UNKNOWN",
            Self::VersionUnknown(..) | Self::DigestUnknown(..) => "VERSION_UNKNOWN",
            Self::RangeUnsatisfied(..) => "RANGE_UNSATISFIED",
            Self::SlotUnknown(..) => "SLOT_UNKNOWN",
            Self::VersionRevoked { .. } => "VERSION_REVOKED",
            Self::RecordUnreadable(..) => "RECORD_UNREADABLE",
            Self::ContentMissing(_) => "CONTENT_MISSING",
            Self::DigestMismatch { .. } => "DIGEST_MISMATCH",
            Self::PreconditionFailed(_) => "PRECONDITION_FAILED",
            Self::RecordMissing(_) => "RECORD_MISSING",
            Self::StoreUnavailable(_) => "STORE_UNAVAILABLE",
        }
    }

    /// Returns the HTTP status (RFC 9110, section 15).
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) | Self::ParameterInvalid { .. } | Self::BodyInvalid(_) => 400,
            Self::TokenRequired => 401,
            Self::RouteUnknown
            | Self::ComponentUnknown(..)
            | Self::TypeUnknown(..)
            | Self::VersionUnknown(..)
            | Self::DigestUnknown(..)
            | Self::RangeUnsatisfied(..)
            | Self::SlotUnknown(..) => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::VersionRevoked { .. } => 410,
            Self::PreconditionFailed(_) => 412,
            Self::BodyTooLarge | Self::ContentTooLarge { .. } => 413,
            Self::PathTooLong => 414,
            Self::MediaTypeUnsupported => 415,
            Self::RecordUnreadable(..) | Self::ContentMissing(_) | Self::DigestMismatch { .. } => {
                502
            }
            Self::StoreUnavailable(_)
            | Self::RecordMissing(_)
            | Self::ConfigurationInvalid { .. } => 503,
        }
    }

    /// Returns a short description of the code, the same at every occurrence (RFC 9457,
    /// `title`).
    pub fn title(&self) -> &'static str {
        match self {
            Self::Invalid(GrammarError { grammar: Grammar::Name, .. }) => "Invalid component name",
            Self::Invalid(_) => "Invalid reference",
            Self::ParameterInvalid { .. } => "Invalid parameter",
            Self::RouteUnknown => "No such resource",
            Self::PathTooLong => "Path too long",
            Self::MethodNotAllowed { .. } => "Method not allowed",
            Self::ConfigurationInvalid { .. } => "Invalid configuration",
            Self::TokenRequired => "Token required",
            Self::BodyInvalid(_) => "Invalid request body",
            Self::BodyTooLarge => "Request body too large",
            Self::MediaTypeUnsupported => "Unsupported media type",
            Self::ContentTooLarge { .. } => "Content too large",
            Self::ComponentUnknown(..) => "Unknown component",
            Self::TypeUnknown(..) => "Unknown type",
            Self::VersionUnknown(..) | Self::DigestUnknown(..) => "Unknown version",
            Self::RangeUnsatisfied(..) => "Unsatisfied range",
            Self::SlotUnknown(..) => "Unknown slot",
            Self::VersionRevoked { .. } => "Revoked version",
            Self::RecordUnreadable(..) => "Unreadable record",
            Self::ContentMissing(_) => "Missing content",
            Self::DigestMismatch { .. } => "Corrupt content",
            Self::PreconditionFailed(_) => "Precondition failed",
            Self::RecordMissing(_) => "Missing record",
            Self::StoreUnavailable(_) => "Store unavailable",
        }
    }

    /// Describes what happened and what to do about it (RFC 9457, `detail`).
    #[expect(clippy::too_many_lines, reason = "the one table from a refusal to its wording")]
    pub fn detail(&self) -> String {
        match self {
            Self::Invalid(error) => error.to_string(),
            Self::ParameterInvalid { name, takes } => {
                format!("The parameter {name} is not {takes}.")
            }
            Self::RouteUnknown => "The resources are /components/<type>/<name>[@<ref>], \
                 /resolve, /catalog[/<type>[/<name>]], /version and /healthz."
                .to_owned(),
            Self::PathTooLong => "No component's address is that long.".to_owned(),
            Self::MethodNotAllowed { allow } => format!("This resource has the methods {allow}."),
            Self::ConfigurationInvalid { name } => format!(
                "The setting {name} of this Worker is invalid; requests that need it are refused \
                 until an operator fixes it."
            ),
            Self::TokenRequired => "No valid token was sent. A read token is needed: \
                 Authorization: Bearer <token>."
                .to_owned(),
            Self::BodyInvalid(why) => format!(
                "The body is not {{\"refs\": [\"<type>/<name>[@<ref>]\", ...], \"key\"?, \
                 \"segments\"?, \"content\"?}} with at most 100 refs: {why}"
            ),
            Self::BodyTooLarge => "The body is larger than 64 KiB.".to_owned(),
            Self::MediaTypeUnsupported => "The body has to be application/json without a \
                 Content-Encoding."
                .to_owned(),
            Self::ContentTooLarge { name, version, limit } => format!(
                "The contents together are larger than {} MiB; fetch {name}@{version} by itself.",
                limit >> 20
            ),
            Self::ComponentUnknown(name, _) => format!("There is no component {name}."),
            Self::TypeUnknown(kind, _) => format!("No component has the type {kind}."),
            Self::VersionUnknown(name, version, _) => {
                format!("The component {name} has no version {version}.")
            }
            Self::DigestUnknown(name, digest, _) => {
                format!("The component {name} has no version with the digest sha256:{digest}.")
            }
            Self::RangeUnsatisfied(name, range, _) => {
                format!("The component {name} has no version in the range {range}.")
            }
            Self::SlotUnknown(name, slot, _) => {
                format!("The component {name} has no slot {slot}.")
            }
            Self::VersionRevoked { name, version, reason } => {
                format!("The version {version} of {name} was revoked: {reason}")
            }
            Self::RecordUnreadable(key, error) => format!(
                "The record {key} in {}: {error}. Run slotctl sync to write it again.",
                key.namespace().binding()
            ),
            Self::ContentMissing(digest) => format!(
                "The content sha256:{digest} is named by a record but is not in COMPONENTS. \
                 Run slotctl sync to write it again."
            ),
            Self::DigestMismatch { expected, found } => {
                format!("The content stored as sha256:{expected} has the digest sha256:{found}.")
            }
            Self::PreconditionFailed(digest) => {
                format!("The entity tag is \"{digest}\", which If-Match does not name.")
            }
            Self::RecordMissing(key) => format!(
                "The record {key} is not in {}. Run slotctl sync to write it.",
                key.namespace().binding()
            ),
            Self::StoreUnavailable(namespace) => {
                format!("The namespace {} does not answer. Try again.", namespace.binding())
            }
        }
    }

    /// Returns the seconds after which a retry may help.
    pub fn retry_after(&self) -> Option<u32> {
        (self.status() == 503).then_some(5)
    }

    /// Returns the unknown component and the place for the nearest one.
    pub fn unknown_component_mut(
        &mut self,
    ) -> Option<(&ComponentName, &mut Option<ComponentName>)> {
        match self {
            Self::ComponentUnknown(name, near) => Some((name, near)),
            _ => None,
        }
    }

    /// Returns the existing versions and slots, to be filtered by the rights of the caller.
    pub fn existing_mut(&mut self) -> Option<(&ComponentName, &mut Existing)> {
        match self {
            Self::VersionUnknown(name, _, existing)
            | Self::DigestUnknown(name, _, existing)
            | Self::RangeUnsatisfied(name, _, existing)
            | Self::SlotUnknown(name, _, existing) => Some((name, existing)),
            _ => None,
        }
    }

    /// Returns the existing versions and slots, if the refusal lists them.
    pub fn existing(&self) -> Option<&Existing> {
        match self {
            Self::VersionUnknown(.., existing)
            | Self::DigestUnknown(.., existing)
            | Self::RangeUnsatisfied(.., existing)
            | Self::SlotUnknown(.., existing) => Some(existing),
            _ => None,
        }
    }
}
