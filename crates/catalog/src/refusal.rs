//! Refusals: one table from the reason to its stable code and status.

use crate::assign::CallerError;
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
    /// The version key or the segments of the caller are too large.
    CallerInvalid(CallerError),
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
    /// A record that every sync writes, or that another record names, does not exist.
    RecordMissing(Key),
    /// A namespace does not answer.
    StoreUnavailable(Namespace),
    /// Too many requests wait for Workers KV at once, or too many large contents are being sent.
    Overloaded,
    /// The caller sends more requests than the rate limit allows.
    RateLimited,
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
            Self::CallerInvalid(_) => "CALLER_INVALID",
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
            Self::Overloaded => "ISOLATE_OVERLOADED",
            Self::RateLimited => "RATE_LIMITED",
        }
    }

    /// Returns the HTTP status (RFC 9110, section 15).
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid(_)
            | Self::ParameterInvalid { .. }
            | Self::CallerInvalid(_)
            | Self::BodyInvalid(_) => 400,
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
            Self::RateLimited => 429,
            Self::RecordUnreadable(..) | Self::DigestMismatch { .. } => 502,
            Self::StoreUnavailable(_)
            | Self::RecordMissing(_)
            | Self::ContentMissing(_)
            | Self::Overloaded
            | Self::ConfigurationInvalid { .. } => 503,
        }
    }

    /// Returns the seconds after which a retry may help.
    pub fn retry_after(&self) -> Option<u32> {
        match self.status() {
            // The shorter of the two periods of Cloudflare's rate limiter.
            429 => Some(10),
            503 => Some(5),
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
