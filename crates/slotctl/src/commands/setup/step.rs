//! The steps of a setup.

use std::fmt;

/// A step that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A binding without an id, whose namespace exists: its id goes into the configuration.
    Take { binding: &'static str, title: String, id: String },
    /// A binding without an id and without a namespace, which is created.
    Create { binding: &'static str, title: String },
    /// The first deployment, with a new read token or without.
    Deploy { with_token: bool },
    /// A read token for a Worker that is deployed without one.
    Protect,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Take { binding, title, id } => {
                write!(
                    f,
                    "bind {binding} to the namespace {title}: its id {id} into the configuration"
                )
            }
            Self::Create { binding, title } => {
                write!(
                    f,
                    "create the namespace {title} for {binding}, and put its id into the configuration"
                )
            }
            Self::Deploy { with_token: true } => {
                f.write_str("create a read token, and deploy the Worker with it as READ_TOKENS")
            }
            Self::Deploy { with_token: false } => f.write_str("deploy the Worker"),
            Self::Protect => {
                f.write_str("create a read token, and set it as READ_TOKENS of the deployed Worker")
            }
        }
    }
}
