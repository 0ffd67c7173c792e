//! The JSON object that every command prints with `--json`. `docs/schemas` describes it.
//!
//! Members are added. Renaming or removing one needs a new [`SCHEMA`].

use kv_api::ApiError;
use notice::{Notice, Refused};
use serde::Serialize;

use crate::exit::{Exit, Usage};

/// The version of the object's shape.
const SCHEMA: u32 = 1;

/// The object: the members that all commands have, then those of the command.
#[derive(Debug, Serialize)]
pub(super) struct Envelope<'a, M: Serialize> {
    schema: u32,
    command: Option<&'a str>,
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ReportedError>,
    #[serde(flatten)]
    members: &'a M,
}

impl<'a, M: Serialize> Envelope<'a, M> {
    /// Creates the object of a command; `members` must serialize to a JSON object.
    pub(super) fn new(
        command: Option<&'a str>,
        exit: Exit,
        error: Option<&'a ReportedError>,
        members: &'a M,
    ) -> Self {
        Self { schema: SCHEMA, command, exit: exit.code(), error, members }
    }
}

/// The kind of an error, for scripts that react to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ErrorCode {
    /// The command line was wrong.
    Usage,
    /// The command refused to continue, for a reason that its user can remove.
    Refused,
    /// A call of the Workers KV API failed.
    KvApi,
}

/// The error that stopped a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ReportedError {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<ErrorCode>,
    /// The thing that the error is about: a component, a tag, an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    pub(crate) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
}

impl ReportedError {
    /// Describes an error with its causes.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if let Some(Refused(Notice { subject, what, help })) = error.downcast_ref() {
            let (subject, what) = (Some(subject.clone()), what.clone());
            return Self { code: Some(ErrorCode::Refused), subject, what, help: help.clone() };
        }
        let api = error.downcast_ref::<ApiError>();
        let code = match error.is::<Usage>() {
            true => Some(ErrorCode::Usage),
            false => api.map(|_| ErrorCode::KvApi),
        };
        let help = api.and_then(ApiError::hint).map(str::to_owned);
        Self { code, subject: None, what: format!("{error:#}"), help }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_envelope_comes_before_the_members_of_the_command() {
        let error =
            ReportedError::of(&Refused::new("a@b", "no such slot", "slotctl status").into());
        let members = json!({ "dryRun": true });
        let envelope = Envelope::new(Some("sync"), Exit::Failed, Some(&error), &members);
        assert_eq!(
            serde_json::to_string(&envelope).unwrap(),
            r#"{"schema":1,"command":"sync","exit":1,"error":{"code":"REFUSED","subject":"a@b","what":"no such slot","help":"slotctl status"},"dryRun":true}"#
        );
    }

    #[test]
    fn an_error_has_a_code_if_it_has_a_kind() {
        let usage = ReportedError::of(&anyhow!(Usage("name a slot")));
        assert_eq!((usage.code, usage.what.as_str()), (Some(ErrorCode::Usage), "name a slot"));
        let other = ReportedError::of(&anyhow!("b").context("a"));
        assert_eq!((other.code, other.what.as_str()), (None, "a: b"));
    }
}
