//! All exit codes.

use std::fmt;
use std::process::ExitCode;

/// The way in which a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// The command failed, or something was refused.
    Failed,
    /// The command line was wrong.
    Usage,
    /// The state that the command checked is not as it should be.
    Drift,
}

impl Exit {
    /// Returns the code: `clap` uses 2 too.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Drift => 3,
        }
    }

    /// Returns the exit of a command that this error stopped.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if error.is::<Usage>() { Self::Usage } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// An error in the command line.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) &'static str);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Usage {}
