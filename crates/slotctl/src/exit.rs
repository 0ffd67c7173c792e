//! The exit codes, all of them.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done.
    Done,
    /// It failed, or something was refused.
    Failed,
    /// It was called in a way that makes no sense.
    Usage,
    /// What was asked to be looked at is not as it should be.
    Drift,
}

impl Exit {
    /// The code: 2 is what `clap` uses too.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Drift => 3,
        }
    }

    /// How a command ends that this error stopped.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if error.is::<Usage>() { Self::Usage } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// The JSON of a command that an error stopped before it had a result.
pub(crate) fn failure(command: &str, error: &anyhow::Error) -> Value {
    let (exit, error) = (Exit::of(error).code(), format!("{error:#}"));
    match command {
        // Its reports always had these members below `result`.
        "sync" => json!({ "command": command, "result": { "error": error, "exit": exit } }),
        _ => json!({ "command": command, "error": error, "exit": exit }),
    }
}

/// An error in how the command was called.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) &'static str);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Usage {}
